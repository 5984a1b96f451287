/* SPDX-License-Identifier: MIT */
/*
 * Description: a frozen region whose header makes no sense is passed over and
 * counted; the records of the consumer's own epoch come all the same.
 */
#include "pair.h"

#include "producer/producer.h"

int main(void)
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
    header->magic++;
    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &event), 1);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &got), 1);
    CHECK_EQ(got.epoch_mark, 0);
    CHECK_EQ(vmring_next(pair.ring, &got), 0);
    CHECK_EQ(vmring_get_stats(pair.ring, &stats), 0);
    CHECK_EQ(stats.rejected, 1);
    CHECK_EQ(stats.drained, 0);
    pair_end(&pair);
    return 0;
}
