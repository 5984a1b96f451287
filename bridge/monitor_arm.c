/* SPDX-License-Identifier: MIT */
/*
 * monitor_arm.c: which events the domain raises.
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
#include <stdio.h>
#include <string.h>

#include "monitor.h"

#define ASYNC_PAUSES_FROM LEGACY_RING_ENTRIES

static bool is_async(const struct vmring_spec *spec)
{
    return spec->mode == VMRING_MODE_ASYNC;
}

/* Must Xen stop the vCPU?  A synchronous exit to Xen would never proceed. */
static bool arms_sync(const struct monitor *monitor,
                      const struct vmring_spec *spec)
{
    return !is_async(spec) ||
           (spec->reason != XEN_VM_RING_REASON_VMEXIT &&
            (monitor->nr_vcpus >= ASYNC_PAUSES_FROM || monitor->deny_set));
}

/* ------------------------------------------------------ one to a domctl -- */

static int set_ctrlreg(struct monitor *monitor, const struct vmring_spec *spec,
                       bool on)
{
    return xc_monitor_write_ctrlreg(
        monitor->xch, monitor->domid, (uint16_t)spec->first, on,
        on && arms_sync(monitor, spec), 0,
        on && (spec->flags & VMRING_SPEC_ONCHANGE) != 0);
}

static int set_msrs(struct monitor *monitor, const struct vmring_spec *spec,
                    bool on)
{
    bool onchange = (spec->flags & VMRING_SPEC_ONCHANGE) != 0;
    int result = 0;

    for (uint64_t msr = spec->first; msr <= spec->last; msr++) {
        int rc = 0;

        if (monitor_bears_msr(msr))
            rc = monitor_set_msr(monitor, (uint32_t)msr, on, onchange);
        /* Ranges may overlap; off goes through to the end. */
        if (rc < 0 && errno != EEXIST) {
            result = -1;
            if (on)
                break;
        }
    }
    return result;
}

/*
 * What remains permitted.  EPT knows no page that can be written and not
 * read, so watching reads is watching writes too (ept_p2m_type_to_flags()).
 */
static xenmem_access_t access_left(unsigned int watched)
{
    if (watched & VMRING_MEM_R)
        return watched & VMRING_MEM_X ? XENMEM_access_n : XENMEM_access_x;
    if (watched & VMRING_MEM_W)
        return watched & VMRING_MEM_X ? XENMEM_access_r : XENMEM_access_rx;
    return watched & VMRING_MEM_X ? XENMEM_access_rw : XENMEM_access_rwx;
}

static int set_mem_access(struct monitor *monitor,
                          const struct vmring_spec *spec, bool on)
{
    return xc_set_mem_access(monitor->xch, monitor->domid,
                             on ? access_left(spec->access) : XENMEM_access_rwx,
                             spec->first,
                             (uint32_t)(spec->last - spec->first + 1));
}

static int set_event(struct monitor *monitor, const struct vmring_spec *spec,
                     bool on)
{
    xc_interface *xch = monitor->xch;
    uint32_t domid = monitor->domid;
    bool sync = on && arms_sync(monitor, spec);

    switch (spec->reason) {
    case XEN_VM_RING_REASON_MEM_ACCESS:
        return set_mem_access(monitor, spec, on);
    case XEN_VM_RING_REASON_WRITE_CTRLREG:
        return set_ctrlreg(monitor, spec, on);
    case XEN_VM_RING_REASON_MOV_TO_MSR:
        return set_msrs(monitor, spec, on);
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
    default:
        errno = EOPNOTSUPP;
        return -1;
    }
}

static void note_delivery(struct monitor *monitor,
                          const struct vmring_spec *spec)
{
    uint32_t *mask = &monitor->async_reasons;
    uint32_t bit = 1u << spec->reason;

    if (spec->reason == XEN_VM_RING_REASON_WRITE_CTRLREG) {
        mask = &monitor->async_ctrlregs;
        bit = 1u << (spec->first & 31);
    }
    *mask = is_async(spec) ? *mask | bit : *mask & ~bit;
}

static int arm(struct monitor *monitor, const struct vmring_spec *spec)
{
    int rc;

    monitor_disturb(monitor);
    monitor_say_left_out(monitor, spec);
    note_delivery(monitor, spec);
    rc = set_event(monitor, spec, true);
    if (rc < 0 && errno == EEXIST) {
        /* Armed by somebody who did not clean up behind himself. */
        set_event(monitor, spec, false);
        rc = set_event(monitor, spec, true);
    }
    return rc < 0 ? -errno : 0;
}

static void disarm(struct monitor *monitor, const struct vmring_spec *spec)
{
    if (set_event(monitor, spec, false) < 0 && errno != EEXIST &&
        errno != ESRCH) {
        char text[128] = "";

        vmring_spec_format(spec, text, sizeof(text));
        log_line(LOG_ERR, "cannot disarm %s: %s", text, strerror(errno));
    }
}

/* ------------------------------------------------------- all or nothing -- */

static void say(char *error, size_t error_len, const struct vmring_spec *spec,
                const char *why)
{
    char text[128] = "event";

    vmring_spec_format(spec, text, sizeof(text));
    if (error && error_len)
        snprintf(error, error_len, "%s %s", text, why);
}

/* Page walks count unless a spec wants them; see xc_monitor_*pagefault(). */
static void suppress_walks(struct monitor *monitor)
{
    bool suppress = false;

    for (unsigned int i = 0; i < monitor->nr_specs; i++) {
        if (monitor->specs[i].reason != XEN_VM_RING_REASON_MEM_ACCESS)
            continue;
        suppress = true;
        if (monitor->specs[i].flags & VMRING_SPEC_FAULTS) {
            suppress = false;
            break;
        }
    }
    if (suppress != monitor->walks_suppressed &&
        xc_monitor_inguest_pagefault(monitor->xch, monitor->domid, suppress) ==
            0)
        monitor->walks_suppressed = suppress;
}

static void disarm_all(struct monitor *monitor)
{
    while (monitor->nr_specs > 0)
        disarm(monitor, &monitor->specs[--monitor->nr_specs]);
    suppress_walks(monitor);
    monitor_disturb(monitor);
}

static bool is_same(const struct vmring_spec *a, const struct vmring_spec *b)
{
    return a->reason == b->reason && is_async(a) == is_async(b) &&
           a->access == b->access && a->flags == b->flags &&
           a->first == b->first && a->last == b->last;
}

static bool is_listed(const struct vmring_spec *spec,
                      const struct vmring_spec *specs, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        if (is_same(spec, &specs[i]))
            return true;
    }
    return false;
}

/*
 * What stays is not touched, so that a successor that asks for the same
 * events misses none.  Ranges may overlap: they are all set anew.
 */
static void disarm_others(struct monitor *monitor,
                          const struct vmring_spec *specs, unsigned int nr)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < monitor->nr_specs; i++) {
        if (is_listed(&monitor->specs[i], specs, nr))
            monitor->specs[kept++] = monitor->specs[i];
        else
            disarm(monitor, &monitor->specs[i]);
    }
    monitor->nr_specs = kept;
}

/*
 * What verdicts have switched on stays so: Xen's disarming does not end the
 * single-step of a vCPU (hvm_toggle_singlestep() in arch/x86/hvm/hvm.c), nor
 * its alternative view of memory.
 */
static void put_vcpus_back(struct monitor *monitor)
{
    if (!monitor->page)
        return;
    for (unsigned int i = 0; monitor->may_step && i < monitor->nr_vcpus; i++)
        xc_domain_debug_control(monitor->xch, monitor->domid,
                                XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF, i);
    if (monitor->may_altp2m)
        xc_altp2m_switch_to_view(monitor->xch, monitor->domid, 0);
    monitor->may_step = monitor->may_altp2m = false;
}

void monitor_subscribe(void *ctx, const struct vmring_spec *specs,
                       unsigned int nr, int *results, char *error,
                       size_t error_len)
{
    struct monitor *monitor = ctx;
    bool refused = false;
    int rc;

    if (!monitor->page) /* the domain is dead */
        monitor->nr_specs = 0;
    for (unsigned int i = 0; i < nr; i++) {
        const char *why = monitor->page && nr <= VMRING_MAX_SPECS
                              ? monitor_refuse(monitor, specs, i, &results[i])
                              : "cannot be armed: the domain has ended";

        if (!monitor->page)
            results[i] = VMRING_SPEC_FAILED;
        if (why && !refused)
            say(error, error_len, &specs[i], why);
        refused = refused || why;
    }
    if (refused || nr == 0) {
        if (monitor->nr_specs)
            disarm_all(monitor);
        put_vcpus_back(monitor);
        return;
    }
    disarm_others(monitor, specs, nr);
    for (unsigned int i = 0; i < nr; i++) {
        if (!monitor_is_range(&specs[i]) &&
            is_listed(&specs[i], monitor->specs, monitor->nr_specs))
            continue;
        rc = arm(monitor, &specs[i]);
        if (!is_listed(&specs[i], monitor->specs, monitor->nr_specs))
            monitor->specs[monitor->nr_specs++] = specs[i];
        if (rc == 0)
            continue;
        results[i] = VMRING_SPEC_FAILED;
        say(error, error_len, &specs[i], strerror(-rc));
        disarm_all(monitor);
        return;
    }
    suppress_walks(monitor);
    monitor_disturb(monitor);
}

/* ----------------------------------------------------------------- deny -- */

/*
 * Xen denies a register's write only if the write is deferred until the vCPU
 * resumes, and defers only after this domctl, for which libxenctrl has no
 * function.  Disabling the monitor undoes it; nothing else does.
 */
static int defer_register_writes(struct monitor *monitor)
{
    struct xen_domctl domctl;

    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_monitor_op;
    domctl.u.monitor_op.op = XEN_DOMCTL_MONITOR_OP_CONTROL_REGISTERS;
    return monitor_domctl(monitor, &domctl);
}

static void set_deny(struct monitor *monitor)
{
    int rc;

    if (monitor->deny_set || !monitor->page)
        return;
    rc = defer_register_writes(monitor);
    if (rc < 0) {
        log_line(LOG_WARNING, "Xen cannot deny register writes: %s",
                 strerror(-rc));
        return;
    }
    monitor->deny_set = true;
    /* What a predecessor has left armed asynchronous would be deferred. */
    for (unsigned int i = 0; i < monitor->nr_specs; i++) {
        const struct vmring_spec *spec = &monitor->specs[i];

        if (spec->reason != XEN_VM_RING_REASON_WRITE_CTRLREG || !is_async(spec))
            continue;
        disarm(monitor, spec);
        rc = arm(monitor, spec);
        if (rc < 0)
            log_line(LOG_ERR, "cannot arm a control register again: %s",
                     strerror(-rc));
    }
}

void monitor_attached(void *ctx, int attached, uint32_t verdicts)
{
    struct monitor *monitor = ctx;

    monitor->deny_granted =
        attached && (verdicts & XEN_VM_RING_VERDICT_DENY) != 0;
    if (monitor->deny_granted)
        set_deny(monitor);
    if (attached) {
        monitor->may_step |= (verdicts & XEN_VM_RING_VERDICT_STEP) != 0;
        monitor->may_altp2m |= (verdicts & XEN_VM_RING_VERDICT_ALTP2M) != 0;
    }
}

bool monitor_delivers_async(const struct monitor *monitor,
                            const struct xen_vm_ring_event *event)
{
    if (event->reason == XEN_VM_RING_REASON_WRITE_CTRLREG)
        return monitor->async_ctrlregs >> (event->u.write_ctrlreg.index & 31) &
               1;
    return monitor->async_reasons >> event->reason & 1;
}
