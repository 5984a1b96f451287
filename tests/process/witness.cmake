# SPDX-License-Identifier: MIT
# Programs whose processes note what they did: witness.h.
include_guard()
set(WITNESS witness.c witness_bells.c witness_check.c witness_consumer.c
    witness_source.c)
list(TRANSFORM WITNESS PREPEND ${PROJECT_SOURCE_DIR}/tests/process/)

# vmring_witness_program(NAME SOURCE...): its doorbells and armings are
# counted between the library's files, by the linker.
function(vmring_witness_program name)
    list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/tests/process/
        OUTPUT_VARIABLE sources)
    list(POP_FRONT sources own)
    vmring_shared_objects(shared ${sources} ${WITNESS})
    add_executable(${name} ${own} ${shared})
    target_link_libraries(${name} PRIVATE vmring_static)
    target_include_directories(${name} PRIVATE
        ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/libvmring
        ${PROJECT_SOURCE_DIR}/tests)
    target_link_options(${name} PRIVATE -Wl,--wrap=doorbell_ring
        -Wl,--wrap=vmr_bell_arm -Wl,--wrap=vmr_bell_arm_answers)
endfunction()
