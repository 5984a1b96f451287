/* SPDX-License-Identifier: MIT */
/*
 * Description: three privileged callers attach to one domain, detach and
 * destroy, each call preempted wherever it can be, in every order of their
 * turns: what a call ends was there when it began, its result says what it has
 * done, it comes to an end, and nothing is left of it.
 *
 * hypervisor/common/vm_ring/ is compiled as it is, on fake_xen.h.
 */
#include "ring.h"

#include "check.h"

#define NR_CALLERS 3
#define MAX_TURNS  100 /* of all callers together */
#define SEEN       7   /* requests in the first epoch */

#define MOST_PAGES 64 /* that are mapped in one piece */
#define RESTRICTED 65 /* frames of the first epoch: their lift takes turns */

unsigned int fake_pages;
static struct room {
    bool taken;
    unsigned int mapped;
    _Alignas(1 << PAGE_SHIFT) char pages[MOST_PAGES << PAGE_SHIFT];
} rooms[8]; /* where Xen maps them */
static bool restricted[RESTRICTED];

static struct vcpu caller_vcpu, guest_vcpu, *vcpus[] = {&guest_vcpu};
static struct domain caller_domain, guest;
struct vcpu *current = &caller_vcpu;

unsigned int fake_random(void)
{
    static unsigned int last;

    return ++last;
}

void put_page(struct page_info *pg)
{
    if (--pg->references)
        return;
    fake_pages--;
    free(pg);
}

void *vmap_reserve(unsigned int nr)
{
    struct room *room = rooms;

    CHECK(nr <= MOST_PAGES);
    while (room->taken)
        CHECK(++room < rooms + ARRAY_SIZE(rooms));
    room->taken = true;
    return room->pages;
}

static struct room *room_at(unsigned long at)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(rooms); i++)
        if (at - (unsigned long)rooms[i].pages < sizeof(rooms[i].pages))
            return &rooms[i];
    abort();
}

void vmap_release(const void *at)
{
    struct room *room = room_at((unsigned long)at);

    CHECK_EQ(room->mapped, 0);
    room->taken = false;
}

/* One after the other, and the last ones first. */
int map_pages_to_xen(unsigned long at, mfn_t mfn, unsigned long nr, int flags)
{
    struct room *room = room_at(at);

    CHECK_EQ(at, (unsigned long)room->pages +
                     ((unsigned long)room->mapped << PAGE_SHIFT));
    room->mapped += nr;
    memset((void *)at, 0, nr << PAGE_SHIFT);
    return 0;
}

int destroy_xen_mappings(unsigned long from, unsigned long end)
{
    struct room *room = room_at(from);

    CHECK_EQ(end, (unsigned long)room->pages +
                      ((unsigned long)room->mapped << PAGE_SHIFT));
    room->mapped -= PFN_DOWN(end - from);
    return 0;
}

mfn_t p2m_get_entry(struct p2m_domain *p2m, gfn_t gfn, p2m_type_t *type,
                    p2m_access_t *access, unsigned int *order, bool *valid)
{
    CHECK(p2m->locked);
    *type = p2m_ram_rw;
    *access = restricted[gfn_x(gfn)] ? p2m_access_n : p2m_access_rwx;
    *order = 0;
    return _mfn(0);
}

long p2m_set_mem_access(struct domain *d, gfn_t gfn, uint32_t nr,
                        uint32_t start, uint32_t mask, xenmem_access_t access,
                        unsigned int view)
{
    CHECK(gfn_x(gfn) + nr <= RESTRICTED);
    for (uint32_t i = start; i < nr; i++)
        restricted[gfn_x(gfn) + i] = access != XENMEM_access_rwx;
    return 0;
}

static unsigned int nr_restricted(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < RESTRICTED; i++)
        nr += restricted[i];
    return nr;
}

static unsigned int nr_mapped(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(rooms); i++)
        nr += rooms[i].taken;
    return nr;
}

/* -------------------------------------------- ports, of a dead agent -- */

struct ring_ports {
    int nothing;
};

static struct ring_ports no_ports;

int ring_ports_open(struct vm_ring *ring, struct domain *agent, unsigned int nr,
                    struct ring_ports **ports)
{
    *ports = &no_ports;
    return 0;
}

void ring_ports_tell(const struct ring_ports *ports, uint32_t *numbers)
{
}

bool ring_ports_bound(const struct ring_ports *ports)
{
    return false;
}

bool ring_ports_heard(const struct ring_ports *ports)
{
    return true;
}

bool ring_ports_are_of(const struct ring_ports *ports, const struct domain *d)
{
    return false;
}

void ring_ports_close(struct ring_ports *ports)
{
}

unsigned int ring_ports_ring(const struct ring_ports *ports, uint64_t groups)
{
    return 0;
}

int ring_ports_forget(const struct domain *agent)
{
    return 0;
}

/* ------------------------------------------------------- the callers -- */

enum what { ATTACH, DETACH, DESTROY, DESTROY_ANY, LEGACY, KILL, NR_WHATS };

static const char *const names[] = {"attach",      "detach", "destroy",
                                    "destroy any", "legacy", "kill"};

enum before { NOTHING, AN_EPOCH, ONE_DETACHED, NR_BEFORES };

/* A call, and what Xen keeps of it in its caller's memory. */
struct call {
    enum what what;
    xen_domctl_t domctl;
    struct xen_vm_ring_attach attach;
    uint64_t named;  /* the epoch that it may end; 0: none */
    uint64_t making; /* the attach that it may give up */
    int turns, rc;
    bool over, has_ended;
};

static struct call calls[NR_CALLERS];
static uint64_t first; /* the epoch that was there before them */
static bool legacy;

static struct xen_vm_ring_control *control_of(struct call *call)
{
    return (void *)call->domctl.u.pad;
}

static void begin(struct call *call, enum what what, uint64_t handle)
{
    struct xen_vm_ring_control *control = control_of(call);

    *call = (struct call){.what = what};
    control->version = XEN_VM_RING_CONTROL_VERSION;
    control->ring = handle;
    switch (what) {
    case ATTACH:
        control->op = XEN_VM_RING_OP_ATTACH;
        control->arg = (uintptr_t)&call->attach;
        control->arg_len = sizeof(call->attach);
        call->attach.propose = (struct xen_vm_ring_propose){
            .magic = XEN_VM_RING_MAGIC,
            .length = sizeof(call->attach.propose),
            .version_min = XEN_VM_RING_VERSION,
            .version_max = XEN_VM_RING_VERSION,
            .nr_groups = 1,
            .record_len = 64,
            .async_len = KB(128), /* it takes turns */
        };
        break;
    case DETACH:
        control->op = XEN_VM_RING_OP_DETACH;
        break;
    default:
        control->op = XEN_VM_RING_OP_DESTROY;
        break;
    }
}

static uint64_t making(void)
{
    return guest.vm_ring ? guest.vm_ring->making : 0;
}

/* 0: none, or there is nobody whose it is. */
static uint64_t live_epoch(void)
{
    return guest.vm_ring && guest.vm_ring->active ? guest.vm_ring->handle : 0;
}

static uint64_t epoch(void)
{
    return guest.vm_ring ? guest.vm_ring->handle : 0;
}

/* The legacy ring, as the hook in vm_event.c lets an agent of it have one. */
static int enable_legacy(void)
{
    if (vm_ring_exists(&guest) || guest.is_dying)
        return -EBUSY;
    legacy = true;
    guest.vm_event_monitor = &legacy;
    guest.monitor.armed = 1;
    return 0;
}

/* As the hook in domain_kill() has it. */
static int kill_guest(void)
{
    guest.is_dying = true;
    return vm_ring_teardown(&guest);
}

static int turn(struct call *call)
{
    xen_domctl_t domctl = call->domctl;

    if (call->what == LEGACY)
        return enable_legacy();
    if (call->what == KILL)
        return kill_guest();
    return (int)vm_ring_domctl(&guest, &domctl, &call->domctl);
}

/* ------------------------------------------------ what has to be so -- */

static void check_what_ended(struct call *call, uint64_t epoch_before,
                             uint64_t live_before, uint64_t making_before)
{
    bool replaced = live_epoch() && live_epoch() != epoch_before;

    if (call->what == KILL)
        return;
    if (epoch_before && epoch() != epoch_before && !replaced) {
        CHECK(call->what == DESTROY || call->what == DESTROY_ANY);
        CHECK_EQ(call->named, epoch_before);
        call->has_ended = true;
    }
    if (live_before && live_epoch() != live_before) {
        if (replaced)
            CHECK(call->what == ATTACH);
        else
            CHECK_EQ(call->named, live_before);
        call->has_ended = true;
    }
    /* Of an attach the end is its own, or that of who found it there. */
    if (making_before && making() != making_before &&
        making_before != control_of(call)->ring)
        CHECK_EQ(call->making, making_before);
    if (legacy)
        CHECK_EQ(guest.monitor.armed, 1);
}

static void check_result(struct call *call)
{
    const struct vm_ring *ring = guest.vm_ring;

    if (call->rc && call->what != ATTACH)
        CHECK(!call->has_ended);
    if (call->what != LEGACY && call->what != KILL)
        CHECK_EQ(control_of(call)->turn, 0);
    if (call->rc == -ESRCH && guest.is_dying)
        return;
    switch (call->what) {
    case ATTACH:
        CHECK(!call->rc || call->rc == -EBUSY || call->rc == -ENOENT ||
              call->rc == -EADDRINUSE);
        break;
    case DETACH:
        CHECK(!call->rc || call->rc == -ENOENT);
        CHECK(live_epoch() != call->named);
        if (!call->rc)
            CHECK_EQ(nr_restricted(), 0);
        break;
    case DESTROY:
    case DESTROY_ANY:
        CHECK(!call->rc || call->rc == -ENOENT);
        CHECK(!call->named || epoch() != call->named);
        CHECK(!call->making || making() != call->making);
        /* Nor what it has counted, nor what it has restricted. */
        if (!call->rc) {
            CHECK_EQ(ring->vcpus[0]->tally[0].requests, 0);
            CHECK_EQ(nr_restricted(), 0);
        }
        break;
    case KILL:
        CHECK_EQ(call->rc, 0);
        CHECK(!live_epoch() && !making());
        break;
    default:
        break;
    }
}

static void take_turn(struct call *call)
{
    uint64_t epoch_before = epoch(), live_before = live_epoch(),
             making_before = making();

    if (!call->turns++ && call->what == DESTROY_ANY) {
        call->named = epoch_before;
        call->making = making_before;
    } else if (call->what == DETACH || call->what == DESTROY) {
        call->named = first;
    }
    call->rc = turn(call);
    check_what_ended(call, epoch_before, live_before, making_before);
    call->over = call->rc != -ERESTART;
    if (call->over)
        check_result(call);
}

static int alone(enum what what, uint64_t handle)
{
    struct call call;

    begin(&call, what, handle);
    do {
        call.rc = turn(&call);
    } while (call.rc == -ERESTART && ++call.turns < MAX_TURNS);
    /* Others could not come in between, else. */
    CHECK(call.turns || (what != ATTACH && what != DETACH));
    return call.rc;
}

/* ---------------------------------------------------- every schedule -- */

static void set_up(enum before before, const enum what *whats)
{
    guest_vcpu = (struct vcpu){.domain = &guest};
    caller_vcpu = (struct vcpu){.domain = &caller_domain};
    guest = (struct domain){.vcpu = vcpus, .max_vcpus = 1};
    legacy = false;
    first = 1; /* no handle that there is */
    memset(restricted, 0, sizeof(restricted));
    if (before != NOTHING) {
        CHECK_EQ(alone(ATTACH, 0), 0);
        first = epoch();
        CHECK(first);
        guest.vm_ring->vcpus[0]->tally[0].requests = SEEN;
        vm_ring_restrict(&guest, 0, RESTRICTED);
        memset(restricted, 1, sizeof(restricted));
    }
    if (before == ONE_DETACHED)
        CHECK_EQ(alone(DETACH, first), 0);
    for (int i = 0; i < NR_CALLERS; i++)
        begin(&calls[i], whats[i],
              whats[i] == DETACH || whats[i] == DESTROY ? first : 0);
}

/* Whoever was last frees the last of it. */
static void tear_down(void)
{
    if (guest.vm_ring)
        CHECK_EQ(guest.vm_ring->nr_going, 0);
    (void)alone(guest.is_dying ? KILL : DESTROY_ANY, 0);
    CHECK_EQ(fake_pages, 0);
    CHECK_EQ(nr_mapped(), 0);
    vm_ring_free(&guest);
}

static struct call *unfinished(unsigned int nr)
{
    for (int i = 0; i < NR_CALLERS; i++)
        if (!calls[i].over && !nr--)
            return &calls[i];
    return NULL;
}

static unsigned int nr_unfinished(void)
{
    unsigned int nr = 0;

    for (int i = 0; i < NR_CALLERS; i++)
        nr += !calls[i].over;
    return nr;
}

/* Who comes next, of those that are not over, and of how many. */
static unsigned int chosen[MAX_TURNS], of[MAX_TURNS];

/* Returns how many turns it took. */
static int run(enum before before, const enum what *whats)
{
    int nr = 0;

    set_up(before, whats);
    while ((of[nr] = nr_unfinished()) != 0) {
        take_turn(unfinished(chosen[nr]));
        CHECK(++nr < MAX_TURNS);
    }
    tear_down();
    return nr;
}

static unsigned long every_order(enum before before, const enum what *whats)
{
    unsigned long nr = 0;
    int last;

    memset(chosen, 0, sizeof(chosen));
    do {
        last = run(before, whats) - 1;
        nr++;
        while (last >= 0 && chosen[last] + 1 == of[last])
            chosen[last--] = 0;
        if (last >= 0)
            chosen[last]++;
    } while (last >= 0);
    return nr;
}

int main(void)
{
    static char row[100];
    unsigned long nr = 0;

    CHECK_ROW(row);
    for (enum before before = NOTHING; before < NR_BEFORES; before++)
        for (int all = 0; all < NR_WHATS * NR_WHATS * NR_WHATS; all++) {
            enum what whats[NR_CALLERS] = {all % NR_WHATS,
                                           all / NR_WHATS % NR_WHATS,
                                           all / NR_WHATS / NR_WHATS};

            /* Their turns are in every order: they themselves need not be. */
            if (whats[0] > whats[1] || whats[1] > whats[2] ||
                whats[1] >= LEGACY)
                continue;
            snprintf(row, sizeof(row), "%d: %s, %s, %s", before,
                     names[whats[0]], names[whats[1]], names[whats[2]]);
            nr += every_order(before, whats);
        }
    printf("%lu orders of turns\n", nr);
    return 0;
}
