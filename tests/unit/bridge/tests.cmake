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

vmring_bridge_test(ring bridge/monitor/legacy_ring.c)
vmring_bridge_test(ring_hostile bridge/monitor/legacy_ring.c)
vmring_bridge_test(allow bridge/allow.c)
set(LOG bridge/log.c bridge/log_limit.c bridge/outlet.c)
vmring_bridge_test(lock ${LOG})
target_link_libraries(test_bridge_lock PRIVATE PkgConfig::BSD)
vmring_bridge_test(log ${LOG})
vmring_bridge_test(outlet bridge/outlet.c)
vmring_bridge_test(room)

# And parts that call libxenctrl, with it in memory.
vmring_bridge_test(arming tests/unit/fixture/fake_monitor_ops.c
    bridge/monitor/subscription.c bridge/monitor/arm_steps.c
    bridge/monitor/monitor_calls.c bridge/monitor/ranges.c
    bridge/monitor/support.c bridge/monitor/xen_checks.c
    ${LOG})
vmring_bridge_test(page tests/unit/fixture/fake_xencall.c
    bridge/monitor/legacy_ring.c bridge/monitor/native_ring.c ${LOG})
vmring_bridge_test(version tests/unit/fixture/fake_xencall.c)
vmring_bridge_test(listener)
vmring_bridge_test(step_off bridge/monitor/entries.c
    bridge/monitor/end.c bridge/monitor/quiesce.c
    bridge/monitor/xen_checks.c bridge/monitor/support.c
    bridge/monitor/legacy_ring.c ${LOG})
target_link_libraries(test_bridge_step_off PRIVATE vmring_vm_event
    PkgConfig::XENCTRL)
set_target_properties(test_bridge_step_off PROPERTIES
    VMRING_WITHOUT_TRANSPORTS ON) # it has its own producer
