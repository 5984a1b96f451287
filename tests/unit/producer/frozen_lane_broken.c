/* SPDX-License-Identifier: MIT */
/*
 * Description: a frozen lane whose records are not whole is passed over and
 * counted after one look, and not followed slot by slot; the next lane is
 * drained, and says what was lost between two records of it, one of which a
 * producer had begun and not ended.  A P of a consumer
 * that had what we do not know is passed over whole.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "check.h"
#include "consumer/attach.h"

static int nothing_sent(struct link *link, uint32_t type, const void *body,
                        size_t len)
{
    (void)link;
    (void)body;
    CHECK_EQ(type, VMRING_LOCAL_DRAINED);
    CHECK_EQ(len, 0);
    return 0;
}

static int nothing_comes(struct link *link, uint32_t *type, void *body,
                         size_t max, int timeout_ms)
{
    (void)link;
    (void)type;
    (void)body;
    (void)max;
    (void)timeout_ms;
    return -EAGAIN;
}

static unsigned int nothing_rung(struct link *link)
{
    (void)link;
    return 0;
}

static void *map(size_t len)
{
    void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED);
    return at;
}

static const struct link_ops ops = {
    .send = nothing_sent, .recv = nothing_comes, .ack = nothing_rung};
static struct link nowhere = {.ops = &ops};
static struct vmr_geometry geo = {.nr_vcpus = 2,
                                  .nr_lanes = 2,
                                  .nr_groups = 1,
                                  .record_len = 64,
                                  .loss_policy = XEN_VM_RING_POLICY_OVERWRITE};
static const struct xen_vm_ring_event event = {.length =
                                                   XEN_VM_RING_EVENT_HEAD};

/* A frozen P: its first lane has records that were never written. */
static void *make_broken(void *c)
{
    void *p = map(geo.p_len);
    struct vmr_lane_tx tx;

    vmr_geometry_publish(&geo, p);
    vmr_lane_tx_init(&tx, &geo, 0, p, c);
    tx.line->head = geo.nr_records;
    vmr_lane_tx_init(&tx, &geo, 1, p, c);
    CHECK(vmr_lane_push(&tx, &event));
    tx.lost = 7; /* before any that we drain: its consumer may know */
    CHECK(vmr_lane_push(&tx, &event));
    tx.lost = 10;
    CHECK(vmr_lane_push(&tx, &event));
    /* Its oldest is being written over: by one that was killed amid it. */
    while (tx.head < geo.nr_records)
        CHECK(vmr_lane_push(&tx, &event));
    ((struct xen_vm_ring_event *)(void *)tx.records)->state = 2 * tx.head + 1;
    return p;
}

/* One of a feature that we do not know. */
static void *make_unknown(void *c)
{
    void *p = map(geo.p_len);
    struct vmr_lane_tx tx;

    geo.features = 1ULL << 63;
    vmr_geometry_publish(&geo, p);
    vmr_lane_tx_init(&tx, &geo, 1, p, c);
    CHECK(vmr_lane_push(&tx, &event));
    geo.features = 0;
    return p;
}

int main(void)
{
    static struct vmring ring;
    struct vmring_event got;
    void *c;

    CHECK(vmr_geometry_lay_out(&geo, 2 * 64 * 64));
    c = map(geo.c_len);
    ring.link = &nowhere;
    ring.before[0] =
        (struct region){.at = make_broken(c), .len = geo.p_len, .fd = -1};
    ring.before[1] =
        (struct region){.at = make_unknown(c), .len = geo.p_len, .fd = -1};
    ring.nr_before = 2;
    ring.p.at = map(geo.p_len);
    ring.c.at = map(geo.c_len);
    CHECK_EQ(attach_set_up(&ring, &geo), 0);

    CHECK_EQ(vmring_next(&ring, &got), 1);
    CHECK_EQ(got.epoch_mark, 1);
    CHECK_EQ(got.lane, 1);
    CHECK_EQ(got.lost_before, 1);
    CHECK_EQ(ring.own.stats.rejected, 1);
    CHECK_EQ(vmring_next(&ring, &got), 1);
    CHECK_EQ(got.lost_before, 3);
    for (uint64_t position = 3; position < geo.nr_records; position++) {
        CHECK_EQ(vmring_next(&ring, &got), 1);
        CHECK_EQ(got.position, position);
    }
    CHECK_EQ(vmring_next(&ring, &got), 0);
    CHECK_EQ(ring.own.stats.drained, geo.nr_records - 1);
    CHECK_EQ(ring.own.stats.rejected, 2);
    CHECK_EQ(ring.nr_before, 0);
    return 0;
}
