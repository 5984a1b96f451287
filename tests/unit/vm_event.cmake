# SPDX-License-Identifier: MIT
# Between Xen's vm_event_st and the ring's events and verdicts.
if(NOT TARGET vmring_vm_event)
    return()
endif()
foreach(name bridge_pack bridge_refuse bridge_neutral bridge_answer)
    vmring_unit_test(${name} ${name}.c bridge_legacy.c)
    target_link_libraries(test_${name} PRIVATE vmring_vm_event)
endforeach()
