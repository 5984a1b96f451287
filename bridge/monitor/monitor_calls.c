/* SPDX-License-Identifier: MIT */
/*
 * monitor_calls.c: the calls by which a domain raises an event, one an event.
 *
 * With eight vCPUs or more Xen pauses a vCPU at every asynchronous event too
 * (vm_event_put_request(): fewer free entries than vCPUs), and wakes as many
 * as there are free entries at each response, not the one that is answered:
 * with many vCPUs some stay asleep after the last response.  So there, and
 * where DENY defers every register write until its vCPU resumes, what is to
 * be asynchronous is armed synchronous and answered at once; the vCPU stops
 * no longer and is woken by its own response.
 */
#include <errno.h>
#include <string.h>

#include "../../libvmring/base/frames.h"
#include "../../libvmring/base/msrs.h"
#include "domctl.h"
#include "legacy_ring.h"
#include "monitor_calls.h"
#include "pause.h"
#include "support.h"

#define ASYNC_PAUSES_FROM LEGACY_RING_ENTRIES

bool calls_is_async(const struct vmring_spec *spec)
{
    return spec->mode == VMRING_MODE_ASYNC;
}

/* Must Xen stop the vCPU?  A synchronous exit to Xen would never proceed. */
static bool arms_sync(const struct target *target,
                      const struct vmring_spec *spec, bool defers)
{
    return !calls_is_async(spec) ||
           (spec->reason != XEN_VM_RING_REASON_VMEXIT &&
            (target->nr_vcpus >= ASYNC_PAUSES_FROM || defers));
}

/* ------------------------------------------------------ one to a domctl -- */

/* As xc_monitor_io() does, which libxenctrl has since 4.18. */
static int set_io(struct target *target, bool on)
{
    struct xen_domctl domctl;
    int rc;

    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_monitor_op;
    domctl.u.monitor_op.op =
        on ? XEN_DOMCTL_MONITOR_OP_ENABLE : XEN_DOMCTL_MONITOR_OP_DISABLE;
    domctl.u.monitor_op.event = MONITOR_EVENT_IO;
    rc = domctl_call(&target->xen, target->domid, &domctl);
    if (rc == 0)
        return 0;
    errno = -rc;
    return -1;
}

static int set_ctrlreg(struct target *target, const struct vmring_spec *spec,
                       bool on, bool defers)
{
    return xc_monitor_write_ctrlreg(
        target->xen.xch, target->domid, (uint16_t)spec->first, on,
        on && arms_sync(target, spec, defers), 0,
        on && (spec->flags & VMRING_SPEC_ONCHANGE) != 0);
}

int calls_set_frames(struct target *target, uint64_t first, uint64_t last,
                     unsigned int watched)
{
    return xc_set_mem_access(target->xen.xch, target->domid,
                             frames_access_left(watched), first,
                             (uint32_t)(last - first + 1)) < 0
               ? -errno
               : 0;
}

static int set_event(struct target *target, const struct vmring_spec *spec,
                     bool on, bool defers)
{
    xc_interface *xch = target->xen.xch;
    uint32_t domid = target->domid;
    bool sync = on && arms_sync(target, spec, defers);

    switch (spec->reason) {
    case XEN_VM_RING_REASON_WRITE_CTRLREG:
        return set_ctrlreg(target, spec, on, defers);
    case XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT:
        return xc_monitor_software_breakpoint(xch, domid, on);
    case XEN_VM_RING_REASON_SINGLESTEP:
        return xc_monitor_singlestep(xch, domid, on);
    case XEN_VM_RING_REASON_GUEST_REQUEST:
        return xc_monitor_guest_request(xch, domid, on, sync,
                                        (spec->flags & VMRING_SPEC_USER) != 0);
    case XEN_VM_RING_REASON_DEBUG_EXCEPTION:
        return xc_monitor_debug_exceptions(xch, domid, on, sync);
    case XEN_VM_RING_REASON_CPUID:
        return xc_monitor_cpuid(xch, domid, on);
    case XEN_VM_RING_REASON_PRIVILEGED_CALL:
        return xc_monitor_privileged_call(xch, domid, on);
    case XEN_VM_RING_REASON_DESCRIPTOR_ACCESS:
        return xc_monitor_descriptor_access(xch, domid, on);
    case XEN_VM_RING_REASON_EMUL_UNIMPLEMENTED:
        return xc_monitor_emul_unimplemented(xch, domid, on);
    case XEN_VM_RING_REASON_VMEXIT:
        return xc_monitor_vmexit(xch, domid, on, sync);
    case XEN_VM_RING_REASON_IO_INSTRUCTION:
        return set_io(target, on);
    default:
        errno = EOPNOTSUPP;
        return -1;
    }
}

int calls_set_event(struct target *target, const struct vmring_spec *spec,
                    bool on, bool defers)
{
    return set_event(target, spec, on, defers) < 0 ? -errno : 0;
}

/* ----------------------------------------------------------------- MSRs -- */

#define MSR_TWIN(high) ((high)&0x1fffu)

/*
 * On AMD Xen lets the guest read a watched MSR of the upper window from the
 * CPU, unless the monitor has its twin of the lower window, too
 * (svm_intercept_msr() forgets the window).  Of EFER the guest would see the
 * bit that Xen itself has set, of others what the host has there; so the twin
 * is armed meanwhile, with the domain paused, so that none of its writes is
 * reported.
 */
static int arm_with_twin(struct target *target, struct lock *lock, uint32_t msr,
                         bool onchange)
{
    xc_interface *xch = target->xen.xch;
    uint32_t domid = target->domid;
    bool armed;
    int rc, held;

    held = pause_domain(target, lock);
    if (held < 0)
        return held;
    armed = xc_monitor_mov_to_msr(xch, domid, MSR_TWIN(msr), 1, 0) == 0;
    rc = xc_monitor_mov_to_msr(xch, domid, msr, 1, onchange);
    rc = rc < 0 ? -errno : 0;
    if (armed)
        xc_monitor_mov_to_msr(xch, domid, MSR_TWIN(msr), 0, 0);
    pause_release(target, lock);
    return rc;
}

int calls_set_msr(struct target *target, struct lock *lock, uint32_t msr,
                  bool on, bool onchange)
{
    if (on && !target->is_intel && msr >= MSRS_HIGH)
        return arm_with_twin(target, lock, msr, onchange);
    return xc_monitor_mov_to_msr(target->xen.xch, target->domid, msr, on,
                                 onchange) < 0
               ? -errno
               : 0;
}

/* ----------------------------------------------------------------- deny -- */

/*
 * Xen denies a register's write only if the write is deferred until the vCPU
 * resumes, and defers only after this domctl, for which libxenctrl has no
 * function.  Disabling the monitor undoes it; nothing else does.
 */
int calls_defer_writes(struct target *target)
{
    struct xen_domctl domctl;

    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_monitor_op;
    domctl.u.monitor_op.op = XEN_DOMCTL_MONITOR_OP_CONTROL_REGISTERS;
    return domctl_call(&target->xen, target->domid, &domctl);
}
