# SPDX-License-Identifier: MIT
# The ring itself, its ABI, the library and its local transport.

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
    vmring_build_test(shell shell)
    vmring_build_test(pinned pinned_tells)
    vmring_build_test(parts parts)
    vmring_build_test(packages packages)
    foreach(cc gcc clang)
        vmring_build_test(freestanding_${cc}_x86_64 freestanding ${cc} -m64)
        vmring_build_test(freestanding_${cc}_i386 freestanding ${cc} -m32)
    endforeach()
    # Everything is built as C11, the oldest; clang takes its time.
    vmring_build_test(dialect_gcc_c23 dialects
        ${PROJECT_BINARY_DIR} gcc gnu2x)
    if(VMRING_PROOF_TESTS)
        vmring_build_test(dialects_gcc dialects
            ${PROJECT_BINARY_DIR} gcc gnu11 gnu17)
        vmring_build_test(dialects_clang dialects
            ${PROJECT_BINARY_DIR} clang gnu11 gnu17 gnu2x)
        set_tests_properties(dialects_gcc dialects_clang PROPERTIES
            LABELS proof)
    endif()
    # Without LSE: the bounded loops of atomic.h; with it: single instructions.
    vmring_build_test(freestanding_gcc_arm64 freestanding
        aarch64-linux-gnu-gcc -mno-outline-atomics)
    vmring_build_test(freestanding_gcc_arm64_lse freestanding
        aarch64-linux-gnu-gcc -march=armv8.1-a)
    vmring_build_test(freestanding_clang_arm64 freestanding
        clang --target=aarch64-linux-gnu -mno-outline-atomics)
endif()
vmring_unit_test(abi_constants abi_constants.c)
vmring_build_test(abi_kept abi_kept)

# core/, both ends in one program; rig.c guards the regions' ends.
foreach(name
        geometry_limits geometry_hostile smallest_ring geometry_later_minor
        geometry_apart geometry_refused geometry_carried
        verdict_table verdict_whole verdict_inject
        lane_last_look lane_frozen_resumed lane_discard_lapped
        lane_record_fields
        target_any_instant doorbell_any_instant
        doorbell_last_look
        consumer_take_keeps doorbell_arm_looks producer_attach_anew
        producer_release_goes_on producer_scan_overtaken
        producer_answer_late consumer_slot_tells consumer_cursor_half
        consumer_arm_fetched
        lane_any_instant lane_pull_any_instant slot_any_instant
        consumer_overrun_amid_batch
        lane_discard_exact lane_discard_waits_for_cursor lane_cursor_faults
        lane_overwrite_gaps lane_overwrite_full lane_record_cut lane_wraparound
        lane_hostile_producer
        slot_odd_even slot_hostile_length slot_retire_while_taking
        slot_answers slot_answered_once slot_answer_checked
        slot_answer_found lane_frozen_lies slot_fifo slot_reposted
        doorbell_once doorbell_answers doorbell_words doorbell_hostile_bits
        doorbell_races doorbell_again doorbell_crowd
        producer_deadlines producer_deadlines_random producer_deadline_turn
        producer_pause foreign_lane_epochs foreign_between
        producer_sweep producer_contended own_lanes own_lane_told
        consumer_order consumer_shown consumer_batch_amid
        consumer_many_lanes consumer_cursor_late consumer_hostile_memory)
    vmring_unit_test(core_${name} ${name}.c rig.c)
endforeach()

# The orderings of atomic.h, in what compilers make of them.
vmring_test(core_atomic_code LABELS unit
    COMMAND sh ${PROJECT_SOURCE_DIR}/tests/build/atomic_code.sh
        ${PROJECT_SOURCE_DIR})

# Threads at both ends: stress POLICY GROUPS.
add_executable(test_core_stress unit/stress.c unit/rig.c)
target_link_libraries(test_core_stress PRIVATE vmring_static)
target_include_directories(test_core_stress PRIVATE
    ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/libvmring)
foreach(groups 1 3)
    vmring_test(core_stress_discard_${groups} LABELS unit
        COMMAND test_core_stress 0 ${groups})
    vmring_test(core_stress_overwrite_${groups} LABELS unit
        COMMAND test_core_stress 1 ${groups})
endforeach()

# Real processes, killed and stopped: tests/process.
function(vmring_process_test name)
    vmring_shared_objects(shared ${ARGN})
    add_executable(test_process_${name}
        ${PROJECT_SOURCE_DIR}/tests/process/${name}.c ${shared})
    target_link_libraries(test_process_${name} PRIVATE vmring_static)
    target_include_directories(test_process_${name} PRIVATE
        ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/libvmring
        ${PROJECT_SOURCE_DIR}/tests)
    vmring_test(process_${name} COMMAND test_process_${name} LABELS process)
endfunction()

set(SOURCE_OF_EVENTS ${PROJECT_SOURCE_DIR}/tests/process/source.c)
foreach(name consumer_killed consumer_stopped producer_killed overwrite_gaps)
    vmring_process_test(${name} ${SOURCE_OF_EVENTS})
    set_tests_properties(process_${name} PROPERTIES RUN_SERIAL ON)
endforeach()
foreach(name refusals versions versions_1_0 second_consumer sockets seals hostile_consumer
        kept_open unread_grants at_every_message)
    vmring_process_test(${name}
        ${PROJECT_SOURCE_DIR}/tests/process/wired.c)
endforeach()
# The sanitizers take SIGBUS for themselves.
if(NOT VMRING_SANITIZE)
    vmring_process_test(memory_taken
        ${PROJECT_SOURCE_DIR}/tests/process/wired.c)
endif()
vmring_process_test(hostile_producer)
# With a real bridge, in its sandbox, which there is not with a sanitizer.
if(NOT VMRING_LIBRARY_ONLY AND NOT VMRING_SANITIZE)
    add_executable(test_process_kept_mapped
        ${PROJECT_SOURCE_DIR}/tests/process/kept_mapped.c
        ${PROJECT_SOURCE_DIR}/tests/process/wired.c)
    target_link_libraries(test_process_kept_mapped PRIVATE vmring_static)
    target_include_directories(test_process_kept_mapped PRIVATE
        ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/libvmring
        ${PROJECT_SOURCE_DIR}/tests)
    vmring_test(process_kept_mapped LABELS process
        COMMAND test_process_kept_mapped $<TARGET_FILE:vmring-bridge>)
endif()

# The library by its own functions.
foreach(name api_options api_deadline_far api_respond_tail doorbell_full)
    vmring_unit_test(${name} ${name}.c)
endforeach()

# As its users have it.
vmring_build_test(installed installed
    ${PROJECT_BINARY_DIR} ${CMAKE_C_COMPILER} ${VMRING_SANITIZE})
if(NOT VMRING_SANITIZE AND NOT VMRING_COVERAGE AND NOT VMRING_LIBRARY_ONLY
        AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    vmring_build_test(build_matrix matrix ${PROJECT_BINARY_DIR}/matrix quick)
    set_tests_properties(build_matrix PROPERTIES TIMEOUT 900 PROCESSORS 2)
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
vmring_process_test(drain_interrupted)
