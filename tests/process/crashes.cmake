# SPDX-License-Identifier: MIT
# Processes killed at random instants: crash_consumers, crash_producers
# [KILLS [SEED]].  What became of each event is noted outside of the ring.
set(WITNESS witness.c witness_bells.c witness_check.c witness_consumer.c
    witness_source.c)
list(TRANSFORM WITNESS PREPEND ${PROJECT_SOURCE_DIR}/tests/process/)

# vmring_witness_program(NAME SOURCE...): its doorbells and armings are
# counted between the library's files, by the linker.
function(vmring_witness_program name)
    list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/tests/process/
        OUTPUT_VARIABLE sources)
    add_executable(${name} ${sources} ${WITNESS})
    target_link_libraries(${name} PRIVATE vmring_static)
    target_include_directories(${name} PRIVATE
        ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/libvmring
        ${PROJECT_SOURCE_DIR}/tests)
    target_link_options(${name} PRIVATE -Wl,--wrap=doorbell_ring
        -Wl,--wrap=vmr_bell_arm -Wl,--wrap=vmr_bell_arm_answers)
endfunction()

vmring_witness_program(crash_consumers crash_consumers.c)
vmring_witness_program(crash_producers crash_producers.c)
vmring_test(crash_consumers_few LABELS process COMMAND crash_consumers 60)
vmring_test(crash_producers_few LABELS process COMMAND crash_producers 40)
if(VMRING_PROOF_TESTS)
    vmring_test(crash_consumers LABELS proof COMMAND crash_consumers 700)
    vmring_test(crash_producers LABELS proof COMMAND crash_producers 300)
endif()
