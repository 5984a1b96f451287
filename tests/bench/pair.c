/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include "worker.h"

void pair_end(struct pair *pair)
{
    if (!pair)
        return;
    bench_unmap(pair->p, pair->geo.p_len);
    bench_unmap(pair->c, pair->geo.c_len);
    bench_unmap(pair->tx_memory,
                vmr_producer_size(pair->geo.nr_vcpus, pair->geo.nr_lanes));
    bench_unmap(pair->rx_memory, vmr_consumer_size(&pair->geo));
    bench_unmap(pair, sizeof(*pair));
}

struct pair *pair_make(const struct pair_plan *plan)
{
    struct pair *pair = bench_map(sizeof(*pair));
    uint32_t nr = plan->nr_vcpus;
    struct vmr_geometry geo = {
        .features = XEN_VM_RING_FEATURE_REGISTERS,
        .epoch = 1,
        .nr_vcpus = nr,
        .nr_lanes = nr,
        .nr_groups = 1,
        .loss_policy = plan->policy,
        .verdicts = plan->verdicts,
        .arch = XEN_VM_RING_ARCH_X86,
        .clock = XEN_VM_RING_CLOCK_MONOTONIC,
        .record_len = plan->record_len,
    };

    if (!pair)
        return NULL;
    if (!vmr_geometry_lay_out(&geo, plan->async_len)) {
        bench_unmap(pair, sizeof(*pair));
        return NULL;
    }
    pair->geo = geo;
    pair->p = bench_map(geo.p_len);
    pair->c = bench_map(geo.c_len);
    pair->tx_memory = bench_map(vmr_producer_size(nr, nr));
    pair->rx_memory = bench_map(vmr_consumer_size(&geo));
    if (!pair->p || !pair->c || !pair->tx_memory || !pair->rx_memory) {
        pair_end(pair);
        return NULL;
    }
    vmr_geometry_publish(&geo, (void *)pair->p);
    vmr_producer_init(&pair->tx, pair->tx_memory, nr, nr);
    vmr_producer_attach(&pair->tx, &geo, pair->p, pair->c);
    vmr_consumer_init(&pair->rx, &geo, pair->rx_memory, pair->p, pair->c);
    return pair;
}
