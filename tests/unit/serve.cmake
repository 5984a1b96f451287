# SPDX-License-Identifier: MIT
# Who is served by a producer, and when.
vmring_unit_test(successor_not_busy successor_not_busy.c)
vmring_unit_test(subscribe_denied subscribe_denied.c)
vmring_unit_test(serve_out_of_descriptors serve_out_of_descriptors.c)
vmring_unit_test(serve_many_at_once serve_many_at_once.c)
vmring_unit_test(collect_arms collect_arms.c)
vmring_unit_test(frozen_lane_broken frozen_lane_broken.c)
vmring_unit_test(ring_in_slices ring_in_slices.c)
target_link_options(test_ring_in_slices PRIVATE -Wl,--wrap=clock_gettime
    -Wl,--wrap=posix_fallocate -Wl,--wrap=fallocate)
vmring_unit_test(others_take_turns others_take_turns.c)
target_link_options(test_others_take_turns PRIVATE -Wl,--wrap=clock_gettime
    -Wl,--wrap=accept4 -Wl,--wrap=recvmsg)
