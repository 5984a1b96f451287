/* SPDX-License-Identifier: MIT */
/*
 * monitor_ring.c: taking the legacy ring into use, and giving it back.
 *
 * The ring is a page at a GFN of the guest.  A page that the guest has had
 * before may be granted, and so mapped, elsewhere; so under pause it is
 * dropped and libxc populates a fresh one (xc_vm_event_enable()).  A guest at
 * its maximum would make that fail, so the maximum is raised by one page
 * while the ring is in use.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "monitor.h"

#include <xen/hvm/params.h>

#define PAGE_KB 4

/* Fails, without harm, if there is none. */
static int drop_page(struct monitor *monitor)
{
    return xc_domain_decrease_reservation_exact(monitor->xch, monitor->domid, 1,
                                                0, &monitor->ring_gfn);
}

static void raise_maximum(struct monitor *monitor)
{
    xc_dominfo_t info;
    uint64_t max_kb;

    if (xc_domain_getinfo(monitor->xch, monitor->domid, 1, &info) != 1 ||
        info.domid != monitor->domid ||
        info.nr_pages < info.max_memkb / PAGE_KB)
        return;
    /* It has more than its maximum if it did not balloon down when told. */
    max_kb = ((uint64_t)info.nr_pages + 1) * PAGE_KB;
    if (xc_domain_setmaxmem(monitor->xch, monitor->domid, max_kb) < 0)
        return;
    monitor->raised_max_kb = max_kb;
    monitor->found_max_kb = info.max_memkb;
}

static void lower_maximum(struct monitor *monitor)
{
    xc_dominfo_t info;

    /* Whoever has changed it meanwhile meant what he set. */
    if (monitor->raised_max_kb &&
        xc_domain_getinfo(monitor->xch, monitor->domid, 1, &info) == 1 &&
        info.domid == monitor->domid &&
        info.max_memkb == monitor->raised_max_kb)
        xc_domain_setmaxmem(monitor->xch, monitor->domid,
                            monitor->found_max_kb);
    monitor->raised_max_kb = 0;
}

/* Puts the guest's memory back as it was found. */
static void restore_page(struct monitor *monitor)
{
    drop_page(monitor); /* what libxc may have left there */
    if (monitor->had_page)
        (void)xc_domain_populate_physmap_exact(monitor->xch, monitor->domid, 1,
                                               0, 0, &monitor->ring_gfn);
    lower_maximum(monitor);
}

static int cannot_enable(struct monitor *monitor, int error)
{
    switch (error) {
    case EBUSY:
        log_line(LOG_ERR,
                 "%s has another vm_event consumer: end that one; if it was "
                 "killed, 'vmring-bridge --recover %u'",
                 monitor->name, monitor->domid);
        return EXIT_BUSY;
    case EPERM:
    case EACCES:
        log_line(LOG_ERR,
                 "Xen does not permit to monitor %s; run this as root "
                 "in dom0",
                 monitor->name);
        return EXIT_PERMISSION;
    case ESRCH:
        log_line(LOG_ERR, "%s is gone", monitor->name);
        return EXIT_NO_TARGET;
    case EOPNOTSUPP:
    case ENODEV:
    case ENOSYS:
        log_line(LOG_ERR, "Xen cannot monitor %s: %s", monitor->name,
                 strerror(error));
        return EXIT_UNSUPPORTED;
    default:
        log_line(LOG_ERR, "cannot enable the monitor of %s: %s", monitor->name,
                 strerror(error));
        return EXIT_FAULT;
    }
}

/* Called with the domain paused.  0 or errno; `port` is the remote one. */
static int enable_on_fresh_page(struct monitor *monitor, uint32_t *port)
{
    uint64_t gfn = 0;
    int error;

    if (xc_hvm_param_get(monitor->xch, monitor->domid,
                         HVM_PARAM_MONITOR_RING_PFN, &gfn) < 0)
        return errno;
    if (!gfn)
        return EOPNOTSUPP;
    monitor->ring_gfn = gfn;
    monitor->had_page = drop_page(monitor) == 0;
    raise_maximum(monitor);
    monitor->page = xc_monitor_enable(monitor->xch, monitor->domid, port);
    if (monitor->page)
        return 0;
    error = errno ? errno : EIO;
    restore_page(monitor);
    return error;
}

int monitor_enable(struct monitor *monitor)
{
    xenmem_access_t access;
    uint32_t port = 0;
    int error;

    if (xc_domain_pause(monitor->xch, monitor->domid) < 0)
        return cannot_enable(monitor, errno);
    error = enable_on_fresh_page(monitor, &port);
    if (!error) {
        legacy_ring_init(&monitor->ring, monitor->page);
        monitor->port =
            xenevtchn_bind_interdomain(monitor->xce, monitor->domid, port);
        if (monitor->port < 0)
            error = errno;
    }
    if (!error)
        monitor_start_rest(monitor);
    if (xc_domain_unpause(monitor->xch, monitor->domid) < 0)
        log_line(LOG_WARNING, "cannot unpause %s: %s; 'xl unpause' it",
                 monitor->name, strerror(errno));
    if (error) {
        if (monitor->page)
            monitor_disable(monitor);
        return cannot_enable(monitor, error);
    }
    monitor->enabled_at = monitor_now();
    /* Xen answers this only where it can restrict access to memory. */
    monitor->has_mem_access = xc_get_mem_access(monitor->xch, monitor->domid,
                                                ~UINT64_C(0), &access) == 0;
    return 0;
}

void monitor_detach(struct monitor *monitor)
{
    if (!monitor->page)
        return;
    munmap(monitor->page, XC_PAGE_SIZE);
    monitor->page = NULL;
    monitor->ring.shared = NULL;
    monitor->stats.enabled_ns = monitor_now() - monitor->enabled_at;
    if (monitor->full_since)
        monitor->stats.full_ns += monitor_now() - monitor->full_since;
    monitor->full_since = 0;
    if (monitor->port >= 0)
        xenevtchn_unbind(monitor->xce, (evtchn_port_t)monitor->port);
    monitor->port = -1;
}

int monitor_disable(struct monitor *monitor)
{
    if (xc_monitor_disable(monitor->xch, monitor->domid) < 0 && errno != ESRCH)
        return -errno;
    monitor_detach(monitor);
    restore_page(monitor);
    return 0;
}

int monitor_take_back(struct monitor *monitor)
{
    uint64_t gfn = 0;

    if (xc_hvm_param_get(monitor->xch, monitor->domid,
                         HVM_PARAM_MONITOR_RING_PFN, &gfn) < 0 ||
        xc_monitor_disable(monitor->xch, monitor->domid) < 0)
        return -errno;
    /* Every domain is built with one there; whether it had it, nobody knows. */
    monitor->ring_gfn = gfn;
    monitor->had_page = true;
    restore_page(monitor);
    return 0;
}
