# SPDX-License-Identifier: MIT
# The parts of vmring-bridge that need no Xen.

# vmring_bridge_test(NAME PART...): bridge/NAME.c with these parts, from the
# top of the tree.
function(vmring_bridge_test name)
    vmring_unit_test(bridge_${name} bridge/${name}.c)
    list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE parts)
    target_sources(test_bridge_${name} PRIVATE ${parts})
    target_link_libraries(test_bridge_${name} PRIVATE vmring_terminal)
endfunction()

vmring_bridge_test(ring bridge/legacy_ring.c)
vmring_bridge_test(ring_hostile bridge/legacy_ring.c)
vmring_bridge_test(allow bridge/allow.c)
set(LOG bridge/log.c bridge/log_limit.c bridge/outlet.c)
vmring_bridge_test(lock ${LOG})
target_link_libraries(test_bridge_lock PRIVATE PkgConfig::BSD)
vmring_bridge_test(log ${LOG})
vmring_bridge_test(outlet bridge/outlet.c)
vmring_bridge_test(room)

# And parts that call libxenctrl, with it in memory.
vmring_bridge_test(arming tests/unit/fixture/fake_monitor_ops.c
    bridge/monitor_arm.c bridge/monitor_step.c bridge/monitor_ranges.c
    bridge/monitor_event.c bridge/monitor_support.c bridge/monitor_bears.c
    ${LOG})
vmring_bridge_test(page bridge/legacy_ring.c ${LOG})
vmring_bridge_test(version)
vmring_bridge_test(listener)
vmring_bridge_test(step_off bridge/monitor.c bridge/monitor_end.c
    bridge/monitor_bears.c bridge/monitor_support.c
    bridge/legacy_ring.c ${LOG})
target_link_libraries(test_bridge_step_off PRIVATE vmring_vm_event
    PkgConfig::XENCTRL)
