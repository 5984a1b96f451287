/* SPDX-License-Identifier: MIT */
/*
 * Description: what a hostile producer does with heads, records, requests,
 * pages and frozen Ps, and what vmring_next() makes of each.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "attack_victim.h"
#include "witness.h"

static struct xen_vm_ring_lane *lane_of(struct evil *e, uint32_t i)
{
    return (void *)((unsigned char *)e->p.at + e->geo.lane_off +
                    (uint64_t)i * XEN_VM_RING_LANE);
}

static struct xen_vm_ring_event *request_of(struct evil *e, uint32_t v)
{
    return (void *)((unsigned char *)e->p.at + e->geo.request_off +
                    (uint64_t)v * XEN_VM_RING_SLOT);
}

static struct xen_vm_ring_event *record_of(struct evil *e, uint64_t position)
{
    return (void *)((unsigned char *)e->p.at + e->geo.record_off +
                    (position & (e->geo.nr_records - 1)) * e->geo.record_len);
}

/* Every bit says that there is something to look at. */
static void draw_attention(struct evil *e)
{
    for (uint32_t g = 0; g < e->geo.nr_groups; g++) {
        unsigned char *block = (unsigned char *)e->c.at + e->geo.c_group_off +
                               (size_t)g * e->geo.c_group_len;

        memset(block + e->geo.attn_request_off, 0xff, 8);
        memset(block + e->geo.attn_lane_off, 0xff, 8);
    }
    evil_ring(e);
}

/* ------------------------------------------------------ lanes and slots -- */

static void say_head(struct evil *e, uint64_t head)
{
    lane_of(e, 0)->head = head;
    __atomic_store_n(&lane_of(e, 0)->shown, head, __ATOMIC_RELEASE);
}

/* The next record of lane 0, published by hand. */
static void publish(struct evil *e, uint16_t length, uint64_t state_off)
{
    uint64_t head = lane_of(e, 0)->head;
    struct xen_vm_ring_event event =
        witness_event(XEN_VM_RING_REASON_MOV_TO_MSR, 2, 2);

    event.length = length;
    event.state = 2 * head + 2 + state_off;
    memcpy(record_of(e, head), &event, XEN_VM_RING_EVENT_HEAD);
    say_head(e, head + 1);
    draw_attention(e);
}

static void right_record(struct evil *e)
{
    publish(e, XEN_VM_RING_EVENT_HEAD, 0);
}

static void no_length(struct evil *e)
{
    publish(e, 0, 0);
}

static void all_length(struct evil *e)
{
    publish(e, UINT16_MAX, 0);
}

static void old_state(struct evil *e)
{
    publish(e, XEN_VM_RING_EVENT_HEAD, -2 * e->geo.nr_records);
}

static void busy_state(struct evil *e)
{
    publish(e, XEN_VM_RING_EVENT_HEAD, (uint64_t)-1);
}

static void head_jumps(struct evil *e)
{
    say_head(e, lane_of(e, 0)->head + 1000);
    publish(e, XEN_VM_RING_EVENT_HEAD, 0);
}

static void head_goes_back(struct evil *e)
{
    evil_traffic(e, 1);
    victim_goes_on(e, 10);
    say_head(e, UINT64_MAX - 5);
    publish(e, XEN_VM_RING_EVENT_HEAD, 0);
}

static void heads_race(struct evil *e)
{
    for (uint32_t i = 0; i < V_VCPUS; i++)
        __atomic_fetch_add(&lane_of(e, i)->shown, 1, __ATOMIC_RELAXED);
    draw_attention(e);
}

/* A request by hand, with all bits of attention. */
static void post(struct evil *e, uint16_t length)
{
    struct xen_vm_ring_event event =
        witness_event(XEN_VM_RING_REASON_WRITE_CTRLREG, 0, 2);

    event.length = length;
    memcpy(&request_of(e, 0)->time, &event.time, XEN_VM_RING_EVENT_HEAD - 8);
    __atomic_store_n(&request_of(e, 0)->state, 1001, __ATOMIC_RELEASE);
    draw_attention(e);
}

static void right_request(struct evil *e)
{
    post(e, XEN_VM_RING_EVENT_HEAD);
}

static void short_request(struct evil *e)
{
    post(e, 63);
}

static void long_request(struct evil *e)
{
    post(e, XEN_VM_RING_EVENT_FULL + 8);
}

/* Posted, retired, posted: whatever is taken was posted. */
static void seqs_race(struct evil *e)
{
    for (uint32_t v = 0; v < V_VCPUS; v++)
        __atomic_fetch_add(&request_of(e, v)->state, 1, __ATOMIC_RELAXED);
    draw_attention(e);
}

static void no_such_state(struct evil *e)
{
    ((struct xen_vm_ring_header *)e->p.at)->target_state = 77;
    evil_ring(e);
}

static void no_such_producer_state(struct evil *e)
{
    ((struct xen_vm_ring_header *)e->p.at)->producer_state = UINT64_MAX;
    evil_ring(e);
}

/* ----------------------------------------------------- C and the pages -- */

static void noise_in_c(struct evil *e)
{
    memset(e->c.at, (int)roll(&e->seed, 256), e->c.len);
    evil_ring(e);
}

static void punch_p(struct evil *e)
{
    CHECK_EQ(fallocate(e->p.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                       (off_t)e->p.len),
             0);
    evil_ring(e);
}

static void cut_p(struct evil *e)
{
    CHECK(ftruncate(e->p.fd, 0) < 0);
    CHECK(ftruncate(e->c.fd, 0) < 0);
}

/* ------------------------------------------------------------ frozen Ps -- */

static void add_before(struct evil *e, size_t len, int value)
{
    struct region *region = &e->before[e->nr_before++];

    CHECK_EQ(region_make(region, "vmring-p", len, 1), 0);
    memset(region->at, value, len);
}

static void noise_before(struct evil *e)
{
    for (int i = 0; i < XEN_VM_RING_MAX_PREV; i++)
        add_before(e, 4096u << i % 3, i * 37);
}

/* Laid out as it should be, and the lanes lie. */
static void lies_before(struct evil *e)
{
    static const struct {
        uint64_t head, resume;
    } lies[] = {{UINT64_MAX, 0}, {0, UINT64_MAX},       {1ULL << 63, 0},
                {5, 1000},       {1ULL << 40, 7},       {1, 0},
                {4, 0},          {UINT64_MAX, 1u << 20}};

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct vmr_geometry geo = {.epoch = 1,
                                   .nr_vcpus = V_VCPUS,
                                   .nr_lanes = V_VCPUS,
                                   .nr_groups = 1,
                                   .record_len = 64,
                                   .loss_policy = i % 2,
                                   .arch = XEN_VM_RING_ARCH_X86};

        CHECK(vmr_geometry_lay_out(&geo, V_VCPUS * 1024 * 64));
        add_before(e, geo.p_len, 0);
        vmr_geometry_publish(&geo, e->before[i].at);
        for (uint32_t lane = 0; lane < V_VCPUS; lane++) {
            struct xen_vm_ring_lane *line =
                (void *)((unsigned char *)e->before[i].at + geo.lane_off +
                         (uint64_t)lane * XEN_VM_RING_LANE);

            line->head = lies[i].head;
            line->resume = lies[i].resume;
        }
    }
}

static const struct act acts[] = {
    {.name = "nothing"},
    {.name = "a record by hand", .once = right_record},
    {.name = "a request by hand", .once = right_request},
    {.name = "a record of no length", .once = no_length, .end = -EPROTO},
    {.name = "a record of any length", .once = all_length, .end = -EPROTO},
    {.name = "a record of a round before", .once = old_state, .end = -EPROTO},
    {.name = "a record that is busy", .once = busy_state, .end = -EPROTO},
    {.name = "a head that jumps", .once = head_jumps, .end = -EPROTO},
    {.name = "a head that goes back", .once = head_goes_back, .end = -EPROTO},
    {.name = "a head that goes back, overwriting",
     .once = head_goes_back,
     .end = -EPROTO,
     .policy = 1},
    {.name = "heads that race", .again = heads_race, .end = -EPROTO},
    {.name = "heads that race, overwriting",
     .again = heads_race,
     .end = ANYHOW,
     .policy = 1},
    {.name = "a short request", .once = short_request, .end = -EPROTO},
    {.name = "a long request", .once = long_request, .end = -EPROTO},
    {.name = "seqs that race", .again = seqs_race, .end = ANYHOW},
    {.name = "a target in no such state", .once = no_such_state, .end = -ESRCH},
    {.name = "a producer in no such state", .once = no_such_producer_state},
    {.name = "noise in C", .again = noise_in_c, .end = ANYHOW},
    {.name = "holes in P", .again = punch_p, .end = ANYHOW, .unsealed = true},
    {.name = "other sizes", .once = cut_p},
    {.name = "frozen Ps of noise", .before = noise_before},
    {.name = "frozen Ps that lie", .before = lies_before},
};

int main(int argc, char **argv)
{
    return victim_meets(acts, sizeof(acts) / sizeof(acts[0]),
                        argc > 1 && !strcmp(argv[1], "-v"));
}
