# SPDX-License-Identifier: MIT
# core/, both ends in one program; fixture/rig.c guards the regions' ends.
foreach(test
        geometry/apart geometry/carried geometry/hostile geometry/later_minor
        geometry/limits geometry/refused
        verdict/inject verdict/table verdict/whole
        lane/any_instant lane/copies lane/cursor_faults lane/discard_exact
        lane/discard_lapped lane/discard_waits_for_cursor lane/frozen_cursor
        lane/frozen_lies lane/frozen_resumed lane/hostile_producer
        lane/last_look lane/overwrite_full lane/overwrite_gaps
        lane/pull_any_instant lane/record_cut lane/record_fields
        lane/reserve lane/wraparound
        slot/answer_checked slot/answer_found slot/answered_once slot/answers
        slot/any_instant slot/fifo slot/hostile_length slot/nothing_there
        slot/odd_even slot/reposted slot/retire_while_taking
        doorbell/again doorbell/answers doorbell/any_instant
        doorbell/arm_looks doorbell/crowd doorbell/hostile_bits
        doorbell/kept_from doorbell/last_look doorbell/once doorbell/races
        doorbell/words
        consumer/arm_fetched consumer/batch_amid consumer/cursor_half
        consumer/cursor_late consumer/hostile_memory consumer/many_lanes
        consumer/order consumer/overrun_amid_batch consumer/overrun_once
        consumer/rescan_amid_batch consumer/shown consumer/slot_tells
        consumer/take_keeps
        producer/answer_late producer/attach_anew producer/contended
        producer/deadline_turn producer/deadlines producer/deadlines_random
        producer/pause producer/release_goes_on producer/scan_overtaken
        producer/sweep producer/without_a_ring)
    string(REPLACE / _ name ${test})
    vmring_unit_test(core_${name} core/${test}.c fixture/rig.c)
endforeach()
foreach(test again any_instant arm deadline due hints keep kept_from let_go
        order post release told wrong)
    vmring_unit_test(core_vcpu_${test} core/vcpu/${test}.c fixture/by_vcpu.c
        fixture/rig.c)
endforeach()
# Whose names say it without the folder's.
foreach(test geometry/smallest_ring lane/foreign_between
        lane/foreign_lane_epochs lane/own_lanes doorbell/own_lane_told
        producer/target_any_instant)
    cmake_path(GET test FILENAME name)
    vmring_unit_test(core_${name} core/${test}.c fixture/rig.c)
endforeach()

# The orderings of atomic.h, in what compilers make of them.
vmring_test(core_atomic_code LABELS unit
    COMMAND sh ${PROJECT_SOURCE_DIR}/tests/build/atomic_code.sh
        ${PROJECT_SOURCE_DIR})

# Threads at both ends: stress POLICY GROUPS.
vmring_unit_program(core_stress core/stress.c fixture/rig.c)
foreach(groups 1 3)
    vmring_test(core_stress_discard_${groups} LABELS unit
        COMMAND test_core_stress 0 ${groups})
    vmring_test(core_stress_overwrite_${groups} LABELS unit
        COMMAND test_core_stress 1 ${groups})
endforeach()

# A thread for each vCPU: threads GROUPS.
vmring_unit_program(core_vcpu_threads core/vcpu/threads.c fixture/by_vcpu.c
    fixture/rig.c)
foreach(groups 1 2)
    vmring_test(core_vcpu_threads_${groups} LABELS unit
        COMMAND test_core_vcpu_threads ${groups})
endforeach()
