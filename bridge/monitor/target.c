/* SPDX-License-Identifier: MIT */
/* target.c: what Xen says of the domain, and how it ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../libvmring/base/clock.h"
#include "../../libvmring/vmring.h"
#include "../exit_status.h"
#include "../log.h"
#include "domctl.h"
#include "target.h"

/* A PVH guest has a local APIC and, at most, a PCI bus. */
static bool has_devices(const struct xen_arch_domainconfig *config)
{
#if defined(__x86_64__) || defined(__i386__)
    return (config->emulation_flags &
            ~(uint32_t)(XEN_X86_EMU_LAPIC | XEN_X86_EMU_VPCI)) != 0;
#else
    (void)config;
    return false;
#endif
}

/*
 * By hand, as libxenctrl has no function for one domain that stays from one
 * version to the next; its list leaves out what one may not see, and so does
 * not tell it from what is not there.
 */
int target_get_info(struct target *target, struct domain_info *info)
{
    const struct xen_domctl_getdomaininfo *found;
    struct xen_domctl domctl;
    int rc;

    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_getdomaininfo;
    rc = domctl_call(&target->xen, target->domid, &domctl);
    if (rc < 0)
        return rc;
    found = &domctl.u.getdomaininfo;
    /* Until Xen 4.17 it is the next one if there is none of that id. */
    if (found->domain != target->domid)
        return -ESRCH;
    *info = (struct domain_info){
        .is_hvm = (found->flags & XEN_DOMINF_hvm_guest) != 0,
        .dying = (found->flags & XEN_DOMINF_dying) != 0,
        .shutdown = (found->flags & XEN_DOMINF_shutdown) != 0,
        .paused = (found->flags & XEN_DOMINF_paused) != 0,
        .shutdown_reason = (found->flags >> XEN_DOMINF_shutdownshift) &
                           XEN_DOMINF_shutdownmask,
        .nr_vcpus = found->max_vcpu_id + 1,
        .has_devices = has_devices(&found->arch_config),
        .nr_pages = found->tot_pages,
        .max_pages = found->max_pages,
        .sid = found->ssidref,
    };
    return 0;
}

bool target_get_vcpu(struct target *target, unsigned int vcpu,
                     xc_vcpuinfo_t *info)
{
    return xc_vcpu_getinfo(target->xen.xch, target->domid, vcpu, info) == 0;
}

/* -------------------------------------------------------------- its end -- */

void target_read_watch(struct target *target)
{
    bool fired = false, lost;
    char **what;

    if (!target->xen.xs)
        return;
    while ((what = xs_check_watch(target->xen.xs)) != NULL) {
        fired = true;
        free(what);
    }
    lost = errno != EAGAIN;
    if (fired || lost)
        target->looked_at = 0;
    if (!lost)
        return;
    bridge_log(LOG_WARNING,
               "xenstore is lost; what becomes of %s is seen by asking Xen",
               target->name);
    handles_lose_store(&target->xen);
}

/* The pause was ours, and somebody has unpaused: the next pause is not ours. */
static void note_unpaused(struct target *target, const struct domain_info *info)
{
    if (!target->paused || info->paused || info->dying)
        return;
    target->paused = false;
    bridge_log(
        LOG_WARNING,
        "somebody has unpaused %s though a verdict is overdue: its other "
        "vCPUs run",
        target->name);
}

void target_look(struct target *target)
{
    struct domain_info info = {.shutdown = false};
    int error = target_get_info(target, &info);

    target->looked_at = clock_ns();
    if (error == -ESRCH || (!error && info.dying)) {
        target->state = XEN_VM_RING_TARGET_DESTROYED;
    } else if (!error && info.shutdown) {
        target->state = XEN_VM_RING_TARGET_SHUTDOWN;
        target->shutdown_reason = info.shutdown_reason;
    } else if (!error) {
        target->state = info.paused ? XEN_VM_RING_TARGET_PAUSED
                                    : XEN_VM_RING_TARGET_RUNNING;
        target->shutdown_reason = 0;
    }
    if (!error)
        note_unpaused(target, &info);
}

bool target_is_suspended(const struct target *target)
{
    return target->state == XEN_VM_RING_TARGET_SHUTDOWN &&
           target->shutdown_reason == XEN_VM_RING_SHUTDOWN_SUSPEND;
}

bool target_is_dead(const struct target *target)
{
    return target->state == XEN_VM_RING_TARGET_DESTROYED;
}

/* ----------------------------------------------------- not permitted -- */

/* The label that Xen's security module has for it, if it has any. */
static void find_label(struct target *target, char *label, size_t len)
{
    struct domain_info info;

    label[0] = '\0';
    if (target_get_info(target, &info) < 0 ||
        xc_flask_sid_to_context(target->xen.xch, (int)info.sid, label,
                                (uint32_t)len - 1) < 0)
        label[0] = '\0';
    label[len - 1] = '\0';
}

static void say_policy(struct target *target, const char *permission)
{
    char label[128];

    find_label(target, label, sizeof(label));
    if (label[0])
        bridge_log(LOG_ERR,
                   "Xen's security policy (XSM) refuses %s of %s, whose label "
                   "is %s; allow this domain's label that",
                   permission, target->name, label);
    else
        bridge_log(LOG_ERR,
                   "Xen refuses %s of %s: run this in dom0; if this is dom0, "
                   "Xen's security policy (XSM) must allow its label that ('xl "
                   "list -Z' shows labels)",
                   permission, target->name);
}

int target_not_permitted(struct target *target, const char *permission)
{
    if (geteuid() != 0) {
        bridge_log(LOG_ERR, "Xen does not permit it; run this as root in dom0");
        return EXIT_PERMISSION;
    }
    say_policy(target, permission);
    return EXIT_PERMISSION;
}
