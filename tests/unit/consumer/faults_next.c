/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer whose doorbell cannot be rung, heard or taken note
 * of gets its events all the same, and its producer the answers.
 */
#include "pair.h"

#include <errno.h>

static struct pair pair;

static void attach(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_event event;
    struct vmring_verdict verdict;

    pair_make(&pair, &opts);
    pair_attach(&pair, NULL);
    /* Both have armed. */
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 0);
}

static void end(void)
{
    pair_end(&pair);
}

/* A request there and back, and a record: each call of it may fail. */
static int exchange(void)
{
    struct xen_vm_ring_event raised = pair_event(XEN_VM_RING_REASON_CPUID, 1);
    struct xen_vm_ring_response response;
    struct vmring_verdict verdict;
    struct vmring_event event;
    int ret;

    if (vmring_producer_post(pair.producer, &raised, 7) ||
        vmring_producer_push(pair.producer, 1, &raised) != 1)
        return -1;
    vmring_producer_flush(pair.producer);
    if (vmring_next(pair.ring, &event) != 1 || !event.seq)
        return -2;
    vmring_neutral(&event, &response);
    if (vmring_respond(pair.ring, &event, &response))
        return -3;
    if (vmring_next(pair.ring, &event) != 1 || event.seq)
        return -4;
    /* A control channel that cannot be read is lost: but only now. */
    ret = vmring_next(pair.ring, &event);
    if (ret != 0 && ret != -ECONNRESET)
        return -5;
    if (vmring_producer_dispatch(pair.producer))
        return -6;
    if (vmring_producer_collect(pair.producer, &verdict) != 1 ||
        verdict.cookie != 7)
        return -7;
    return 0;
}

int main(void)
{
    static const struct expectation expect[] = {
        {"send", 0}, {"recv", 0}, {"poll", 0}, {"recvmsg", 0}, {0},
    };
    static const struct walk walk = {
        .prepare = attach, .op = exchange, .settle = end, .expect = expect};

    CHECK(faults_walk(&walk) >= 4);
    return 0;
}
