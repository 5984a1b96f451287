/* SPDX-License-Identifier: MIT */
/*
 * monitor_ring.c: taking the legacy ring into use, and giving it back.
 *
 * Xen makes a ring of a page at a frame of the guest.  A page that the guest
 * has had before may be granted, and so mapped, elsewhere; so the domain is
 * paused, a fresh page comes to a frame where nothing was, Xen takes it, and it
 * is taken from the guest again.
 *
 * On x86 that is not done by giving the page back.  Of a domain that is
 * populated on demand Xen keeps what is given back, clears it and hands it to
 * the guest where that lacks a page (p2m_pod_decrease_reservation()): the
 * guest would have the ring.  But Xen frees what is at a frame that another
 * page is moved to.  The page that every domain is built with for a ring goes
 * there and back, and all memory is as it was found, in each mode of memory.
 *
 * A guest that puts pages of its own wherever there might be a free frame gets
 * its ring in place, as on arm: it cannot keep an agent away.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "monitor.h"

#include <xen/hvm/params.h>

#define PAGE_KB 4

/* How far below the ring's frame a free one is looked for. */
#define NEAR 64

/* ------------------------------------------------------------ frames -- */

static int give_back(struct monitor *monitor, xen_pfn_t gfn)
{
    return xc_domain_decrease_reservation_exact(monitor->xch, monitor->domid, 1,
                                                0, &gfn);
}

static int populate(struct monitor *monitor, xen_pfn_t gfn)
{
    return xc_domain_populate_physmap_exact(monitor->xch, monitor->domid, 1, 0,
                                            0, &gfn);
}

/* libxenctrl has a function for this, and does not declare it. */
static bool is_free(struct monitor *monitor, xen_pfn_t gfn)
{
    xen_pfn_t *type = xencall_alloc_buffer(monitor->xcall, sizeof(*type));
    struct xen_domctl domctl;
    bool free;

    if (!type)
        return false;
    *type = gfn;
    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_getpageframeinfo3;
    domctl.u.getpageframeinfo3.num = 1;
    set_xen_guest_handle_raw(domctl.u.getpageframeinfo3.array, type);
    free = monitor_domctl(monitor, &domctl) == 0 &&
           (*type & XEN_DOMCTL_PFINFO_LTAB_MASK) == XEN_DOMCTL_PFINFO_XTAB;
    xencall_free_buffer(monitor->xcall, type);
    return free;
}

/*
 * Where the toolstack has its own frames, below 4 GiB, is neither memory that
 * is populated on demand, which a look would populate, nor a device.
 */
static xen_pfn_t find_free(struct monitor *monitor)
{
    for (xen_pfn_t below = 1; below <= NEAR; below++) {
        xen_pfn_t gfn = monitor->ring_gfn - below;

        if (below < monitor->ring_gfn && is_free(monitor, gfn))
            return gfn;
    }
    return 0;
}

static int move(struct monitor *monitor, xen_pfn_t from, xen_pfn_t to)
{
    return xc_domain_add_to_physmap(monitor->xch, monitor->domid,
                                    XENMAPSPACE_gmfn, from, to);
}

/* Does Xen keep what is given back? */
static bool keeps_pages(struct monitor *monitor)
{
    uint64_t total, cached, lacking;

    return xc_domain_get_pod_target(monitor->xch, monitor->domid, &total,
                                    &cached, &lacking) == 0 &&
           lacking > cached;
}

/* ----------------------------------------------------------- maximum -- */

/*
 * By one page, so that one more can be populated, and so that the guest can
 * have as many beside it as without.
 */
static void raise_maximum(struct monitor *monitor)
{
    struct domain_info info;
    uint64_t pages;

    if (monitor_get_info(monitor, &info) < 0)
        return;
    pages = info.max_pages;
    /* It has more than its maximum if it did not balloon down when told. */
    if (pages < info.nr_pages)
        pages = info.nr_pages;
    if (xc_domain_setmaxmem(monitor->xch, monitor->domid,
                            (pages + 1) * PAGE_KB) < 0)
        return;
    /* Not ours, or what a bridge that was killed has made of it. */
    if (info.max_pages * PAGE_KB != monitor->raised_max_kb)
        monitor->found_max_kb = info.max_pages * PAGE_KB;
    monitor->raised_max_kb = (pages + 1) * PAGE_KB;
    monitor_note(monitor);
}

static void lower_maximum(struct monitor *monitor)
{
    struct domain_info info;

    /* Whoever has changed it meanwhile meant what he set. */
    if (monitor->raised_max_kb && monitor_get_info(monitor, &info) == 0 &&
        info.max_pages * PAGE_KB == monitor->raised_max_kb)
        xc_domain_setmaxmem(monitor->xch, monitor->domid,
                            monitor->found_max_kb);
    monitor->raised_max_kb = 0;
    monitor_note(monitor);
}

/* ----------------------------------------------------- the ring's page -- */

static bool is_arm(const struct monitor *monitor)
{
    return monitor->arch == XEN_VM_RING_ARCH_ARM;
}

/* Xen looks for the ring where the parameter says, now only. */
static int enable_at(struct monitor *monitor, xen_pfn_t gfn, uint32_t *port)
{
    struct xen_domctl domctl;
    int rc;

    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_vm_event_op;
    domctl.u.vm_event_op.op = XEN_VM_EVENT_ENABLE;
    domctl.u.vm_event_op.mode = XEN_DOMCTL_VM_EVENT_OP_MONITOR;
    if (gfn != monitor->ring_gfn &&
        xc_hvm_param_set(monitor->xch, monitor->domid,
                         HVM_PARAM_MONITOR_RING_PFN, gfn) < 0)
        return -errno;
    rc = monitor_domctl(monitor, &domctl);
    *port = domctl.u.vm_event_op.u.enable.port;
    if (gfn != monitor->ring_gfn)
        xc_hvm_param_set(monitor->xch, monitor->domid,
                         HVM_PARAM_MONITOR_RING_PFN, monitor->ring_gfn);
    return rc;
}

/*
 * What a bridge that was killed amid this has left: the parameter elsewhere,
 * and its fresh page, or the one that was built for a ring, where none was.
 * No ring is enabled.
 */
static void tidy(struct monitor *monitor)
{
    xen_pfn_t fresh = monitor->fresh_gfn, its = monitor->ring_gfn;

    if (!fresh)
        return;
    xc_hvm_param_set(monitor->xch, monitor->domid, HVM_PARAM_MONITOR_RING_PFN,
                     its);
    if (!is_free(monitor, fresh) &&
        (!is_free(monitor, its) || move(monitor, fresh, its) < 0))
        (void)give_back(monitor, fresh);
    monitor_note_fresh(monitor, 0);
}

/* Nothing is there to enable; who must not is told so first. */
static int may_enable(struct monitor *monitor, xen_pfn_t gfn)
{
    bool left = monitor->fresh_gfn != 0;
    uint32_t port;
    int rc;

    if (!left)
        monitor_note_fresh(monitor, gfn);
    rc = enable_at(monitor, gfn, &port);
    if (rc == -EBUSY || rc == -EPERM || rc == -EACCES) {
        if (!left)
            monitor_note_fresh(monitor, 0);
        errno = -rc;
        return -1;
    }
    if (left) {
        tidy(monitor);
        monitor_note_fresh(monitor, gfn);
    }
    return 0;
}

/*
 * On arm nothing is populated on demand, and no page can be moved.  Nor is one
 * where there is no free frame; what is given back must not be kept then.
 */
static int bring_page(struct monitor *monitor, xen_pfn_t *gfn)
{
    *gfn = is_arm(monitor) ? 0 : find_free(monitor);
    monitor->in_place = !*gfn;
    if (monitor->in_place && !is_arm(monitor) && keeps_pages(monitor)) {
        errno = EXDEV;
        return -1;
    }
    if (monitor->in_place) {
        *gfn = monitor->ring_gfn;
        monitor->had_page = give_back(monitor, *gfn) == 0;
    } else if (may_enable(monitor, *gfn) < 0) {
        return -1;
    }
    raise_maximum(monitor);
    if (populate(monitor, *gfn) < 0) {
        int error = errno;

        monitor_note_fresh(monitor, 0);
        errno = error;
        return -1;
    }
    return 0;
}

/*
 * The guest may have given up the page that was built for a ring: then there is
 * none to move, and one comes there if what is given back is kept.
 */
static int take_page(struct monitor *monitor, xen_pfn_t gfn)
{
    xen_pfn_t its = monitor->ring_gfn;

    if (monitor->in_place)
        return give_back(monitor, gfn);
    if (move(monitor, its, gfn) < 0) {
        if (!keeps_pages(monitor))
            return give_back(monitor, gfn);
        raise_maximum(monitor);
        if (populate(monitor, its) < 0 || move(monitor, its, gfn) < 0)
            return -1;
    }
    return move(monitor, gfn, its);
}

/* What the guest had when the ring is no longer in use. */
static void restore(struct monitor *monitor)
{
    if (monitor->in_place && monitor->had_page)
        (void)populate(monitor, monitor->ring_gfn);
    monitor->had_page = false;
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
        return monitor_not_permitted(monitor, "domain2 { vm_event }");
    case ESRCH:
        log_line(LOG_ERR, "%s is gone", monitor->name);
        return EXIT_NO_TARGET;
    case EXDEV:
        log_line(LOG_ERR,
                 "cannot enable the monitor of %s: its memory is populated on "
                 "demand, and it has pages at each frame that a ring could "
                 "take; let it balloon down first",
                 monitor->name);
        return EXIT_UNSUPPORTED;
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

static int map_and_enable(struct monitor *monitor, xen_pfn_t gfn,
                          uint32_t *port)
{
    void *page =
        xc_map_foreign_range(monitor->xch, monitor->domid, XC_PAGE_SIZE,
                             PROT_READ | PROT_WRITE, gfn);
    int rc;

    if (!page)
        return errno ? errno : EIO;
    memset(page, 0, XC_PAGE_SIZE);
    rc = enable_at(monitor, gfn, port);
    if (rc == 0 && take_page(monitor, gfn) < 0) {
        rc = errno ? -errno : -EIO;
        xc_monitor_disable(monitor->xch, monitor->domid);
    }
    if (rc < 0)
        munmap(page, XC_PAGE_SIZE);
    else
        monitor->page = page;
    return -rc;
}

/* Called with the domain paused.  0 or errno; `port` is the remote one. */
static int enable_on_fresh_page(struct monitor *monitor, uint32_t *port)
{
    uint64_t ring_gfn = 0;
    xen_pfn_t gfn;
    int error;

    if (xc_hvm_param_get(monitor->xch, monitor->domid,
                         HVM_PARAM_MONITOR_RING_PFN, &ring_gfn) < 0)
        return errno;
    if (!ring_gfn)
        return EOPNOTSUPP;
    /* Unless it was noted, and may be elsewhere now. */
    if (!monitor->fresh_gfn)
        monitor->ring_gfn = ring_gfn;
    if (bring_page(monitor, &gfn) < 0) {
        error = errno;
    } else {
        error = map_and_enable(monitor, gfn, port);
        if (error)
            take_page(monitor, gfn);
        monitor_note_fresh(monitor, 0);
    }
    if (error)
        restore(monitor);
    return error;
}

int monitor_enable(struct monitor *monitor)
{
    xenmem_access_t access;
    uint32_t port = 0;
    int error;

    if (monitor_hold(monitor) < 0)
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
    monitor_release(monitor);
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
    restore(monitor);
    return 0;
}

int monitor_take_back(struct monitor *monitor)
{
    uint64_t gfn = 0;
    int error = 0;

    if (xc_hvm_param_get(monitor->xch, monitor->domid,
                         HVM_PARAM_MONITOR_RING_PFN, &gfn) < 0 ||
        xc_monitor_disable(monitor->xch, monitor->domid) < 0)
        error = errno;
    /* EINVAL: it was killed before it had a ring. */
    if (error && error != EINVAL)
        return -error;
    /* Every domain is built with one there, and libxenctrl drops it. */
    if (monitor->fresh_gfn)
        gfn = monitor->ring_gfn;
    tidy(monitor);
    if (!error && is_free(monitor, gfn))
        (void)populate(monitor, gfn);
    lower_maximum(monitor);
    return -error;
}
