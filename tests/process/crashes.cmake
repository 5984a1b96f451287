# SPDX-License-Identifier: MIT
# Processes killed at random instants: crash_consumers, crash_producers
# [KILLS [SEED]].  What became of each event is noted outside of the ring.
include(${PROJECT_SOURCE_DIR}/tests/process/witness.cmake)

vmring_witness_program(crash_consumers crash_consumers.c)
vmring_witness_program(crash_producers crash_producers.c)
vmring_test(crash_consumers_few LABELS process COMMAND crash_consumers 60)
vmring_test(crash_producers_few LABELS process COMMAND crash_producers 40)
if(VMRING_PROOF_TESTS)
    vmring_test(crash_consumers LABELS proof COMMAND crash_consumers 700)
    vmring_test(crash_producers LABELS proof COMMAND crash_producers 300)
endif()
if(VMRING_LONG_TESTS)
    vmring_test(crash_consumers_many LABELS long TIMEOUT 1800
        COMMAND crash_consumers 7000)
    vmring_test(crash_producers_many LABELS long TIMEOUT 1800
        COMMAND crash_producers 3000)
endif()

# An end after each instruction; of the program's own, not a sanitizer's.
if(NOT VMRING_SANITIZE)
    add_executable(crash_stepped
        process/crash_stepped.c process/crash_stepper.c)
    target_link_libraries(crash_stepped PRIVATE vmring_static)
    target_include_directories(crash_stepped PRIVATE
        ${PROJECT_SOURCE_DIR}/libvmring ${PROJECT_SOURCE_DIR}/tests)
    vmring_test(crash_stepped LABELS process COMMAND crash_stepped)
endif()
