# SPDX-License-Identifier: MIT
# The library where the system fails it, and where no other test leads.

# Calls that faults.c makes fail.
set(FAULTS
    accept4 aligned_alloc bind calloc fchmod flock connect epoll_create1 epoll_ctl eventfd fcntl
    free fstat ftruncate getrandom getsockopt listen lstat malloc memfd_create mmap open poll
    posix_fallocate pthread_create read realloc recv recvmsg send
    sendmsg socket socketpair strdup strndup timerfd_create unlink write)
list(TRANSFORM FAULTS PREPEND -Wl,--wrap= OUTPUT_VARIABLE FAULTS)

function(vmring_fault_test name)
    vmring_unit_test(${name} ${name}.c faults.c ${ARGN})
    target_link_options(test_${name} PRIVATE ${FAULTS})
endfunction()

vmring_fault_test(faults_producer_open)
vmring_fault_test(faults_serve)
vmring_fault_test(faults_open)
vmring_fault_test(faults_requests pair.c)
vmring_fault_test(faults_next pair.c)
vmring_fault_test(faults_worker pair.c)
vmring_fault_test(faults_grant pair.c)
vmring_fault_test(faults_post pair.c)
vmring_fault_test(peer_budget pair.c)
vmring_fault_test(answers_malformed pair.c)
vmring_fault_test(api_refused pair.c)
if(VMRING_GRANT)
    target_compile_definitions(test_api_refused PRIVATE VMRING_GRANT=1)
endif()
vmring_fault_test(answer_told_by_next pair.c)
vmring_fault_test(counts_after_answers pair.c)
vmring_fault_test(detach_unread pair.c)
vmring_fault_test(first_grant_lost pair.c)
vmring_fault_test(subscribe_results pair.c)
vmring_fault_test(subscribe_later pair.c)
vmring_fault_test(frozen_given_up pair.c)
vmring_unit_test(refusals_told refusals_told.c)
vmring_unit_test(guards guards.c)
vmring_unit_test(unread unread.c)
vmring_unit_test(kept kept.c)
vmring_unit_test(serve_modes serve_modes.c)
vmring_unit_test(serve_both_ways serve_both_ways.c)
vmring_unit_test(connect_full connect_full.c)
vmring_unit_test(verdicts_in_numbers verdicts_in_numbers.c)
vmring_fault_test(overrun_all_the_time pair.c)
vmring_fault_test(groups_take_turns pair.c)
vmring_fault_test(rescan_again pair.c)
vmring_fault_test(workers pair.c)
vmring_fault_test(workers_any_instant pair.c)
add_executable(test_workers_race unit/workers_race.c)
target_link_libraries(test_workers_race PRIVATE vmring_static)
target_include_directories(test_workers_race PRIVATE
    ${PROJECT_SOURCE_DIR}/libvmring)
foreach(end quiet target death)
    vmring_test(workers_race_${end} LABELS unit
        COMMAND test_workers_race ${end} 100)
endforeach()
vmring_fault_test(next_tells_target pair.c)
vmring_fault_test(grant_to_the_letter pair.c)
vmring_fault_test(verdicts_overdue pair.c)
vmring_fault_test(frozen_header_broken pair.c)
vmring_unit_test(spec_format_refused spec_format_refused.c)
vmring_unit_test(sim_pauses sim_pauses.c stub_producer.c)
vmring_unit_test(sim_values_refused sim_values_refused.c)
vmring_unit_test(sim_truth_unwritable sim_truth_unwritable.c)
vmring_unit_test(open_out_of_descriptors open_out_of_descriptors.c)

# Of core/: where no peer on this machine can lead it.
foreach(name doorbell_kept_from slot_nothing_there lane_frozen_cursor
        consumer_rescan_amid_batch producer_without_a_ring)
    vmring_unit_test(core_${name} ${name}.c rig.c)
endforeach()
