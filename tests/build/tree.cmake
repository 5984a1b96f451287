# SPDX-License-Identifier: MIT
# Of the tree: the ABI, the sources, other compilers, what is installed.

# The golden table of the ABI: at every build, and for other architectures.
set(ABI_LAYOUT ${PROJECT_SOURCE_DIR}/tests/build/abi_layout.sh)
add_custom_command(OUTPUT abi_layout.stamp
    COMMAND sh ${ABI_LAYOUT} ${PROJECT_SOURCE_DIR} ${CMAKE_C_COMPILER}
    COMMAND ${CMAKE_COMMAND} -E touch abi_layout.stamp
    DEPENDS ${ABI_LAYOUT} ${PROJECT_SOURCE_DIR}/tests/abi/vm_ring.size
        ${PROJECT_SOURCE_DIR}/tests/abi/vmring_local.size
        ${PROJECT_SOURCE_DIR}/include/xen/public/vm_ring.h
        ${PROJECT_SOURCE_DIR}/include/vmring_local.h
    COMMENT "Comparing the ABI with its golden table")
add_custom_target(abi_layout ALL DEPENDS abi_layout.stamp)

# vmring_build_test(NAME SCRIPT ARGUMENT...): a script of tests/build.
function(vmring_build_test name script)
    vmring_test(${name} LABELS build TIMEOUT 300
        COMMAND sh ${PROJECT_SOURCE_DIR}/tests/build/${script}.sh
            ${PROJECT_SOURCE_DIR} ${ARGN})
endfunction()

# What they look at is the same with a sanitizer: sources, other compilers.
if(NOT VMRING_SANITIZE)
    vmring_build_test(abi_layout_x86_64 abi_layout ${CMAKE_C_COMPILER} -m64)
    vmring_build_test(abi_layout_i386 abi_layout ${CMAKE_C_COMPILER} -m32)
    vmring_build_test(abi_layout_arm64 abi_layout aarch64-linux-gnu-gcc)
    vmring_build_test(abi_headers headers)
    vmring_build_test(conformance conformance ${PROJECT_BINARY_DIR})
    vmring_build_test(format format)
    vmring_test(layers LABELS build COMMAND python3
        ${PROJECT_SOURCE_DIR}/tests/build/layers.py ${PROJECT_SOURCE_DIR}
        ${PROJECT_BINARY_DIR})
    vmring_build_test(layers_planted layers_planted ${CMAKE_C_COMPILER})
    vmring_build_test(shell shell rest)
    vmring_build_test(pinned pinned_tells)
    vmring_build_test(parts parts)
    vmring_build_test(packages packages)
    if(NOT VMRING_LIBRARY_ONLY)
        set(PROGRAM_ROOMS bridge bridge/monitor bridge/loop terminal
            agent agent/event agent/filter agent/ledger agent/output
            agent/policy)
    endif()
    if(VMRING_GRANT)
        set(GRANT_ROOM libvmring/transport/grant)
    endif()
    set(CIRCLES python3 ${PROJECT_SOURCE_DIR}/tests/build/circles.py)
    vmring_test(circles LABELS build COMMAND ${CIRCLES}
        ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}
        libvmring/core libvmring/vm_event libvmring/base libvmring/text
        libvmring/transport libvmring/transport/local ${GRANT_ROOM} libvmring/consumer
        libvmring/producer libvmring/sim ${PROGRAM_ROOMS})
    vmring_test(circles_planted LABELS build COMMAND ${CIRCLES} --planted
        ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR} libvmring/producer)
    vmring_build_test(freestanding_gcc_x86_64 freestanding gcc -m64)
    vmring_build_test(hypervisor_hooks hooks)
    if(VMRING_XEN_TESTS)
        vmring_build_test(hypervisor_series series)
        set_tests_properties(hypervisor_series PROPERTIES TIMEOUT 600)
        if(VMRING_LONG_TESTS)
            vmring_build_test(hypervisor_series_builds series builds)
            set_tests_properties(hypervisor_series_builds PROPERTIES
                LABELS long COST 1000 TIMEOUT 7200
                PROCESSORS 2)
        endif()
    endif()
    vmring_build_test(hypervisor_gcc hypervisor gcc)
    vmring_build_test(hypervisor_clang hypervisor clang)
    if(VMRING_LONG_TESTS)
        vmring_build_test(dialects_gcc dialects
            ${PROJECT_BINARY_DIR} gcc gnu11 gnu17)
        vmring_build_test(dialects_clang dialects
            ${PROJECT_BINARY_DIR} clang gnu11 gnu17 gnu2x)
        set_tests_properties(dialects_gcc dialects_clang PROPERTIES
            LABELS long TIMEOUT 900)
    endif()
    # A minute of compilers, and of shellcheck.
    if(VMRING_PROOF_TESTS)
        vmring_build_test(shell_of_lab shell lab)
        vmring_build_test(freestanding_gcc_i386 freestanding gcc -m32)
        vmring_build_test(freestanding_clang_x86_64 freestanding clang -m64)
        vmring_build_test(freestanding_clang_i386 freestanding clang -m32)
        # Without LSE: the bounded loops of atomic.h; with it: instructions.
        vmring_build_test(freestanding_gcc_arm64 freestanding
            aarch64-linux-gnu-gcc -mno-outline-atomics)
        vmring_build_test(freestanding_gcc_arm64_lse freestanding
            aarch64-linux-gnu-gcc -march=armv8.1-a)
        vmring_build_test(freestanding_clang_arm64 freestanding
            clang --target=aarch64-linux-gnu -mno-outline-atomics)
        vmring_build_test(hypervisor_gcc_arm64 hypervisor
            aarch64-linux-gnu-gcc -mno-outline-atomics)
        # Everything is built as C11, the oldest; clang takes its time.
        vmring_build_test(dialect_gcc_c23 dialects
            ${PROJECT_BINARY_DIR} gcc gnu2x)
    endif()
endif()
vmring_build_test(abi_kept abi_kept)

# As its users have it.
vmring_build_test(installed installed
    ${PROJECT_BINARY_DIR} ${CMAKE_C_COMPILER} ${VMRING_SANITIZE})
if(NOT VMRING_SANITIZE AND NOT VMRING_COVERAGE AND NOT VMRING_LIBRARY_ONLY
        AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    if(VMRING_PROOF_TESTS)
        vmring_build_test(build_matrix matrix ${PROJECT_BINARY_DIR}/matrix
            quick)
        set_tests_properties(build_matrix PROPERTIES TIMEOUT 900 PROCESSORS 2)
    endif()
    if(VMRING_LONG_TESTS)
        vmring_test(long_build_matrix LABELS long TIMEOUT 7200
            COMMAND sh ${PROJECT_SOURCE_DIR}/tests/build/matrix.sh
                ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/matrix-long all)
        set_tests_properties(long_build_matrix PROPERTIES PROCESSORS 2)
    endif()
endif()
foreach(library ${VMRING_LIBRARIES})
    vmring_build_test(symbols_of_${library} symbols $<TARGET_FILE:${library}>)
endforeach()
