/* SPDX-License-Identifier: MIT */
/* calls.c: hypercalls of the process that keeps a ring of Xen's. */
#define __XEN_TOOLS__ 1
#include "calls.h"

#include <errno.h>
#include <string.h>
#include <xencall.h>
#include <xenctrl.h> /* types that domctl.h does without */

#include "../grant/limits.h"

#include <xen/domctl.h>
#include <xen/memory.h>

int xen_begin_calls(struct calls *calls, uint32_t domid)
{
    *calls = (struct calls){.domid = domid};
    calls->xcall = xencall_open(&grant_logger, 0);
    return calls->xcall ? 0 : -grant_errno(ENOENT);
}

void xen_end_calls(struct calls *calls)
{
    if (calls->xcall)
        xencall_close(calls->xcall);
    calls->xcall = NULL;
}

static int domctl(struct calls *calls, struct xen_domctl *op)
{
    struct xen_domctl *buffer =
        xencall_alloc_buffer(calls->xcall, sizeof(*buffer));
    int rc;

    if (!buffer)
        return -ENOMEM;
    *buffer = *op;
    buffer->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    buffer->domain = (domid_t)calls->domid;
    rc = xencall1(calls->xcall, __HYPERVISOR_domctl,
                  (uint64_t)(uintptr_t)buffer);
    rc = rc < 0 ? -errno : 0;
    *op = *buffer;
    xencall_free_buffer(calls->xcall, buffer);
    return rc;
}

static int with_arg(struct calls *calls, uint32_t op, void *at, size_t len)
{
    struct xen_domctl call;
    struct xen_vm_ring_control control = {
        .version = XEN_VM_RING_CONTROL_VERSION,
        .op = op,
        .ring = op == XEN_VM_RING_OP_ATTACH ? 0 : calls->ring,
        .arg = (uintptr_t)at,
        .arg_len = (uint32_t)len,
    };
    int rc;

    memset(&call, 0, sizeof(call));
    call.cmd = XEN_DOMCTL_vm_ring_op;
    memcpy(call.u.pad, &control, sizeof(control));
    rc = domctl(calls, &call);
    memcpy(&control, call.u.pad, sizeof(control));
    if (!rc && op == XEN_VM_RING_OP_ATTACH)
        calls->ring = control.ring;
    return rc;
}

int xen_ring(struct calls *calls, uint32_t op, void *arg, size_t len)
{
    void *at;
    int rc;

    if (!len)
        return with_arg(calls, op, NULL, 0);
    at = xencall_alloc_buffer(calls->xcall, len);
    if (!at)
        return -ENOMEM;
    memcpy(at, arg, len);
    rc = with_arg(calls, op, at, len);
    memcpy(arg, at, len);
    xencall_free_buffer(calls->xcall, at);
    return rc;
}

static int monitor(struct calls *calls, struct xen_domctl *op, uint32_t what)
{
    op->cmd = XEN_DOMCTL_monitor_op;
    op->u.monitor_op.op = what;
    return domctl(calls, op);
}

int xen_arm(struct calls *calls, const struct monitor_event *event)
{
    struct xen_domctl op;
    struct xen_domctl_monitor_op *to = &op.u.monitor_op;

    memset(&op, 0, sizeof(op));
    to->event = event->event;
    switch (event->event) {
    case XEN_DOMCTL_MONITOR_EVENT_WRITE_CTRLREG:
        to->u.mov_to_cr.index = (uint8_t)event->index;
        to->u.mov_to_cr.sync = event->sync;
        to->u.mov_to_cr.onchangeonly = event->onchange;
        break;
    case XEN_DOMCTL_MONITOR_EVENT_MOV_TO_MSR:
        to->u.mov_to_msr.msr = event->index;
        to->u.mov_to_msr.onchangeonly = event->onchange;
        break;
    case XEN_DOMCTL_MONITOR_EVENT_GUEST_REQUEST:
        to->u.guest_request.sync = event->sync;
        to->u.guest_request.allow_userspace = event->user;
        break;
    case XEN_DOMCTL_MONITOR_EVENT_DEBUG_EXCEPTION:
        to->u.debug_exception.sync = event->sync;
        break;
    case XEN_DOMCTL_MONITOR_EVENT_VMEXIT:
        to->u.vmexit.sync = event->sync;
        break;
    default:
        break;
    }
    return monitor(calls, &op, XEN_DOMCTL_MONITOR_OP_ENABLE);
}

int xen_defer_writes(struct calls *calls)
{
    struct xen_domctl op;

    memset(&op, 0, sizeof(op));
    return monitor(calls, &op, XEN_DOMCTL_MONITOR_OP_CONTROL_REGISTERS);
}

int xen_capabilities(struct calls *calls, uint32_t *mask)
{
    struct xen_domctl op;
    int rc;

    memset(&op, 0, sizeof(op));
    rc = monitor(calls, &op, XEN_DOMCTL_MONITOR_OP_GET_CAPABILITIES);
    *mask = rc ? 0 : op.u.monitor_op.event;
    return rc;
}

int xen_suppress_walks(struct calls *calls)
{
    struct xen_domctl op;

    memset(&op, 0, sizeof(op));
    op.u.monitor_op.event = XEN_DOMCTL_MONITOR_EVENT_INGUEST_PAGEFAULT;
    return monitor(calls, &op, XEN_DOMCTL_MONITOR_OP_ENABLE);
}

/* -errno, or what Xen says. */
static long memory(struct calls *calls, unsigned int what, void *arg,
                   size_t len)
{
    void *at = xencall_alloc_buffer(calls->xcall, len);
    long rc;

    if (!at)
        return -ENOMEM;
    memcpy(at, arg, len);
    rc = xencall2L(calls->xcall, __HYPERVISOR_memory_op, what,
                   (uint64_t)(uintptr_t)at);
    rc = rc < 0 ? -errno : rc;
    memcpy(arg, at, len);
    xencall_free_buffer(calls->xcall, at);
    return rc;
}

int xen_restrict(struct calls *calls, uint64_t first, uint32_t nr,
                 unsigned int access)
{
    struct xen_mem_access_op op = {
        .op = XENMEM_access_op_set_access,
        .access = (uint8_t)access,
        .domid = (domid_t)calls->domid,
        .nr = nr,
        .pfn = first,
    };

    return (int)memory(calls, XENMEM_access_op, &op, sizeof(op));
}

bool xen_can_restrict(struct calls *calls)
{
    struct xen_mem_access_op op = {
        .op = XENMEM_access_op_get_access,
        .domid = (domid_t)calls->domid,
        .pfn = ~UINT64_C(0),
    };

    return memory(calls, XENMEM_access_op, &op, sizeof(op)) == 0;
}

int xen_last_frame(struct calls *calls, uint64_t *last)
{
    domid_t domid = (domid_t)calls->domid;
    long rc = memory(calls, XENMEM_maximum_gpfn, &domid, sizeof(domid));

    *last = rc < 0 ? 0 : (uint64_t)rc;
    return rc < 0 ? (int)rc : 0;
}
