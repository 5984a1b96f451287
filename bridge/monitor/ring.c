/* SPDX-License-Identifier: MIT */
/*
 * ring.c: taking the legacy ring into use, and giving it back.
 *
 * Xen makes a ring of a page at a frame of the guest.  A page that the guest
 * has had before may be granted to others, who have it mapped; so the domain is
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

#include "../../libvmring/base/clock.h"
#include "../../libvmring/vmring.h"
#include "../exit_status.h"
#include "../log.h"
#include "domctl.h"
#include "native_ring.h"
#include "pause.h"
#include "ring.h"

#include <xen/hvm/params.h>

#define PAGE_KB 4

/* How far below the ring's frame a free one is looked for. */
#define NEAR 64

/* ------------------------------------------------------------ frames -- */

static int give_back(struct ring *ring, xen_pfn_t gfn)
{
    return xc_domain_decrease_reservation_exact(
        ring->target->xen.xch, ring->target->domid, 1, 0, &gfn);
}

static int populate(struct ring *ring, xen_pfn_t gfn)
{
    return xc_domain_populate_physmap_exact(ring->target->xen.xch,
                                            ring->target->domid, 1, 0, 0, &gfn);
}

/* libxenctrl has a function for this, and does not declare it. */
static bool is_free(struct ring *ring, xen_pfn_t gfn)
{
    xen_pfn_t *type =
        xencall_alloc_buffer(ring->target->xen.xcall, sizeof(*type));
    struct xen_domctl domctl;
    bool free;

    if (!type)
        return false;
    *type = gfn;
    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_getpageframeinfo3;
    domctl.u.getpageframeinfo3.num = 1;
    set_xen_guest_handle_raw(domctl.u.getpageframeinfo3.array, type);
    free = domctl_call(&ring->target->xen, ring->target->domid, &domctl) == 0 &&
           (*type & XEN_DOMCTL_PFINFO_LTAB_MASK) == XEN_DOMCTL_PFINFO_XTAB;
    xencall_free_buffer(ring->target->xen.xcall, type);
    return free;
}

/*
 * Where the toolstack has its own frames, below 4 GiB, is neither memory that
 * is populated on demand, which a look would populate, nor a device.
 */
static xen_pfn_t find_free(struct ring *ring)
{
    for (xen_pfn_t below = 1; below <= NEAR; below++) {
        xen_pfn_t gfn = ring->lock->ring_gfn - below;

        if (below < ring->lock->ring_gfn && is_free(ring, gfn))
            return gfn;
    }
    return 0;
}

static int move(struct ring *ring, xen_pfn_t from, xen_pfn_t to)
{
    return xc_domain_add_to_physmap(ring->target->xen.xch, ring->target->domid,
                                    XENMAPSPACE_gmfn, from, to);
}

/* Does Xen keep what is given back? */
static bool keeps_pages(struct ring *ring)
{
    uint64_t total, cached, lacking;

    return xc_domain_get_pod_target(ring->target->xen.xch, ring->target->domid,
                                    &total, &cached, &lacking) == 0 &&
           lacking > cached;
}

/* ----------------------------------------------------------- maximum -- */

/*
 * By one page, so that one more can be populated, and so that the guest can
 * have as many beside it as without.
 */
static void raise_maximum(struct ring *ring)
{
    struct domain_info info;
    uint64_t pages;

    if (target_get_info(ring->target, &info) < 0)
        return;
    pages = info.max_pages;
    /* It has more than its maximum if it did not balloon down when told. */
    if (pages < info.nr_pages)
        pages = info.nr_pages;
    if (xc_domain_setmaxmem(ring->target->xen.xch, ring->target->domid,
                            (pages + 1) * PAGE_KB) < 0)
        return;
    /* Not ours, or what a bridge that was killed has made of it. */
    if (info.max_pages * PAGE_KB != ring->lock->raised_max_kb)
        ring->lock->found_max_kb = info.max_pages * PAGE_KB;
    ring->lock->raised_max_kb = (pages + 1) * PAGE_KB;
    lock_note(ring->lock);
}

static void lower_maximum(struct ring *ring)
{
    struct domain_info info;

    /* A maximum that was changed meanwhile stays as it was set. */
    if (ring->lock->raised_max_kb &&
        target_get_info(ring->target, &info) == 0 &&
        info.max_pages * PAGE_KB == ring->lock->raised_max_kb)
        xc_domain_setmaxmem(ring->target->xen.xch, ring->target->domid,
                            ring->lock->found_max_kb);
    ring->lock->raised_max_kb = 0;
    lock_note(ring->lock);
}

/* ----------------------------------------------------- the ring's page -- */

static bool is_arm(const struct ring *ring)
{
    return ring->target->arch == XEN_VM_RING_ARCH_ARM;
}

/* Xen looks for the ring where the parameter says, now only. */
static int enable_at(struct ring *ring, xen_pfn_t gfn, uint32_t *port)
{
    struct xen_domctl domctl;
    int rc;

    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_vm_event_op;
    domctl.u.vm_event_op.op = XEN_VM_EVENT_ENABLE;
    domctl.u.vm_event_op.mode = XEN_DOMCTL_VM_EVENT_OP_MONITOR;
    if (gfn != ring->lock->ring_gfn &&
        xc_hvm_param_set(ring->target->xen.xch, ring->target->domid,
                         HVM_PARAM_MONITOR_RING_PFN, gfn) < 0)
        return -errno;
    rc = domctl_call(&ring->target->xen, ring->target->domid, &domctl);
    *port = domctl.u.vm_event_op.u.enable.port;
    if (gfn != ring->lock->ring_gfn)
        xc_hvm_param_set(ring->target->xen.xch, ring->target->domid,
                         HVM_PARAM_MONITOR_RING_PFN, ring->lock->ring_gfn);
    return rc;
}

/*
 * Puts back what a bridge that was killed amid this has left: the parameter
 * elsewhere, and its fresh page, or the one built for a ring, where none was.
 * No ring is enabled.
 */
static void tidy(struct ring *ring)
{
    xen_pfn_t fresh = ring->lock->fresh_gfn, its = ring->lock->ring_gfn;

    if (!fresh)
        return;
    xc_hvm_param_set(ring->target->xen.xch, ring->target->domid,
                     HVM_PARAM_MONITOR_RING_PFN, its);
    if (!is_free(ring, fresh) &&
        (!is_free(ring, its) || move(ring, fresh, its) < 0))
        (void)give_back(ring, fresh);
    lock_note_fresh(ring->lock, 0);
}

/* Refuses a bridge that must not enable the ring, and names the reason. */
static int may_enable(struct ring *ring, xen_pfn_t gfn)
{
    bool left = ring->lock->fresh_gfn != 0;
    uint32_t port;
    int rc;

    if (!left)
        lock_note_fresh(ring->lock, gfn);
    rc = enable_at(ring, gfn, &port);
    if (rc == -EBUSY || rc == -EPERM || rc == -EACCES || rc == -ENXIO) {
        if (!left)
            lock_note_fresh(ring->lock, 0);
        errno = -rc;
        return -1;
    }
    if (left) {
        tidy(ring);
        lock_note_fresh(ring->lock, gfn);
    }
    return 0;
}

/*
 * On arm nothing is populated on demand, and no page can be moved.  Nor is one
 * where there is no free frame; what is given back must not be kept then.
 */
static int bring_page(struct ring *ring, xen_pfn_t *gfn)
{
    *gfn = is_arm(ring) ? 0 : find_free(ring);
    ring->in_place = !*gfn;
    if (ring->in_place && !is_arm(ring) && keeps_pages(ring)) {
        errno = EXDEV;
        return -1;
    }
    if (ring->in_place) {
        *gfn = ring->lock->ring_gfn;
        ring->had_page = give_back(ring, *gfn) == 0;
    } else if (may_enable(ring, *gfn) < 0) {
        return -1;
    }
    raise_maximum(ring);
    if (populate(ring, *gfn) < 0) {
        int error = errno;

        lock_note_fresh(ring->lock, 0);
        errno = error;
        return -1;
    }
    return 0;
}

/*
 * The guest may have given up the page that was built for a ring: then there is
 * none to move, and one comes there if what is given back is kept.
 */
static int take_page(struct ring *ring, xen_pfn_t gfn)
{
    xen_pfn_t its = ring->lock->ring_gfn;

    if (ring->in_place)
        return give_back(ring, gfn);
    if (move(ring, its, gfn) < 0) {
        if (!keeps_pages(ring))
            return give_back(ring, gfn);
        raise_maximum(ring);
        if (populate(ring, its) < 0 || move(ring, its, gfn) < 0)
            return -1;
    }
    return move(ring, gfn, its);
}

/* The ring is no longer in use: the guest gets back what it had. */
static void restore(struct ring *ring)
{
    if (ring->in_place && ring->had_page)
        (void)populate(ring, ring->lock->ring_gfn);
    ring->had_page = false;
    lower_maximum(ring);
}

static int cannot_enable(struct ring *ring, int error)
{
    switch (error) {
    case EBUSY:
        if (has_native_ring(ring->target))
            return EXIT_BUSY;
        bridge_log(LOG_ERR,
                   "%s has another vm_event consumer: end that one; if it was "
                   "killed, 'vmring-bridge --recover %u'",
                   ring->target->name, ring->target->domid);
        return EXIT_BUSY;
    case EPERM:
    case EACCES:
        return target_not_permitted(ring->target, "domain2 { vm_event }");
    case ESRCH:
        bridge_log(LOG_ERR, "%s is gone", ring->target->name);
        return EXIT_NO_TARGET;
    case EXDEV:
        bridge_log(
            LOG_ERR,
            "cannot enable the monitor of %s: its memory is populated on "
            "demand, and it has pages at each frame that a ring could "
            "take; let it balloon down first",
            ring->target->name);
        return EXIT_UNSUPPORTED;
    case ENXIO:
        bridge_log(LOG_ERR,
                   "this Xen has no legacy ring for a bridge, as it is the "
                   "producer itself: 'vmring-agent %u'",
                   ring->target->domid);
        return EXIT_UNSUPPORTED;
    case EOPNOTSUPP:
    case ENODEV:
    case ENOSYS:
        bridge_log(LOG_ERR, "Xen cannot monitor %s: %s", ring->target->name,
                   strerror(error));
        return EXIT_UNSUPPORTED;
    default:
        bridge_log(LOG_ERR, "cannot enable the monitor of %s: %s",
                   ring->target->name, strerror(error));
        return EXIT_FAULT;
    }
}

static int map_and_enable(struct ring *ring, xen_pfn_t gfn, uint32_t *port)
{
    void *page =
        xc_map_foreign_range(ring->target->xen.xch, ring->target->domid,
                             XC_PAGE_SIZE, PROT_READ | PROT_WRITE, gfn);
    int rc;

    if (!page)
        return errno ? errno : EIO;
    memset(page, 0, XC_PAGE_SIZE);
    rc = enable_at(ring, gfn, port);
    if (rc == 0 && take_page(ring, gfn) < 0) {
        rc = errno ? -errno : -EIO;
        xc_monitor_disable(ring->target->xen.xch, ring->target->domid);
    }
    if (rc < 0)
        munmap(page, XC_PAGE_SIZE);
    else
        ring->page = page;
    return -rc;
}

/* Called with the domain paused.  0 or errno; `port` is the remote one. */
static int enable_on_fresh_page(struct ring *ring, uint32_t *port)
{
    uint64_t ring_gfn = 0;
    xen_pfn_t gfn;
    int error;

    if (xc_hvm_param_get(ring->target->xen.xch, ring->target->domid,
                         HVM_PARAM_MONITOR_RING_PFN, &ring_gfn) < 0)
        return errno;
    if (!ring_gfn)
        return EOPNOTSUPP;
    /* Unless it was noted, and may be elsewhere now. */
    if (!ring->lock->fresh_gfn)
        ring->lock->ring_gfn = ring_gfn;
    if (bring_page(ring, &gfn) < 0) {
        error = errno;
    } else {
        error = map_and_enable(ring, gfn, port);
        if (error)
            take_page(ring, gfn);
        lock_note_fresh(ring->lock, 0);
    }
    if (error)
        restore(ring);
    return error;
}

/* 0 or errno. */
static int enable_and_bind(struct ring *ring)
{
    uint32_t port = 0;
    int error = -pause_domain(ring->target, ring->lock);

    if (error)
        return error;
    error = enable_on_fresh_page(ring, &port);
    if (!error) {
        legacy_ring_init(&ring->legacy, ring->page);
        ring->port = xenevtchn_bind_interdomain(ring->target->xen.xce,
                                                ring->target->domid, port);
        if (ring->port < 0)
            error = errno;
    }
    if (!error)
        quiesce_start(ring->quiesce);
    pause_release(ring->target, ring->lock);
    if (error && ring->page)
        ring_disable(ring);
    return error;
}

int ring_enable(struct ring *ring)
{
    xenmem_access_t access;
    int error = enable_and_bind(ring);

    if (error == EBUSY && native_ring_is_over(ring->target))
        error = enable_and_bind(ring);
    if (error)
        return cannot_enable(ring, error);
    ring->enabled_at = clock_ns();
    /* Xen answers this only where it can restrict access to memory. */
    ring->target->has_mem_access =
        xc_get_mem_access(ring->target->xen.xch, ring->target->domid,
                          ~UINT64_C(0), &access) == 0;
    return 0;
}

void ring_detach(struct ring *ring)
{
    if (!ring->page)
        return;
    munmap(ring->page, XC_PAGE_SIZE);
    ring->page = NULL;
    ring->legacy.shared = NULL;
    ring->enabled_ns = clock_ns() - ring->enabled_at;
    if (ring->full_since)
        ring->full_ns += clock_ns() - ring->full_since;
    ring->full_since = 0;
    if (ring->port >= 0)
        xenevtchn_unbind(ring->target->xen.xce, (evtchn_port_t)ring->port);
    ring->port = -1;
}

int ring_disable(struct ring *ring)
{
    if (xc_monitor_disable(ring->target->xen.xch, ring->target->domid) < 0 &&
        errno != ESRCH)
        return -errno;
    ring_detach(ring);
    restore(ring);
    return 0;
}

int ring_take_back(struct ring *ring)
{
    uint64_t gfn = 0;
    int error = 0;

    if (xc_hvm_param_get(ring->target->xen.xch, ring->target->domid,
                         HVM_PARAM_MONITOR_RING_PFN, &gfn) < 0 ||
        xc_monitor_disable(ring->target->xen.xch, ring->target->domid) < 0)
        error = errno;
    /* EINVAL: it was killed before it had a ring. */
    if (error && error != EINVAL)
        return -error;
    /* Every domain is built with one there, and libxenctrl drops it. */
    if (ring->lock->fresh_gfn)
        gfn = ring->lock->ring_gfn;
    tidy(ring);
    if (!error && is_free(ring, gfn))
        (void)populate(ring, gfn);
    lower_maximum(ring);
    return -error;
}

void ring_note_fullness(struct ring *ring)
{
    bool full = legacy_ring_unanswered(&ring->legacy) >= LEGACY_RING_ENTRIES;

    if (full && !ring->full_since) {
        ring->full_since = clock_ns();
    } else if (!full && ring->full_since) {
        ring->full_ns += clock_ns() - ring->full_since;
        ring->full_since = 0;
    }
}
