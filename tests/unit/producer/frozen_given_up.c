/* SPDX-License-Identifier: MIT */
/*
 * Description: consumers that die in a row, each with records unread, cost a
 * bounded number of pages; what is given up for that is counted lost.
 */
#include "pair.h"

static struct pair pair;
static unsigned int nr_told;

static void count_line(void *ctx, int level, const char *text)
{
    (void)ctx;
    if (level > 4)
        return;
    CHECK_HAS(text, "are given up");
    CHECK(strncmp(text, "0 ", 2));
    nr_told++;
}

/* Attaches, has records pushed that it does not read, and goes; in a row. */
static uint64_t unread_after(unsigned int deaths, uint64_t max_async_len,
                             int nr_records)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {.size = sizeof(ours), .record_len = 64};
    struct xen_vm_ring_event event =
        pair_event(XEN_VM_RING_REASON_MOV_TO_MSR, 1);
    struct vmring_producer_stats stats = {.size = sizeof(stats)};
    struct holding before = faults_holding();
    struct fault none = {"nothing", 0};
    uint64_t drained = 0;
    struct vmring_event got;

    ours.async_len = 65536;
    opts.log = count_line;
    nr_told = 0;
    opts.max_async_len = max_async_len;
    pair_make(&pair, &opts);
    for (unsigned int i = 0; i < deaths; i++) {
        pair_attach(&pair, &ours);
        for (int n = 0; n < nr_records; n++)
            CHECK_EQ(vmring_producer_push(pair.producer, 1, &event), 1);
        vmring_close(pair.ring);
        pair.ring = NULL;
        pair_serve();
        pair_serve();
        CHECK(faults_holding().mappings <=
              before.mappings + XEN_VM_RING_MAX_PREV + 1);
    }
    pair_attach(&pair, &ours);
    while (vmring_next(pair.ring, &got) == 1) {
        CHECK_EQ(got.epoch_mark, 1);
        drained++;
    }
    CHECK_EQ(vmring_producer_get_stats(pair.producer, &stats), 0);
    CHECK_EQ(stats.records, (uint64_t)nr_records * deaths);
    CHECK_EQ(stats.discarded + drained, stats.records);
    pair_end(&pair);
    faults_check_holding(&before, &none);
    return drained;
}

int main(void)
{
    CHECK_EQ(unread_after(3, 1 << 20, 10), 30);
    CHECK_EQ(nr_told, 0);
    /* As many as one answer can hand on. */
    CHECK_EQ(unread_after(XEN_VM_RING_MAX_PREV, 1 << 24, 10),
             10 * XEN_VM_RING_MAX_PREV);
    CHECK_EQ(unread_after(XEN_VM_RING_MAX_PREV + 4, 1 << 24, 10),
             10 * XEN_VM_RING_MAX_PREV);
    CHECK_EQ(nr_told, 4);
    /* As much as two rings of the largest size hold. */
    CHECK_EQ(unread_after(3, 65536, 10), 10);
    /* Where nothing was unread, nothing is told. */
    CHECK_EQ(unread_after(XEN_VM_RING_MAX_PREV + 4, 1 << 24, 0), 0);
    CHECK_EQ(nr_told, 0);
    return 0;
}
