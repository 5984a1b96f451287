# SPDX-License-Identifier: MIT
# The producer's calls: who is served, when, with what, and what the system or
# the consumer refuses.
foreach(name frozen_lane_broken on_lines serve_both_ways serve_modes
        subscribe_denied)
    vmring_unit_test(${name} producer/${name}.c)
endforeach()
foreach(name collect_arms control_due control_loops others_take_turns
        ring_in_slices serve_many_at_once serve_out_of_descriptors
        successor_not_busy)
    vmring_unit_test(${name} producer/${name}.c fixture/by_hand.c)
endforeach()
target_link_options(test_ring_in_slices PRIVATE -Wl,--wrap=clock_gettime
    -Wl,--wrap=posix_fallocate -Wl,--wrap=fallocate)
target_link_options(test_others_take_turns PRIVATE -Wl,--wrap=clock_gettime
    -Wl,--wrap=accept4 -Wl,--wrap=recvmsg)

vmring_fault_test(faults_producer_open producer/faults_open.c)
vmring_fault_test(faults_serve producer/faults_serve.c)
vmring_fault_test(faults_accept producer/faults_accept.c
    fixture/pair.c fixture/by_hand.c)
foreach(name accept_to_the_letter faults_post first_accept_lost
        frozen_given_up frozen_header_broken subscribe_later verdicts_overdue)
    vmring_fault_test(${name} producer/${name}.c fixture/pair.c)
endforeach()
