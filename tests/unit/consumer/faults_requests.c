/* SPDX-License-Identifier: MIT */
/*
 * Description: what a consumer asks of its producer fails with the system's
 * own error, keeps nothing, and can be asked again.
 */
#include "pair.h"

#include <errno.h>

static struct pair pair;

static void attach(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct xen_vm_ring_event event = pair_event(XEN_VM_RING_REASON_CPUID, 1);

    pair_make(&pair, &opts);
    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &event), 1);
}

static void end(void)
{
    pair_end(&pair);
}

static int subscribe(void)
{
    return vmring_subscribe(pair.ring, "cpuid cr3", NULL, NULL, 0);
}

static int supported(void)
{
    uint64_t mask;

    return vmring_supported(pair.ring, &mask);
}

static int counts(void)
{
    struct vmring_count *rows;
    int ret = vmring_counts(pair.ring, &rows);

    if (ret >= 0)
        free(rows);
    return ret;
}

static int lane_counts(void)
{
    struct vmring_lane_count *rows;
    int ret = vmring_lane_counts(pair.ring, &rows);

    if (ret >= 0)
        free(rows);
    return ret;
}

static int producer_counts(void)
{
    struct vmring_count *rows;
    int ret = vmring_producer_counts(pair.producer, &rows);

    if (ret >= 0)
        free(rows);
    return ret;
}

static int quiesce(void)
{
    return vmring_quiesce(pair.ring);
}

static void check(int (*op)(void), int success, unsigned int least)
{
    /* A signal while it waits is nothing to it. */
    const struct expectation expect[] = {{"poll", success}, {0}};
    struct walk walk = {
        .prepare = attach,
        .op = op,
        .settle = end,
        .expect = expect,
        .success = success,
    };

    CHECK(faults_walk(&walk) >= least);
}

int main(void)
{
    check(subscribe, 2, 3);
    check(supported, 0, 3);
    check(counts, 1, 5);
    check(lane_counts, 2, 1);
    check(producer_counts, 1, 1);
    check(quiesce, 0, 1);
    return 0;
}
