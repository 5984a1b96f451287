/* SPDX-License-Identifier: MIT */
/*
 * Description: a frozen region whose header makes no sense, or has a feature
 * that nobody has heard of, is passed over and counted; the records of the
 * consumer's own epoch come all the same.  Of one with another epoch, deadline
 * or verdicts the record comes.
 */
#include "pair.h"

#include "producer/handle.h"

static void no_magic(struct xen_vm_ring_header *header)
{
    header->magic++;
}

static void later_feature(struct xen_vm_ring_header *header)
{
    header->features |= XEN_VM_RING_FEATURE_PARTIAL;
}

static void other_terms(struct xen_vm_ring_header *header)
{
    header->epoch += 5;
    header->deadline++;
    header->verdicts ^= 1;
    header->source = 77;
}

/* A record is left in a P whose header is damaged then. */
static void drains(void (*damage)(struct xen_vm_ring_header *header),
                   unsigned int drained)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_stats stats = {.size = sizeof(stats)};
    struct xen_vm_ring_event event = pair_event(XEN_VM_RING_REASON_CPUID, 1);
    struct xen_vm_ring_header *header;
    struct vmring_event got;
    struct pair pair;

    pair_make(&pair, &opts);
    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &event), 1);
    header = pair.producer->p.at;
    vmring_close(pair.ring);
    pair_serve();
    pair_serve();
    damage(header);
    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &event), 1);
    vmring_producer_flush(pair.producer);
    if (drained) {
        CHECK_EQ(vmring_next(pair.ring, &got), 1);
        CHECK_EQ(got.epoch_mark, 1);
        CHECK(got.rec.flags & XEN_VM_RING_FLAG_REPOSTED);
    }
    CHECK_EQ(vmring_next(pair.ring, &got), 1);
    CHECK_EQ(got.epoch_mark, 0);
    CHECK_EQ(vmring_next(pair.ring, &got), 0);
    CHECK_EQ(vmring_get_stats(pair.ring, &stats), 0);
    CHECK_EQ(stats.rejected, !drained);
    CHECK_EQ(stats.drained, drained);
    pair_end(&pair);
}

int main(void)
{
    drains(no_magic, 0);
    drains(later_feature, 0);
    drains(other_terms, 1);
    return 0;
}
