# SPDX-License-Identifier: MIT
# Granted pages and event channels, on a fake Xen instead of its libraries.
if(NOT VMRING_GRANT)
    return()
endif()

foreach(name grant_pages grant_parked grant_hostile_directory grant_again
        grant_limits bells)
    vmring_unit_test(${name} ${name}.c grant_rig.c fake_xen.c)
endforeach()
vmring_fault_test(grant_faults grant_rig.c fake_xen.c)

# The rendezvous, on a fake xenstore.
vmring_unit_test(message_text message_text.c)
foreach(name rendezvous_exchange rendezvous_restarts rendezvous_hostile
        rendezvous_faults)
    vmring_unit_test(${name} ${name}.c meeting.c fake_xenstore.c)
endforeach()
vmring_unit_test(errands errands.c)
vmring_unit_test(forked forked.c)
# It takes the time that xenstored is given.
vmring_fault_test(xenstore_stopped pair.c meeting.c fake_xenstore.c fake_xen.c)

# What a bridge does not wait for is done at once.
set(AT_ONCE meeting.c fake_xenstore.c fake_xen.c errands_at_once.c)
vmring_fault_test(grant_attach pair.c ${AT_ONCE})
vmring_fault_test(grant_ends pair.c ${AT_ONCE})
vmring_fault_test(grant_every_bridge pair.c ${AT_ONCE})
vmring_fault_test(grant_every_consumer pair.c ${AT_ONCE})
vmring_fault_test(grant_kept pair.c ${AT_ONCE})
vmring_fault_test(grant_link_alone ${AT_ONCE})
vmring_fault_test(grant_workers pair.c ${AT_ONCE})
vmring_fault_test(grant_listener_alone ${AT_ONCE})
vmring_fault_test(grant_restrict pair.c ${AT_ONCE} grant_rig.c)
foreach(name grant_attach grant_ends grant_every_bridge grant_every_consumer
        grant_kept grant_link_alone grant_workers grant_listener_alone
        grant_restrict)
    target_link_options(test_${name} PRIVATE -Wl,--wrap=errands_post)
endforeach()
vmring_fault_test(rendezvous_malformed meeting.c fake_xenstore.c)
target_link_options(test_grant_restrict PRIVATE -Wl,--wrap=munmap)
