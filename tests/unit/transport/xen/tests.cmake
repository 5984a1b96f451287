# SPDX-License-Identifier: MIT
# Xen as the producer, on a fake one below its libraries.
set(FAKE_NATIVE fixture/fake_native.c fixture/fake_xencall.c)
vmring_unit_test(xen_keeper transport/xen/keeper.c ${FAKE_NATIVE})
vmring_unit_test(xen_link_gone transport/xen/gone.c ${FAKE_NATIVE} ${FAKE_XEN})
vmring_fault_test(xen_link transport/xen/link.c ${FAKE_NATIVE} ${FAKE_XEN})
