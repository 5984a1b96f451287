# SPDX-License-Identifier: MIT
# How the two ends meet: what all transports use, and the local one.
vmring_unit_test(errands transport/errands.c)
vmring_unit_test(forked transport/forked.c)
vmring_unit_test(guards transport/guards.c)
vmring_fault_test(peer_budget transport/peer_budget.c
    fixture/pair.c fixture/by_hand.c)
foreach(name connect_full doorbell_full kept unread)
    vmring_unit_test(${name} transport/local/${name}.c)
endforeach()
if(VMRING_GRANT)
    include(${CMAKE_CURRENT_LIST_DIR}/grant/tests.cmake)
    include(${CMAKE_CURRENT_LIST_DIR}/xen/tests.cmake)
endif()
