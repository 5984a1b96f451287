# SPDX-License-Identifier: MIT
# Granted pages and event channels, on a fake Xen instead of its libraries.
set(FAKE_XEN fixture/fake_xen.c fixture/fake_evtchn.c)
foreach(name pages parked hostile_directory again limits evtchn)
    vmring_unit_test(grant_${name} transport/grant/${name}.c
        fixture/grant_rig.c ${FAKE_XEN})
endforeach()
vmring_fault_test(grant_faults transport/grant/faults.c
    fixture/grant_rig.c ${FAKE_XEN})

# The rendezvous, on a fake xenstore.
set(FAKE_XENSTORE fixture/fake_xenstore.c fixture/fake_nodes.c)
vmring_unit_test(message_text transport/grant/message_text.c)
foreach(name rendezvous_exchange rendezvous_restarts rendezvous_hostile
        rendezvous_faults)
    vmring_unit_test(${name} transport/grant/${name}.c
        fixture/meeting.c ${FAKE_XENSTORE})
endforeach()
vmring_fault_test(rendezvous_malformed transport/grant/rendezvous_malformed.c
    fixture/meeting.c ${FAKE_XENSTORE})
# They take the time that xenstored is given.
vmring_fault_test(xenstore_stopped transport/grant/xenstore_stopped.c
    fixture/pair.c fixture/meeting.c ${FAKE_XENSTORE} ${FAKE_XEN})
vmring_fault_test(meet_stopped transport/grant/meet_stopped.c
    fixture/meeting.c ${FAKE_XENSTORE})

# vmring_grant_test(NAME SOURCE...): both domains in one program. What a bridge
# does not wait for is done at once.
function(vmring_grant_test name)
    vmring_fault_test(grant_${name} transport/grant/${name}.c ${ARGN}
        fixture/meeting.c ${FAKE_XENSTORE} ${FAKE_XEN}
        fixture/errands_at_once.c)
    target_link_options(test_grant_${name} PRIVATE -Wl,--wrap=errands_post)
endfunction()

foreach(name attach ends every_bridge every_consumer kept workers)
    vmring_grant_test(${name} fixture/pair.c fixture/grant_pair.c)
endforeach()
vmring_grant_test(link_alone)
vmring_grant_test(listener_alone)
vmring_grant_test(restrict fixture/pair.c fixture/grant_rig.c)
target_link_options(test_grant_restrict PRIVATE -Wl,--wrap=munmap)
