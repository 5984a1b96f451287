/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-native-fuzz: calls a Xen that is the producer itself with what no
 * libvmring would: all operations of its domctl and some that are none,
 * handles, sizes, addresses and proposals by the dice; and its resource by
 * every id.
 *
 *   vmring-lab-native-fuzz SEED CALLS SECONDS FIRST LAST
 *
 * FIRST to LAST are the domains that it may do anything to; others are called
 * with ids that no domain of this machine has, or that nobody may control.
 * Addresses are those that Xen has to refuse, or of memory of its own: Xen
 * writes for a domain 0 where that says.
 *
 * Says at last what came of the calls, a line of each operation and error.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#define __XEN_TOOLS__ 1
#include <xencall.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>

#include "transport/grant/limits.h"
#include "transport/xen/calls.h"

#include <xen/domctl.h>
#include <xen/memory.h>

#define PAGE       4096
#define NR_HANDLES 16
#define NR_MAPS    8
#define MAX_FRAMES 4096
#define MAX_ERRNO  200
#define NR_OPS     (XEN_VM_RING_OP_DESTROY + 1)
#define OTHER      NR_OPS
#define ACQUIRE    (NR_OPS + 1)
#define NR_KINDS   (NR_OPS + 2)

#define FIELD(type, field)                                                     \
    {                                                                          \
        offsetof(struct type, field), sizeof(((struct type *)0)->field)        \
    }

static uint64_t seed;
static uint32_t first_domid, last_domid;
static struct calls calls;
static xenforeignmemory_handle *memory;
static xenevtchn_handle *evtchn;
static void *pages;      /* two that Xen can reach; behind them nothing */
static uint64_t *frames; /* MAX_FRAMES */
static uint64_t handles[NR_HANDLES];
static uint32_t resources[NR_HANDLES];
static unsigned int nr_handles;
static xenforeignmemory_resource_handle *maps[NR_MAPS];
static uint64_t counts[NR_KINDS][MAX_ERRNO + 1];

static uint64_t dice(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t below(uint64_t n)
{
    return dice() % n;
}

static bool one_in(uint64_t n)
{
    return below(n) == 0;
}

/* What means something, what is just beside it, and what means nothing. */
static uint64_t some_number(void)
{
    static const uint64_t borders[] = {
        0,
        1,
        2,
        63,
        64,
        65,
        127,
        128,
        448,
        512,
        4095,
        4096,
        8192,
        65536,
        1048576,
        4194304,
        4194305,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        UINT64_MAX,
        UINT64_MAX - 1,
        UINT64_MAX / 2,
        UINT64_C(1) << 63,
        UINT64_C(1) << 32,
    };

    switch (below(4)) {
    case 0:
        return below(64);
    case 1:
        return dice();
    default:
        return borders[below(sizeof(borders) / sizeof(*borders))];
    }
}

static uint32_t nr_domids(void)
{
    return last_domid - first_domid + 1;
}

static domid_t some_domid(void)
{
    static const domid_t others[] = {0,      0x7fef, 0x7ff0, 0x7ff1, 0x7ff2,
                                     0x7ff3, 0x7ff4, 0x7fff, 0xffff, 0x7abc};

    if (one_in(5))
        return others[below(sizeof(others) / sizeof(*others))];
    /* Most of the others have gone, or are yet to come. */
    return (domid_t)(one_in(2) ? first_domid
                               : first_domid + below(nr_domids()));
}

static uint64_t some_handle(void)
{
    switch (below(8)) {
    case 0:
        return 0;
    case 1:
        return some_number();
    case 2:
        return handles[below(NR_HANDLES)] + 1 - 2 * below(2);
    case 3:
    case 4:
        return handles[below(NR_HANDLES)];
    default:
        return handles[(nr_handles + NR_HANDLES - 1) % NR_HANDLES];
    }
}

/* Where `len` bytes lie, or do not, or not all of them. */
static uint64_t some_address(size_t len)
{
    uintptr_t at = (uintptr_t)pages;

    switch (below(16)) {
    case 0:
        return 0;
    case 1:
        return at + 2 * PAGE - below(len + 1); /* its end is nowhere */
    case 2:
        return UINT64_C(0xffff830000000000) + below(1 << 30); /* Xen's */
    case 3:
        return UINT64_C(0x8000000000000000) + (dice() >> 1 & 0xfff8);
    case 4:
        return UINT64_MAX - below(4096);
    default:
        return at + (one_in(4) ? below(64) : 0);
    }
}

static void note(unsigned int kind, int rc)
{
    int err = rc < 0 ? errno : 0;

    counts[kind][err <= MAX_ERRNO ? err : MAX_ERRNO]++;
}

/* ---------------------------------------------------- the domctl -- */

static const struct {
    size_t at, len;
} fields[] = {
    FIELD(xen_vm_ring_propose, magic),
    FIELD(xen_vm_ring_propose, length),
    FIELD(xen_vm_ring_propose, version_min),
    FIELD(xen_vm_ring_propose, version_max),
    FIELD(xen_vm_ring_propose, features_wanted),
    FIELD(xen_vm_ring_propose, features_required),
    FIELD(xen_vm_ring_propose, async_len),
    FIELD(xen_vm_ring_propose, record_len),
    FIELD(xen_vm_ring_propose, policy),
    FIELD(xen_vm_ring_propose, nr_groups),
    FIELD(xen_vm_ring_propose, deadline),
    FIELD(xen_vm_ring_propose, verdicts),
};

/* A good one, but for what the dice change. */
static void make_proposal(struct xen_vm_ring_attach *attach)
{
    struct xen_vm_ring_propose *propose = &attach->propose;
    unsigned int changes = one_in(2) ? 0 : (unsigned int)below(4);

    memset(attach, 0, sizeof(*attach));
    *propose = (struct xen_vm_ring_propose){
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(*propose),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .nr_groups = 1 + (uint32_t)below(4),
        .async_len = one_in(4) ? 4194304 : 0,
        .deadline = 1000000,
        .verdicts = one_in(2) ? 0x1ff : 0,
    };
    while (changes--) {
        unsigned int i = (unsigned int)below(sizeof(fields) / sizeof(*fields));
        uint64_t value = some_number();

        memcpy((char *)propose + fields[i].at, &value, fields[i].len);
    }
    if (one_in(8))
        *((char *)propose + below(sizeof(*propose))) ^= (char)(1 + below(255));
}

static uint32_t len_of(uint32_t op)
{
    switch (op) {
    case XEN_VM_RING_OP_ATTACH:
        return sizeof(struct xen_vm_ring_attach);
    case XEN_VM_RING_OP_QUERY:
        return sizeof(struct xen_vm_ring_query);
    case XEN_VM_RING_OP_COUNT:
        return sizeof(struct xen_vm_ring_count);
    default:
        return 0;
    }
}

static void fill_arg(uint32_t op, void *at)
{
    struct xen_vm_ring_count *count = at;

    if (op == XEN_VM_RING_OP_ATTACH) {
        make_proposal(at);
        return;
    }
    count->from = one_in(2) ? 0 : (uint32_t)some_number();
    count->reserved = one_in(8);
}

/* What is found bound is kept for a while, so that the next ones are busy. */
static void bind(const struct xen_vm_ring_attach *attach)
{
    int port;

    if (one_in(3)) {
        xenevtchn_close(evtchn);
        evtchn = xenevtchn_open(&grant_logger, 0);
        if (!evtchn)
            err(1, "evtchn");
    }
    if (one_in(3))
        return;
    port = xenevtchn_bind_interdomain(evtchn, 0x7ff0, attach->ports[0]);
    if (port >= 0)
        (void)xenevtchn_notify(evtchn, (evtchn_port_t)port);
}

static void keep(const struct xen_vm_ring_control *control, uint64_t at)
{
    const struct xen_vm_ring_attach *attach = (const void *)(uintptr_t)at;
    unsigned int i = nr_handles++ % NR_HANDLES;

    handles[i] = control->ring;
    if (attach->accept.result != XEN_VM_RING_ACCEPTED)
        return;
    resources[i] = attach->resource;
    bind(attach);
}

static void make_control(struct xen_vm_ring_control *control)
{
    uint32_t op = one_in(3) ? XEN_VM_RING_OP_ATTACH : (uint32_t)below(NR_OPS);

    control->version = XEN_VM_RING_CONTROL_VERSION;
    control->op = op;
    control->ring =
        op == XEN_VM_RING_OP_ATTACH && !one_in(8) ? 0 : some_handle();
    control->arg_len = len_of(op);
    if (control->arg_len)
        control->arg = some_address(control->arg_len);
    if (one_in(16))
        control->version = (uint32_t)some_number();
    if (one_in(16))
        control->op = (uint32_t)some_number();
    if (one_in(16))
        control->arg_len = (uint32_t)some_number();
    if (one_in(16))
        control->arg = some_address(PAGE);
    if (one_in(16))
        control->reserved[below(4)] = (uint32_t)some_number();
    if (one_in(16))
        control->turn = (uint32_t)(one_in(2) ? below(3) : some_number());
}

static void call_domctl(struct xen_domctl *op)
{
    struct xen_vm_ring_control control = {0};
    uintptr_t start = (uintptr_t)pages;
    unsigned int kind;
    bool later;
    int rc;

    make_control(&control);
    later = control.turn; /* a later turn, which answers nothing */
    if (control.arg - start <= PAGE)
        fill_arg(control.op, (void *)(uintptr_t)control.arg);
    memset(op, 0, sizeof(*op));
    op->cmd = XEN_DOMCTL_vm_ring_op;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = some_domid();
    memcpy(op->u.pad, &control, sizeof(control));
    kind = control.op < NR_OPS ? control.op : OTHER;
    rc = xencall1(calls.xcall, __HYPERVISOR_domctl, (uint64_t)(uintptr_t)op);
    note(kind, rc);
    memcpy(&control, op->u.pad, sizeof(control));
    if (!rc && kind == XEN_VM_RING_OP_ATTACH && !later)
        keep(&control, control.arg);
}

/* ------------------------------------------------- the resource -- */

static uint32_t some_id(void)
{
    uint32_t id = resources[below(NR_HANDLES)];

    if (one_in(2))
        id = resources[(nr_handles + NR_HANDLES - 1) % NR_HANDLES];
    return one_in(8) ? (uint32_t)some_number() : id + (uint32_t)below(6) - 1;
}

static void call_acquire(struct xen_mem_acquire_resource *op)
{
    int rc;

    memset(op, 0, sizeof(*op));
    op->domid = some_domid();
    op->type = (uint16_t)(one_in(8) ? below(4) : XENMEM_resource_vm_ring);
    op->id = some_id();
    op->nr_frames = (uint32_t)(one_in(2) ? below(MAX_FRAMES) : below(64));
    op->frame = one_in(2) ? 0 : some_number();
    op->pad = 0;
    if (!one_in(4))
        set_xen_guest_handle_raw(op->frame_list, frames);
    rc = (int)xencall2(calls.xcall, __HYPERVISOR_memory_op,
                       XENMEM_acquire_resource, (uint64_t)(uintptr_t)op);
    note(ACQUIRE, rc);
}

/* Maps, or unmaps what it has in that place. */
static void call_map(void)
{
    unsigned int i = (unsigned int)below(NR_MAPS);
    void *at = NULL;

    if (maps[i]) {
        (void)xenforeignmemory_unmap_resource(memory, maps[i]);
        maps[i] = NULL;
        return;
    }
    maps[i] = xenforeignmemory_map_resource(
        memory, some_domid(), XENMEM_resource_vm_ring, some_id(), below(20),
        1 + below(40), &at, PROT_READ, 0);
    note(ACQUIRE, maps[i] ? 0 : -1);
}

/* ---------------------------------------------------- around it -- */

static void *reachable(size_t len)
{
    void *at = xencall_alloc_buffer(calls.xcall, len);

    if (!at)
        err(1, "memory");
    memset(at, 0, len);
    return at;
}

static void open_all(void)
{
    char *at;

    if (xen_begin_calls(&calls, 0))
        errx(1, "no Xen");
    memory = xenforeignmemory_open(&grant_logger, 0);
    evtchn = xenevtchn_open(&grant_logger, 0);
    if (!memory || !evtchn)
        errx(1, "no Xen");
    at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
    if (at == MAP_FAILED || munmap(at + 2 * PAGE, PAGE))
        err(1, "memory");
    pages = at;
    frames = reachable(MAX_FRAMES * sizeof(*frames));
}

static void events(void)
{
    const struct monitor_event event = {
        .event = one_in(2) ? XEN_DOMCTL_MONITOR_EVENT_CPUID
                           : XEN_DOMCTL_MONITOR_EVENT_WRITE_CTRLREG,
        .index = 2,
        .sync = one_in(2),
    };

    calls.domid = first_domid;
    (void)xen_arm(&calls, &event);
}

static void tell(void)
{
    static const char *const names[NR_KINDS] = {
        "present", "attach", "detach",  "query",        "count",
        "drained", "disarm", "destroy", "no operation", "acquire"};

    for (unsigned int kind = 0; kind < NR_KINDS; kind++)
        for (unsigned int e = 0; e <= MAX_ERRNO; e++)
            if (counts[kind][e])
                printf("%s: %" PRIu64 " times %s\n", names[kind],
                       counts[kind][e], e ? strerror((int)e) : "done");
}

/* Nothing is left of it in any domain that there is. */
static void clean_up(void)
{
    for (unsigned int i = 0; i < NR_MAPS; i++)
        if (maps[i])
            (void)xenforeignmemory_unmap_resource(memory, maps[i]);
    xenevtchn_close(evtchn);
    calls.ring = 0;
    for (uint32_t d = first_domid; d <= last_domid; d++) {
        calls.domid = d;
        (void)xen_ring(&calls, XEN_VM_RING_OP_DESTROY, NULL, 0);
    }
}

int main(int argc, char **argv)
{
    struct xen_domctl *op;
    struct xen_mem_acquire_resource *acquire;
    unsigned long nr = 0, most;
    time_t end;

    if (argc != 6)
        return 2;
    seed = strtoull(argv[1], NULL, 0) * 0x9e3779b97f4a7c15 + 1;
    most = strtoul(argv[2], NULL, 0);
    end = time(NULL) + strtol(argv[3], NULL, 0);
    first_domid = (uint32_t)atoi(argv[4]);
    last_domid = (uint32_t)atoi(argv[5]);
    open_all();
    op = reachable(sizeof(*op));
    acquire = reachable(sizeof(*acquire));
    for (; nr < most && time(NULL) < end; nr++) {
        switch (below(8)) {
        case 0:
        case 1:
            call_acquire(acquire);
            break;
        case 2:
            call_map();
            break;
        default:
            call_domctl(op);
            break;
        }
        if (one_in(64))
            events();
    }
    tell();
    clean_up();
    printf("%lu calls\n", nr);
    return 0;
}
