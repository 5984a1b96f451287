/* SPDX-License-Identifier: MIT */
/*
 * Description: the ring's page comes and goes, and leaves the guest's memory
 * and its maximum as they were, also where a guest has filled the frames around
 * it, where a bridge that was killed has left its mark, and where Xen has no
 * such ring, or one of its own.  Below xc_*() there is a guest's table of
 * frames.
 */
#include "bridge/monitor/ring.c"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include <xen/vm_ring_control.h>

#include "check.h"

#define NR_FRAMES 128
#define RING      100
#define NR_BUILT  50 /* pages, at the frames from 0, and the ring's own */

static struct {
    unsigned int at[NR_FRAMES]; /* which page; 0: none */
    unsigned int next, nr, max, ring;
    uint64_t param;
    uint64_t lacking;
    bool no_rings; /* its Xen has none */
    bool native;   /* it has one of Xen's own */
    int ending;    /* and that has ended, which so many looks find */
} guest;

static unsigned int page_of_ring;
static struct target target;
static struct lock lock;
static struct ring ring;
static uint64_t noted_found, noted_raised;

static int not_so(int error)
{
    errno = error;
    return -1;
}

int xc_domain_decrease_reservation_exact(xc_interface *xch, uint32_t domid,
                                         unsigned long nr, unsigned int order,
                                         xen_pfn_t *gfn)
{
    (void)xch, (void)domid, (void)nr, (void)order;
    if (!guest.at[*gfn])
        return not_so(EBUSY);
    guest.at[*gfn] = 0;
    guest.nr--;
    return 0;
}

int xc_domain_populate_physmap_exact(xc_interface *xch, uint32_t domid,
                                     unsigned long nr, unsigned int order,
                                     unsigned int flags, xen_pfn_t *gfn)
{
    (void)xch, (void)domid, (void)nr, (void)order, (void)flags;
    if (guest.nr >= guest.max)
        return not_so(ENOMEM);
    CHECK(!guest.at[*gfn]);
    guest.at[*gfn] = ++guest.next;
    guest.nr++;
    return 0;
}

int xc_domain_add_to_physmap(xc_interface *xch, uint32_t domid,
                             unsigned int space, unsigned long from,
                             xen_pfn_t to)
{
    (void)xch, (void)domid;
    CHECK_EQ(space, XENMAPSPACE_gmfn);
    if (!guest.at[from])
        return not_so(EINVAL);
    guest.nr -= guest.at[to] != 0;
    guest.at[to] = guest.at[from];
    guest.at[from] = 0;
    return 0;
}

int xc_domain_get_pod_target(xc_interface *xch, uint32_t domid, uint64_t *total,
                             uint64_t *cached, uint64_t *lacking)
{
    (void)xch, (void)domid;
    *total = *cached = 0;
    *lacking = guest.lacking;
    return 0;
}

int target_get_info(struct target *of, struct domain_info *info)
{
    (void)of;
    *info = (struct domain_info){.nr_pages = guest.nr, .max_pages = guest.max};
    return 0;
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid, uint64_t kb)
{
    (void)xch, (void)domid;
    guest.max = (unsigned int)(kb / 4);
    return 0;
}

int xc_hvm_param_set(xc_interface *xch, uint32_t domid, uint32_t param,
                     uint64_t value)
{
    (void)xch, (void)domid, (void)param;
    guest.param = value;
    return 0;
}

int xc_hvm_param_get(xc_interface *xch, uint32_t domid, uint32_t param,
                     uint64_t *value)
{
    (void)xch, (void)domid, (void)param;
    *value = guest.param;
    return 0;
}

int domctl_call(struct handles *xen, uint32_t domid, struct xen_domctl *domctl)
{
    (void)xen, (void)domid;
    if (domctl->cmd == XEN_DOMCTL_getpageframeinfo3) {
        xen_pfn_t *type = domctl->u.getpageframeinfo3.array.p;

        *type = guest.at[*type] ? 0 : XEN_DOMCTL_PFINFO_XTAB;
        return 0;
    }
    if (domctl->cmd == XEN_DOMCTL_vm_ring_op) {
        if (guest.ending)
            return guest.ending--, -EAGAIN;
        return guest.native ? 0 : -ENOENT;
    }
    if (guest.no_rings)
        return -ENXIO;
    if (guest.ring || guest.native || guest.ending)
        return -EBUSY;
    if (!guest.at[guest.param])
        return -EINVAL;
    guest.ring = guest.at[guest.param];
    return 0;
}

int xc_monitor_disable(xc_interface *xch, uint32_t domid)
{
    (void)xch, (void)domid;
    guest.ring = 0;
    return 0;
}

void *xc_map_foreign_range(xc_interface *xch, uint32_t domid, int size,
                           int prot, unsigned long gfn)
{
    (void)xch, (void)domid;
    page_of_ring = guest.at[gfn];
    return mmap(NULL, (size_t)size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int xc_get_mem_access(xc_interface *xch, uint32_t domid, uint64_t gfn,
                      xenmem_access_t *access)
{
    (void)xch, (void)domid, (void)gfn, (void)access;
    return -1;
}

int xc_domain_pause(xc_interface *xch, uint32_t domid)
{
    (void)xch, (void)domid;
    return 0;
}

int xc_domain_unpause(xc_interface *xch, uint32_t domid)
{
    (void)xch, (void)domid;
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce,
                                                     uint32_t domid,
                                                     evtchn_port_t port)
{
    (void)xce, (void)domid, (void)port;
    return 1;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
    (void)xce, (void)port;
    return 0;
}

void quiesce_start(struct quiesce *of)
{
    (void)of;
}

int target_not_permitted(struct target *of, const char *permission)
{
    (void)of, (void)permission;
    return EXIT_PERMISSION;
}

void lock_note(struct lock *of)
{
    noted_found = of->found_max_kb;
    noted_raised = of->raised_max_kb;
}

void lock_note_fresh(struct lock *of, xen_pfn_t gfn)
{
    of->fresh_gfn = gfn;
    lock_note(of);
}

int pause_domain(struct target *of, struct lock *held)
{
    (void)held;
    return xc_domain_pause(of->xen.xch, of->domid);
}

void pause_release(struct target *of, struct lock *held)
{
    (void)held;
    xc_domain_unpause(of->xen.xch, of->domid);
}

/* ---------------------------------------------------------------------- */

static void build(void)
{
    memset(&guest, 0, sizeof(guest));
    for (unsigned int i = 0; i < NR_BUILT; i++)
        guest.at[i] = ++guest.next;
    guest.at[RING] = ++guest.next;
    guest.nr = guest.max = NR_BUILT + 1;
    guest.param = RING;
    target = (struct target){.arch = XEN_VM_RING_ARCH_X86};
    lock = LOCK_NONE;
    ring = (struct ring){.target = &target, .lock = &lock, .port = -1};
}

/* None of the guest's frames has the ring's page, and what it had it has. */
static void attach(void)
{
    CHECK_EQ(ring_enable(&ring), 0);
    CHECK(guest.ring && guest.ring == page_of_ring);
    for (unsigned int i = 0; i < NR_FRAMES; i++)
        CHECK(guest.at[i] != guest.ring);
    CHECK_EQ(noted_raised, guest.max * UINT64_C(4));
}

static void leave(unsigned int nr, unsigned int max)
{
    CHECK_EQ(ring_disable(&ring), 0);
    CHECK_EQ(guest.nr, nr);
    CHECK_EQ(guest.max, max);
    CHECK_EQ(guest.param, RING);
    CHECK(guest.at[RING]);
    CHECK_EQ(noted_raised, 0);
}

static void as_it_was_found(void)
{
    build();
    for (int i = 0; i < 3; i++) {
        attach();
        leave(NR_BUILT + 1, NR_BUILT + 1);
    }
}

/* It has moved its own pages to each frame that is looked at. */
static void around_it_all_is_taken(void)
{
    build();
    for (unsigned int i = RING - NEAR; i < RING; i++)
        if (!guest.at[i])
            guest.at[i] = ++guest.next;
    for (unsigned int i = 0; i < RING - NEAR; i++)
        guest.at[i] = 0;
    guest.nr = guest.max = NEAR + 1;
    for (int i = 0; i < 3; i++) {
        attach();
        leave(NEAR + 1, NEAR + 1);
    }
    /* Xen would keep what is given back, and hand it out: the ring. */
    guest.lacking = 1;
    CHECK_EQ(ring_enable(&ring), EXIT_UNSUPPORTED);
    CHECK_EQ(guest.nr, NEAR + 1);
    CHECK_EQ(guest.max, NEAR + 1);
}

/* What lock.c reads, of a bridge that was killed. */
static void after_a_killed_one(void)
{
    build();
    attach();
    CHECK_EQ(ring_disable(&ring), 0);
    /* Its maximum is still raised. */
    guest.max = NR_BUILT + 2;
    lock.found_max_kb = (NR_BUILT + 1) * UINT64_C(4);
    lock.raised_max_kb = (NR_BUILT + 2) * UINT64_C(4);
    attach();
    CHECK_EQ(noted_found, (NR_BUILT + 1) * UINT64_C(4));
    leave(NR_BUILT + 1, NR_BUILT + 1);
    /* Somebody has set another since: that is what is found. */
    guest.max = 90;
    lock.found_max_kb = (NR_BUILT + 1) * UINT64_C(4);
    lock.raised_max_kb = (NR_BUILT + 2) * UINT64_C(4);
    attach();
    leave(NR_BUILT + 1, 90);
}

/* The guest keeps what it had, and never had a page more. */
static void no_ring_in_this_xen(void)
{
    unsigned int pages = NR_BUILT + 1;

    build();
    guest.no_rings = true;
    CHECK_EQ(ring_enable(&ring), EXIT_UNSUPPORTED);
    CHECK_EQ(guest.next, pages);
    CHECK_EQ(guest.nr, pages);
    CHECK_EQ(guest.max, pages);
    CHECK(guest.at[RING]);
    CHECK_EQ(lock.fresh_gfn, 0);
}

/* What is said when it cannot be enabled. */
static const char *refused(void)
{
    static char said[1024];
    FILE *file = tmpfile();
    int err = dup(STDERR_FILENO);
    size_t len;

    CHECK(file && err >= 0);
    fflush(stderr);
    CHECK(dup2(fileno(file), STDERR_FILENO) >= 0);
    CHECK_EQ(ring_enable(&ring), EXIT_BUSY);
    fflush(stderr);
    CHECK(dup2(err, STDERR_FILENO) >= 0);
    close(err);
    rewind(file);
    len = fread(said, 1, sizeof(said) - 1, file);
    said[len] = '\0';
    fclose(file);
    CHECK_EQ(guest.nr, NR_BUILT + 1);
    return said;
}

static void ring_of_xens_own(void)
{
    build();
    guest.native = true;
    CHECK_HAS(refused(), "end its agent");
    /* It has just ended: its vCPUs run, and then there is none. */
    build();
    guest.ending = 3;
    attach();
    leave(NR_BUILT + 1, NR_BUILT + 1);
    /* They are paused. */
    build();
    guest.ending = INT_MAX;
    CHECK_HAS(refused(), "is it paused?");
    guest.ending = 0;
    guest.ring = 1;
    CHECK_HAS(refused(), "--recover");
}

int main(void)
{
    ring_of_xens_own();
    no_ring_in_this_xen();
    as_it_was_found();
    around_it_all_is_taken();
    after_a_killed_one();
    return 0;
}
