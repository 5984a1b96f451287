/* SPDX-License-Identifier: MIT */
/*
 * quiesce.c: when no vCPU of the domain is on its way through the ring.
 *
 * vm_event_disable() frees the ring's structure while a vCPU that has been
 * woken from the ring's queue may still be on its way through it (wait.c:
 * the vCPU resumes inside vm_event_wait_slot()), and drops verdicts that a
 * vCPU has not applied yet (hvm_vm_event_do_resume()).  Both are over once
 * each vCPU has run after the last notification, or is blocked in the guest.
 * A vCPU that has not run since an earlier moment when it was harmless is so
 * still, which is how a domain that was paused before anything was armed can
 * be left.
 */
#include <stdlib.h>

#include "../../libvmring/base/clock.h"
#include "../../libvmring/vmring.h"
#include "../exit_status.h"
#include "../log.h"
#include "quiesce.h"

/* A vCPU that is running now has left Xen's event path after this time. */
#define PASSING_NS UINT64_C(1000000)

int quiesce_open(struct quiesce *quiesce, struct target *target)
{
    unsigned int nr = target->nr_vcpus;

    quiesce->target = target;
    quiesce->harmless = calloc(nr, sizeof(*quiesce->harmless));
    quiesce->started = calloc(nr, sizeof(*quiesce->started));
    quiesce->passed = calloc(nr, sizeof(*quiesce->passed));
    if (quiesce->harmless && quiesce->started && quiesce->passed)
        return 0;
    bridge_log(LOG_ERR, "out of memory");
    return EXIT_FAULT;
}

void quiesce_close(struct quiesce *quiesce)
{
    free(quiesce->harmless);
    free(quiesce->started);
    free(quiesce->passed);
}

static void note_harmless(struct quiesce *quiesce)
{
    xc_vcpuinfo_t info;

    for (unsigned int i = 0; i < quiesce->target->nr_vcpus; i++) {
        if (target_get_vcpu(quiesce->target, i, &info))
            quiesce->harmless[i] = info.cpu_time;
    }
}

/* The domain is paused, so that the times stand still. */
void quiesce_start(struct quiesce *quiesce)
{
    quiesce_be_quiet(quiesce);
}

void quiesce_disturb(struct quiesce *quiesce)
{
    if (quiesce->state == QUIESCE_QUIET)
        quiesce->said_at = clock_ns();
    quiesce->state = QUIESCE_BUSY;
}

void quiesce_note_verdict(struct quiesce *quiesce, uint32_t flags)
{
    if (flags &
        (XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP | XEN_VM_RING_FLAG_FAST_SINGLESTEP))
        quiesce->may_step = true;
    if (flags &
        (XEN_VM_RING_FLAG_ALTERNATE_P2M | XEN_VM_RING_FLAG_FAST_SINGLESTEP))
        quiesce->may_altp2m = true;
}

/*
 * What verdicts have switched on stays so: Xen's disarming does not end the
 * single-step of a vCPU (hvm_toggle_singlestep() in arch/x86/hvm/hvm.c), in
 * which it takes no interrupt, nor its alternative view of memory.  Not before
 * the last verdict, which may switch it on again.
 */
void quiesce_put_vcpus_back(struct quiesce *quiesce)
{
    struct target *target = quiesce->target;

    for (unsigned int i = 0; quiesce->may_step && i < target->nr_vcpus; i++)
        xc_domain_debug_control(target->xen.xch, target->domid,
                                XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF, i);
    if (quiesce->may_altp2m)
        xc_altp2m_switch_to_view(target->xen.xch, target->domid, 0);
    quiesce->may_step = quiesce->may_altp2m = false;
}

static void start_coming_down(struct quiesce *quiesce)
{
    xc_vcpuinfo_t info;

    quiesce_put_vcpus_back(quiesce);
    for (unsigned int i = 0; i < quiesce->target->nr_vcpus; i++) {
        quiesce->passed[i] = !target_get_vcpu(quiesce->target, i, &info) ||
                             !info.online || info.blocked ||
                             info.cpu_time == quiesce->harmless[i];
        quiesce->started[i] = info.cpu_time;
    }
    quiesce->state = QUIESCE_COMING_DOWN;
}

static bool has_passed(struct quiesce *quiesce, unsigned int vcpu)
{
    xc_vcpuinfo_t info;
    uint64_t ran;

    if (!target_get_vcpu(quiesce->target, vcpu, &info) || !info.online ||
        info.blocked)
        return true;
    ran = info.cpu_time - quiesce->started[vcpu];
    return info.running ? ran >= PASSING_NS : ran > 0;
}

bool quiesce_turn(struct quiesce *quiesce)
{
    bool all = true;

    if (quiesce->state == QUIESCE_BUSY) {
        start_coming_down(quiesce);
        return false;
    }
    for (unsigned int i = 0; i < quiesce->target->nr_vcpus; i++) {
        if (!quiesce->passed[i])
            quiesce->passed[i] = has_passed(quiesce, i);
        all = all && quiesce->passed[i];
    }
    return all;
}

void quiesce_be_quiet(struct quiesce *quiesce)
{
    note_harmless(quiesce);
    quiesce->state = QUIESCE_QUIET;
}
