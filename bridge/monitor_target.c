/* SPDX-License-Identifier: MIT */
/* monitor_target.c: finding the domain, and seeing its end. */
#include <ctype.h>
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

static void find_name(struct monitor *monitor)
{
    char path[64];
    char *name;

    snprintf(monitor->name, sizeof(monitor->name), "domain %u", monitor->domid);
    if (!monitor->xs)
        return;
    snprintf(path, sizeof(path), "/local/domain/%u/name", monitor->domid);
    name = xs_read(monitor->xs, XBT_NULL, path, NULL);
    if (name && *name) {
        snprintf(monitor->name, sizeof(monitor->name), "domain %u (%.40s)",
                 monitor->domid, name);
        for (char *c = monitor->name; *c; c++) {
            if (!isprint((unsigned char)*c))
                *c = '?';
        }
    }
    free(name);
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

static int check_target(struct monitor *monitor, const xc_dominfo_t *info)
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
        (monitor->arch == XEN_VM_RING_ARCH_X86 && !info->hvm)) {
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

static int get_info(struct monitor *monitor, xc_dominfo_t *info)
{
    int nr = xc_domain_getinfo(monitor->xch, monitor->domid, 1, info);

    if (nr < 0)
        return -errno;
    return nr == 1 && info->domid == monitor->domid ? 0 : -ESRCH;
}

int monitor_find_target(struct monitor *monitor, const char *target)
{
    xc_dominfo_t info;
    long domid;
    int error;

    /* Without xenstore there are no names, and the end is seen by polling. */
    monitor->xs = xs_open(0);
    domid = domain_find(monitor->xs, target);
    if (domid == NO_DOMAIN) {
        log_line(LOG_ERR, "no domain is called '%s'; 'xl list' shows them",
                 target);
        return EXIT_NO_TARGET;
    }
    monitor->domid = (uint32_t)domid;
    find_name(monitor);
    error = get_info(monitor, &info);
    if (error == -EACCES || error == -EPERM)
        return monitor_not_permitted(monitor, "domain { getdomaininfo }");
    if (error < 0) {
        log_line(LOG_ERR, "there is no domain %u; 'xl list' shows them",
                 monitor->domid);
        return EXIT_NO_TARGET;
    }
    monitor->nr_vcpus = info.max_vcpu_id + 1;
    monitor->arch = host_arch();
    monitor->is_intel = cpu_is_intel();
    if (monitor->xs && !xs_watch(monitor->xs, "@releaseDomain", "end")) {
        xs_close(monitor->xs);
        monitor->xs = NULL;
    }
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

void monitor_look_at_target(struct monitor *monitor)
{
    xc_dominfo_t info;
    int error = get_info(monitor, &info);

    monitor->looked_at = monitor_now();
    if (error == -ESRCH || (!error && info.dying)) {
        monitor->target_state = XEN_VM_RING_TARGET_DESTROYED;
    } else if (!error && (info.shutdown || info.crashed)) {
        /* xc_domain_getinfo() takes `shutdown` back for a crashed one. */
        monitor->target_state = XEN_VM_RING_TARGET_SHUTDOWN;
        monitor->shutdown_reason = info.shutdown_reason;
    } else if (!error) {
        monitor->target_state = info.paused ? XEN_VM_RING_TARGET_PAUSED
                                            : XEN_VM_RING_TARGET_RUNNING;
        monitor->shutdown_reason = 0;
    }
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
