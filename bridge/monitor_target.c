/* SPDX-License-Identifier: MIT */
/* monitor_target.c: finding the domain, and seeing its end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "domain.h"
#include "monitor.h"
#include "store.h"

/*
 * `found` is what xenstore calls it, or "": any bytes, which whoever shows them
 * makes visible.
 */
static void call_it(struct monitor *monitor, const char *found)
{
    char *title = monitor->title;

    snprintf(monitor->name, sizeof(monitor->name), "domain %u", monitor->domid);
    snprintf(title, sizeof(monitor->title), "%s", monitor->name);
    if (!*found)
        return;
    snprintf(monitor->name, sizeof(monitor->name), "domain %u (%.40s)",
             monitor->domid, found);
    snprintf(title, sizeof(monitor->title), "%.40s, domain %u", found,
             monitor->domid);
}

/* ------------------------------------------------------- what it can do -- */

static bool cpu_is_intel(void)
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned int eax, ebx, ecx, edx;

    return __get_cpuid(0, &eax, &ebx, &ecx, &edx) &&
           ebx == signature_INTEL_ebx && edx == signature_INTEL_edx &&
           ecx == signature_INTEL_ecx;
#else
    return false;
#endif
}

static uint32_t host_arch(void)
{
#if defined(__aarch64__) || defined(__arm__)
    return XEN_VM_RING_ARCH_ARM;
#else
    return XEN_VM_RING_ARCH_X86;
#endif
}

static int check_target(struct monitor *monitor, const struct domain_info *info)
{
    int version = xc_vm_event_get_version(monitor->xch);

    if (info->dying) {
        log_line(LOG_ERR, "%s is being destroyed; start it again",
                 monitor->name);
        return EXIT_NO_TARGET;
    }
    if (version != VM_EVENT_INTERFACE_VERSION) {
        log_line(LOG_ERR,
                 "this Xen has version %d of vm_event, this program %d; build "
                 "it for this Xen",
                 version, VM_EVENT_INTERFACE_VERSION);
        return EXIT_UNSUPPORTED;
    }
    if (monitor->domid == 0 ||
        (monitor->arch == XEN_VM_RING_ARCH_X86 && !info->is_hvm)) {
        log_line(LOG_ERR,
                 "%s is a PV domain, which Xen cannot monitor; make it PVH or "
                 "HVM",
                 monitor->name);
        return EXIT_UNSUPPORTED;
    }
    if (xc_monitor_get_capabilities(monitor->xch, monitor->domid,
                                    &monitor->capabilities) < 0) {
        log_line(LOG_ERR, "%s has no monitor: %s", monitor->name,
                 strerror(errno));
        return EXIT_UNSUPPORTED;
    }
    return 0;
}

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
int monitor_get_info(struct monitor *monitor, struct domain_info *info)
{
    const struct xen_domctl_getdomaininfo *found;
    struct xen_domctl domctl;
    int rc;

    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_getdomaininfo;
    rc = monitor_domctl(monitor, &domctl);
    if (rc < 0)
        return rc;
    found = &domctl.u.getdomaininfo;
    /* Until Xen 4.17 it is the next one if there is none of that id. */
    if (found->domain != monitor->domid)
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

static int no_names(const char *name, int err)
{
    if (err == -ETIMEDOUT)
        log_line(LOG_ERR,
                 "xenstored does not answer within %d s, so no domain is found "
                 "by its name, '%s'; look whether it runs, or give an id",
                 STORE_MS / 1000, name);
    else
        log_line(LOG_ERR,
                 "cannot ask xenstore (%s), so no domain is found by its name, "
                 "'%s'; look whether xenstored runs, or give an id",
                 strerror(-err), name);
    return EXIT_NO_TARGET;
}

/*
 * Of those that xenstore has under that name the one that Xen has: nodes of
 * domains that have gone may be left in it.
 */
static int find_by_name(struct monitor *monitor, struct store *store,
                        const char *name)
{
    struct store_namesakes found;
    int err = store_find(store, name, &found);
    bool is_dying = false;
    struct domain_info info;

    if (err)
        return no_names(name, err);
    for (unsigned int i = 0; i < found.nr; i++) {
        uint32_t domid = monitor->domid;

        monitor->domid = found.of[i].domid;
        err = monitor_get_info(monitor, &info);
        if (err != -ESRCH && (err || !info.dying))
            return 0;
        is_dying |= !err;
        if (err)
            monitor->domid = domid;
    }
    if (is_dying)
        return 0; /* which is said of it */
    log_line(LOG_ERR, "no domain is called '%s'; 'xl list' shows them", name);
    return EXIT_NO_TARGET;
}

static int find_it(struct monitor *monitor, struct store *store,
                   const char *text)
{
    char name[STORE_NAME];
    int status = 0;

    if (!domain_is_id(text, &monitor->domid))
        status = find_by_name(monitor, store, text);
    if (status)
        return status;
    if (store_watch(store, monitor->domid, name) < 0)
        log_line(LOG_WARNING,
                 "xenstore does not answer; domain %u goes without its name, "
                 "and its end is seen by asking Xen",
                 monitor->domid);
    call_it(monitor, name);
    return 0;
}

int monitor_find_target(struct monitor *monitor,
                        const struct source_start *start)
{
    /* Without xenstore there are no names, and the end is seen by polling. */
    struct store *store = store_open();
    int status = find_it(monitor, store, domain_text(start->target));
    struct domain_info info;
    int error;

    monitor->xs = store_take(store);
    if (status)
        return status;
    error = monitor_get_info(monitor, &info);
    if (error == -EACCES || error == -EPERM)
        return monitor_not_permitted(monitor, "domain { getdomaininfo }");
    if (error < 0) {
        log_line(LOG_ERR, "there is no domain %u; 'xl list' shows them",
                 monitor->domid);
        return EXIT_NO_TARGET;
    }
    if (start->agents && monitor->domid == start->agents) {
        log_line(LOG_ERR,
                 "%s cannot watch itself: its vCPUs would wait for their own "
                 "verdicts; give another domain to --to",
                 monitor->name);
        return EXIT_USAGE;
    }
    status = monitor_wait_until_built(monitor, start->wait_s, &info);
    if (status)
        return status;
    monitor->nr_vcpus = info.nr_vcpus;
    monitor->has_devices = info.has_devices;
    monitor->arch = host_arch();
    monitor->is_intel = cpu_is_intel();
    return check_target(monitor, &info);
}

/* -------------------------------------------------------------- its end -- */

void monitor_read_watch(struct monitor *monitor)
{
    bool fired = false, lost;
    char **what;

    if (!monitor->xs)
        return;
    while ((what = xs_check_watch(monitor->xs)) != NULL) {
        fired = true;
        free(what);
    }
    lost = errno != EAGAIN;
    if (fired || lost)
        monitor->looked_at = 0;
    if (!lost)
        return;
    log_line(LOG_WARNING,
             "xenstore is lost; what becomes of %s is seen by asking Xen",
             monitor->name);
    epoll_ctl(monitor->epoll, EPOLL_CTL_DEL, xs_fileno(monitor->xs), NULL);
    xs_close(monitor->xs);
    monitor->xs = NULL;
}

/* The pause was ours; whoever took it away takes the next one of his own. */
static void note_unpaused(struct monitor *monitor,
                          const struct domain_info *info)
{
    if (!monitor->paused || info->paused || info->dying)
        return;
    monitor->paused = false;
    log_line(LOG_WARNING,
             "somebody has unpaused %s though a verdict is overdue: its other "
             "vCPUs run",
             monitor->name);
}

void monitor_look_at_target(struct monitor *monitor)
{
    struct domain_info info;
    int error = monitor_get_info(monitor, &info);

    monitor->looked_at = monitor_now();
    if (error == -ESRCH || (!error && info.dying)) {
        monitor->target_state = XEN_VM_RING_TARGET_DESTROYED;
    } else if (!error && info.shutdown) {
        monitor->target_state = XEN_VM_RING_TARGET_SHUTDOWN;
        monitor->shutdown_reason = info.shutdown_reason;
    } else if (!error) {
        monitor->target_state = info.paused ? XEN_VM_RING_TARGET_PAUSED
                                            : XEN_VM_RING_TARGET_RUNNING;
        monitor->shutdown_reason = 0;
    }
    if (!error)
        note_unpaused(monitor, &info);
}

bool monitor_is_suspended(const struct monitor *monitor)
{
    return monitor->target_state == XEN_VM_RING_TARGET_SHUTDOWN &&
           monitor->shutdown_reason == XEN_VM_RING_SHUTDOWN_SUSPEND;
}

bool monitor_is_dead(const struct monitor *monitor)
{
    return monitor->target_state == XEN_VM_RING_TARGET_DESTROYED;
}
