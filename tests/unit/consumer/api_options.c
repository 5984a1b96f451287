/* SPDX-License-Identifier: MIT */
/*
 * Description: sized options: an unknown tail must be zero, a shorter one is
 * filled up with defaults, and what is filled in fits the caller's.
 */
#include <errno.h>

#include "check.h"
#include "vmring.h"

struct bigger_opts {
    struct vmring_opts opts;
    uint64_t tail[2];
};

struct bigger_producer_opts {
    struct vmring_producer_opts opts;
    uint64_t tail[2];
};

static int opens(const void *opts)
{
    struct vmring *ring;
    int ret = vmring_open("sim:vcpus=2", opts, &ring);

    if (!ret)
        vmring_close(ring);
    return ret;
}

static void consumer_options(void)
{
    struct bigger_opts big = {.opts.size = sizeof(big)};
    size_t small = sizeof(small);

    CHECK_EQ(opens(&big), 0);
    big.tail[0] = 1;
    CHECK_EQ(opens(&big), -E2BIG);
    big.tail[0] = 0;
    ((unsigned char *)&big)[sizeof(big) - 1] = 1;
    CHECK_EQ(opens(&big), -E2BIG);
    CHECK_EQ(opens(&small), 0);
    small = 0;
    CHECK_EQ(opens(&small), -EINVAL);
    small = sizeof(small) - 1;
    CHECK_EQ(opens(&small), -EINVAL);
}

static void producer_options(void)
{
    struct bigger_producer_opts big = {.opts = {.size = sizeof(big),
                                                .nr_vcpus = 1,
                                                .arch = XEN_VM_RING_ARCH_X86}};
    struct {
        struct vmring_producer_ops ops;
        uint64_t tail;
    } ops = {.ops.size = sizeof(ops), .tail = 1};
    struct vmring_producer *producer;

    CHECK_EQ(vmring_producer_open(&big.opts, &producer), 0);
    vmring_producer_close(producer, NULL, NULL);
    big.tail[1] = 1;
    CHECK_EQ(vmring_producer_open(&big.opts, &producer), -E2BIG);
    big.tail[1] = 0;
    big.opts.ops = &ops.ops;
    CHECK_EQ(vmring_producer_open(&big.opts, &producer), -E2BIG);
    ops.tail = 0;
    CHECK_EQ(vmring_producer_open(&big.opts, &producer), 0);
    vmring_producer_close(producer, NULL, NULL);

    big.opts.nr_vcpus = 0;
    CHECK_EQ(vmring_producer_open(&big.opts, &producer), -EINVAL);
    big.opts.nr_vcpus = XEN_VM_RING_MAX_VCPUS + 1;
    CHECK_EQ(vmring_producer_open(&big.opts, &producer), -EINVAL);
    big.opts.nr_vcpus = 1;
    big.opts.arch = 3;
    CHECK_EQ(vmring_producer_open(&big.opts, &producer), -EINVAL);
    big.opts.arch = XEN_VM_RING_ARCH_ARM;
    big.opts.source = XEN_VM_RING_SOURCE_SIMULATED + 1;
    CHECK_EQ(vmring_producer_open(&big.opts, &producer), -EINVAL);
}

/* What was on the stack: nothing is read or written by it. */
static void never_set(void)
{
    static const size_t sizes[] = {4097, (size_t)1 << 20, SIZE_MAX / 2,
                                   SIZE_MAX};
    struct vmring_opts opts = {0};
    struct vmring_producer_opts producer_opts = {.size = sizeof(producer_opts),
                                                 .nr_vcpus = 1,
                                                 .arch = XEN_VM_RING_ARCH_X86};
    struct vmring_producer_ops ops = {0};
    struct vmring_producer_stats producer_stats;
    struct vmring_producer *producer;
    struct vmring_stats stats;
    struct vmring_info info;
    struct vmring *ring;

    CHECK_EQ(vmring_open("sim:vcpus=2", NULL, &ring), 0);
    CHECK_EQ(vmring_producer_open(&producer_opts, &producer), 0);
    vmring_producer_dismiss(producer); /* of nobody */
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct vmring_producer *other;

        opts.size = ops.size = info.size = stats.size = sizes[i];
        producer_stats.size = sizes[i];
        CHECK_EQ(opens(&opts), -EINVAL);
        CHECK_EQ(vmring_get_info(ring, &info), -EINVAL);
        CHECK_EQ(vmring_get_stats(ring, &stats), -EINVAL);
        CHECK_EQ(vmring_producer_get_stats(producer, &producer_stats), -EINVAL);
        producer_opts.ops = &ops;
        CHECK_EQ(vmring_producer_open(&producer_opts, &other), -EINVAL);
        producer_opts.ops = NULL;
        producer_opts.size = sizes[i];
        CHECK_EQ(vmring_producer_open(&producer_opts, &other), -EINVAL);
        producer_opts.size = sizeof(producer_opts);
    }
    vmring_producer_close(producer, NULL, NULL);
    vmring_close(ring);
}

static void filled_in(void)
{
    struct {
        struct vmring_info info;
        unsigned char tail[32];
    } big;
    struct {
        size_t size;
        uint32_t nr_vcpus, canary;
    } small = {.size = sizeof(size_t) + 4, .canary = 77};
    struct vmring *ring;

    CHECK_EQ(vmring_open("sim:vcpus=2", NULL, &ring), 0);
    memset(&big, 0xff, sizeof(big));
    big.info.size = sizeof(big);
    CHECK_EQ(vmring_get_info(ring, &big.info), 0);
    CHECK_EQ(big.info.size, sizeof(big));
    CHECK_EQ(big.info.nr_vcpus, 2);
    for (size_t i = 0; i < sizeof(big.tail); i++)
        CHECK_EQ(big.tail[i], 0);
    CHECK_EQ(vmring_get_info(ring, (void *)&small), 0);
    CHECK_EQ(small.nr_vcpus, 2);
    CHECK_EQ(small.canary, 77);
    small.size = 0;
    CHECK_EQ(vmring_get_info(ring, (void *)&small), -EINVAL);
    vmring_close(ring);
    vmring_close(NULL);
    vmring_producer_close(NULL, NULL, NULL);
}

int main(void)
{
    consumer_options();
    producer_options();
    never_set();
    filled_in();
    return 0;
}
