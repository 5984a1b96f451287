# SPDX-License-Identifier: MIT
# Between Xen's vm_event_st and the ring's events and verdicts.
vmring_unit_test(abi_constants vm_event/constants.c)
if(NOT TARGET vmring_vm_event)
    return()
endif()
foreach(name pack refuse neutral answer)
    vmring_unit_test(vm_event_${name} vm_event/${name}.c
        fixture/legacy_request.c)
    target_link_libraries(test_vm_event_${name} PRIVATE vmring_vm_event)
endforeach()
