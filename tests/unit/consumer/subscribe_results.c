/* SPDX-License-Identifier: MIT */
/*
 * Description: what became of each event of a subscription is told, the
 * worst of it is the call's error, and the source's own words come along.
 */
#include "pair.h"

#include <errno.h>

static struct pair pair;
static char error[256];

/* MSR 0x10 + n gets the result n. */
static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *text,
                      size_t text_len)
{
    (void)ctx;
    for (unsigned int i = 0; i < nr; i++) {
        if (specs[i].reason != XEN_VM_RING_REASON_MOV_TO_MSR)
            continue;
        results[i] = (int)(specs[i].first - 0x10);
        if (results[i])
            snprintf(text, text_len, "no luck with 0x%x",
                     (unsigned int)specs[i].first);
    }
}

static uint64_t all_can(void *ctx)
{
    (void)ctx;
    return UINT64_MAX;
}

static int is_quiet;

static bool quiet(void *ctx)
{
    (void)ctx;
    /* What was on its way comes while it is asked. */
    if (is_quiet == 2) {
        struct xen_vm_ring_event event =
            pair_event(XEN_VM_RING_REASON_CPUID, 0);

        CHECK_EQ(vmring_producer_post(pair.producer, &event, 1), 0);
    }
    return is_quiet;
}

static const struct vmring_producer_ops ops = {
    .size = sizeof(ops),
    .subscribe = subscribe,
    .supported = all_can,
    .quiet = quiet,
};

static int asks(const char *events, int *results)
{
    error[0] = '\0';
    return vmring_subscribe(pair.ring, events, results, error, sizeof(error));
}

static void results_are_told(void)
{
    int results[4] = {7, 7, 7, 7};
    char much[VMRING_MAX_SPECS * 16], *at = much;

    CHECK_EQ(asks("", NULL), 0);
    CHECK_EQ(asks("cpuid msr:0x10", results), 2);
    CHECK_EQ(results[0], VMRING_SPEC_ARMED);
    CHECK_EQ(results[1], VMRING_SPEC_ARMED);
    CHECK_EQ(asks("msr:0x11 cpuid", results), -ENOTSUP);
    CHECK_EQ(results[0], VMRING_SPEC_UNSUPPORTED);
    CHECK_EQ(results[1], VMRING_SPEC_ARMED);
    CHECK_STR(error, "no luck with 0x11");
    CHECK_EQ(asks("msr:0x12", NULL), -EPERM);
    CHECK_EQ(asks("msr:0x13 msr:0x12 msr:0x11", results), -EIO);
    CHECK_EQ(results[0], VMRING_SPEC_FAILED);
    CHECK_EQ(results[1], VMRING_SPEC_DENIED);
    CHECK_EQ(results[2], VMRING_SPEC_UNSUPPORTED);
    CHECK_EQ(asks("msr:0x200", NULL), -EIO);

    /* There is nothing to arm any more; one that is suspended goes on. */
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_SHUTDOWN,
                                     XEN_VM_RING_SHUTDOWN_SUSPEND);
    CHECK_EQ(asks("msr:0x13", NULL), -EIO);
    vmring_producer_set_target_state(pair.producer,
                                     XEN_VM_RING_TARGET_DESTROYED, 0);
    CHECK_EQ(asks("msr:0x10", results), -ESRCH);
    CHECK_EQ(results[0], VMRING_SPEC_FAILED);
    CHECK_HAS(error, "the target has ended");
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_RUNNING,
                                     0);

    /* The allow-list comes first; only the first that it denies is named. */
    CHECK_EQ(asks("cr3 cr4 cpuid", results), -EPERM);
    CHECK_EQ(results[0], VMRING_SPEC_DENIED);
    CHECK_EQ(results[1], VMRING_SPEC_DENIED);
    CHECK_EQ(results[2], VMRING_SPEC_ARMED);
    CHECK_HAS(error, "write_ctrlreg");

    /* Not even asked. */
    CHECK_EQ(asks("nonsense", NULL), -EINVAL);
    CHECK_HAS(error, "nonsense");
    for (unsigned int i = 0; i <= VMRING_MAX_SPECS; i++)
        at += sprintf(at, "msr:%u ", 1000 + i);
    CHECK_EQ(asks(much, NULL), -EINVAL);
    CHECK_HAS(error, "too many");
}

static void support_is_masked(void)
{
    struct vmring_kind kind;
    uint64_t mask;

    CHECK_EQ(vmring_supported(pair.ring, &mask), 0);
    for (unsigned int i = 0; vmring_get_kind(i, &kind) == 0; i++)
        CHECK_EQ(mask >> i & 1,
                 kind.reason == XEN_VM_RING_REASON_CPUID ||
                     kind.reason == XEN_VM_RING_REASON_MOV_TO_MSR);
}

static void answer_one(void)
{
    struct xen_vm_ring_response response;
    struct vmring_verdict verdict;
    struct vmring_event event;

    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    vmring_neutral(&event, &response);
    CHECK_EQ(vmring_respond(pair.ring, &event, &response), 0);
    vmring_flush(pair.ring);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 1);
}

/* Quiet is told once nothing is on its way and nothing waits. */
static void quiet_is_told(void)
{
    struct vmring_verdict verdict;
    struct vmring_event event;

    CHECK_EQ(vmring_quiesce(pair.ring), 0);
    is_quiet = 0;
    pair_serve();
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    is_quiet = 1;
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 0);
    is_quiet = 2;
    CHECK_EQ(vmring_producer_dispatch(pair.producer), 0);
    vmring_producer_flush(pair.producer);
    is_quiet = 1;
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict),
             0); /* it waits */
    answer_one();
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    pair_serve();
    CHECK_EQ(vmring_next(pair.ring, &event), -ENODATA);
    CHECK_EQ(vmring_next(pair.ring, &event), -ENODATA);
}

/* What is asked for then arms nothing, and does not keep QUIET from coming. */
static void ends(void)
{
    struct vmring_event event;
    int results[2];

    vmring_producer_dismiss(pair.producer);
    is_quiet = 0;
    CHECK_EQ(vmring_subscribe(pair.ring, "cpuid msr:0x10", results, error,
                              sizeof(error)),
             -EIO);
    CHECK_EQ(results[0], VMRING_SPEC_FAILED);
    CHECK_EQ(results[1], VMRING_SPEC_FAILED);
    CHECK_HAS(error, "the producer ends");
    is_quiet = 1;
    pair_serve();
    CHECK_EQ(vmring_next(pair.ring, &event), -ENODATA);
    vmring_producer_set_target_state(pair.producer,
                                     XEN_VM_RING_TARGET_DESTROYED, 0);
    CHECK_EQ(
        vmring_subscribe(pair.ring, "cpuid", results, error, sizeof(error)),
        -ESRCH);
    CHECK_EQ(results[0], VMRING_SPEC_FAILED);
}

int main(void)
{
    struct vmring_producer_opts opts = pair_opts();

    opts.ops = &ops;
    opts.reasons =
        1u << XEN_VM_RING_REASON_CPUID | 1u << XEN_VM_RING_REASON_MOV_TO_MSR;
    pair_make(&pair, &opts);
    pair_attach(&pair, NULL);
    results_are_told();
    support_is_masked();
    quiet_is_told();
    pair_end(&pair);
    pair_make(&pair, &opts);
    pair_attach(&pair, NULL);
    ends();
    pair_end(&pair);

    /* A source that can say nothing. */
    opts.ops = NULL;
    pair_make(&pair, &opts);
    pair_attach(&pair, NULL);
    {
        uint64_t mask;

        CHECK_EQ(vmring_supported(pair.ring, &mask), 0);
        CHECK_EQ(mask, 0);
    }
    CHECK_EQ(asks("cpuid", NULL), 1);
    pair_end(&pair);
    return 0;
}
