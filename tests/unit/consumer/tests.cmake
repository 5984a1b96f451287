# SPDX-License-Identifier: MIT
# The consumer's calls: options, events, answers, workers, and what the system
# or the producer refuses.
foreach(name api_options api_deadline_far api_respond_tail
        open_out_of_descriptors refusals_told verdicts_in_numbers)
    vmring_unit_test(${name} consumer/${name}.c)
endforeach()
vmring_fault_test(faults_open consumer/faults_open.c)
foreach(name answer_told_by_next answers_malformed api_refused
        counts_after_answers detach_unread faults_next faults_requests
        faults_worker groups_take_turns next_tells_target
        overrun_all_the_time rescan_again subscribe_results
        workers_any_instant)
    vmring_fault_test(${name} consumer/${name}.c fixture/pair.c)
endforeach()
foreach(name workers workers_end workers_lied_to)
    vmring_fault_test(${name} consumer/${name}.c
        fixture/pair.c fixture/workers.c)
endforeach()
if(VMRING_GRANT)
    target_compile_definitions(test_api_refused PRIVATE VMRING_GRANT=1)
endif()

# Threads: workers_race END ROUNDS.
vmring_unit_program(workers_race consumer/workers_race.c)
foreach(end quiet target death)
    vmring_test(workers_race_${end} LABELS unit
        COMMAND test_workers_race ${end} 100)
endforeach()
