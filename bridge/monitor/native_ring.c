/* SPDX-License-Identifier: MIT */
/* native_ring.c: the ring that a Xen with CONFIG_VM_RING produces itself. */
#include "native_ring.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <xen/vm_ring_control.h>

#include "../log.h"
#include "domctl.h"

#define LOOKS   200
#define LOOK_US 5000

/* 0 or -errno: a Xen that is no producer has no such domctl. */
static int call(struct target *target, struct xen_vm_ring_query *query)
{
    struct xen_vm_ring_control control = {
        .version = XEN_VM_RING_CONTROL_VERSION,
        .op = XEN_VM_RING_OP_QUERY,
        .arg = (uintptr_t)query,
        .arg_len = sizeof(*query),
    };
    struct xen_domctl domctl;

    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_vm_ring_op;
    memcpy(domctl.u.pad, &control, sizeof(control));
    return domctl_call(&target->xen, target->domid, &domctl);
}

/* -EAGAIN: it has ended, but for vCPUs that have yet to run. */
static int query(struct target *target)
{
    struct xen_vm_ring_query *buffer =
        xencall_alloc_buffer(target->xen.xcall, sizeof(*buffer));
    int rc;

    if (!buffer)
        return -ENOMEM;
    rc = call(target, buffer);
    xencall_free_buffer(target->xen.xcall, buffer);
    return rc;
}

bool has_native_ring(struct target *target)
{
    int rc = query(target);

    if (rc == 0)
        bridge_log(LOG_ERR,
                   "%s has a ring of Xen's own: end its agent; if it was "
                   "killed, 'vmring-agent -q -t 1ms xen:%u' lets go of it",
                   target->name, target->domid);
    if (rc == -EAGAIN)
        bridge_log(LOG_ERR,
                   "%s had a ring of Xen's own, and has vCPUs that are yet to "
                   "apply a verdict of it, as soon as they run: is it paused?",
                   target->name);
    return rc == 0 || rc == -EAGAIN;
}

bool native_ring_is_over(struct target *target)
{
    int rc = query(target);

    if (rc != -EAGAIN)
        return false;
    for (int look = 0; rc == -EAGAIN && look < LOOKS; look++) {
        usleep(LOOK_US);
        rc = query(target);
    }
    return rc == -ENOENT;
}
