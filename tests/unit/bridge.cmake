# SPDX-License-Identifier: MIT
# The parts of vmring-bridge that need no Xen.
function(vmring_bridge_test name)
    vmring_unit_test(${name} ${name}.c)
    list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE parts)
    target_sources(test_${name} PRIVATE ${parts})
    target_link_libraries(test_${name} PRIVATE vmring_terminal)
endfunction()

set(LEGACY bridge/legacy.c tests/unit/bridge_legacy.c)
vmring_bridge_test(bridge_pack ${LEGACY})
vmring_bridge_test(bridge_refuse ${LEGACY})
vmring_bridge_test(bridge_neutral ${LEGACY})
vmring_bridge_test(bridge_answer ${LEGACY})
vmring_bridge_test(bridge_ring bridge/legacy_ring.c)
vmring_bridge_test(bridge_ring_hostile bridge/legacy_ring.c)
vmring_bridge_test(bridge_allow bridge/allow.c)
vmring_bridge_test(bridge_lock bridge/log.c)
