# SPDX-License-Identifier: MIT
# The same sources read by other tools, and run on other machines.
if(VMRING_PROOF_TESTS AND NOT VMRING_SANITIZE AND NOT VMRING_COVERAGE)
    # vmring_analysis_test(NAME SCRIPT ARGUMENT...): a script of tests/build.
    function(vmring_analysis_test name script)
        vmring_test(${name} LABELS proof TIMEOUT 900
            COMMAND sh ${PROJECT_SOURCE_DIR}/tests/build/${script}.sh
                ${PROJECT_SOURCE_DIR} ${ARGN})
    endfunction()

    vmring_analysis_test(clang_tidy tidy ${PROJECT_BINARY_DIR})
    vmring_analysis_test(cppcheck cppcheck)
    vmring_analysis_test(coverage coverage ${PROJECT_BINARY_DIR}/coverage)
    vmring_analysis_test(run_i386 other ${PROJECT_BINARY_DIR}/i386 i386)
    vmring_analysis_test(run_arm64 other ${PROJECT_BINARY_DIR}/arm64 arm64)

    # The tests in other builds and under memcheck: those in which that one can
    # find something; in `./check long` all of them, and with clang alone, whose
    # warnings AddressSanitizer's build has as well.
    set(variants asan tsan)
    set(which some)
    if(VMRING_LONG_TESTS)
        set(variants asan tsan clang)
        set(which all)
        vmring_analysis_test(run_arm64_lse other
            ${PROJECT_BINARY_DIR}/arm64_lse arm64_lse)
    endif()
    vmring_analysis_test(valgrind valgrind ${PROJECT_BINARY_DIR} ${which})
    foreach(variant ${variants})
        vmring_analysis_test(variant_${variant} variant
            ${PROJECT_BINARY_DIR}/${variant} ${variant} ${which})
        set_tests_properties(variant_${variant} PROPERTIES TIMEOUT 1800)
    endforeach()
endif()

# The commands of README.md where nothing is installed yet: Debian from scratch.
# Its tests take two processors, and its demonstration the lab's time.
if(VMRING_LONG_TESTS)
    foreach(release 12 13)
        foreach(user root sudo asked user)
            vmring_test(bare_${release}_${user} LABELS long TIMEOUT 5400
                COMMAND ${PROJECT_SOURCE_DIR}/tests/build/bare.sh
                    ${PROJECT_SOURCE_DIR} ${release} ${user}
                    "./demo sim" "./check quick" ./demo)
            set_tests_properties(bare_${release}_${user} PROPERTIES
                RESOURCE_LOCK lab PROCESSORS 2)
        endforeach()
    endforeach()
endif()
