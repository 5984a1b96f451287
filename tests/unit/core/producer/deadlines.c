/* SPDX-License-Identifier: MIT */
/*
 * Description: each request gets the neutral verdict at its own deadline,
 * none before, with a consumer, without one and before the first.
 */
#include "rig.h"

static struct rig rig;

static void expires(void)
{
    static const uint64_t deadlines[] = {500, 100, 300,
                                         300, 900, VMR_NO_DEADLINE};
    struct vmr_verdict verdict;
    unsigned int seen = 0;

    for (uint32_t v = 0; v < 6; v++) {
        struct vmr_request request = rig_request(v, v, deadlines[v]);

        CHECK(vmr_producer_post(&rig.tx, &request));
    }
    CHECK(rig.tx.next_deadline <= 100);
    for (rig.now = 0; rig.now < 1000; rig.now++) {
        while (rig_collect(&rig, &verdict)) {
            uint32_t v = verdict.request.event.vcpu;

            CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
            CHECK_EQ(deadlines[v], rig.now);
            CHECK_EQ(verdict.request.cookie, v);
            CHECK_EQ(verdict.response.flags, 0);
            CHECK(!(seen & 1u << v));
            seen |= 1u << v;
        }
        /* Nothing lies before what is said to be the next. */
        for (uint32_t v = 0; v < 6; v++)
            CHECK((seen & 1u << v) || deadlines[v] >= rig.tx.next_deadline);
    }
    CHECK_EQ(seen, 31);
    rig.now = VMR_NO_DEADLINE - 1;
    CHECK(!rig_collect(&rig, &verdict));
    /* The last goes by release alone. */
    vmr_producer_sweep(&rig.tx);
    vmr_producer_release(&rig.tx);
    while (!rig_collect(&rig, &verdict))
        ;
    CHECK_EQ(verdict.by, VMR_BY_DETACH);
    CHECK(!rig_collect(&rig, &verdict));
}

/* Behind one another: the second's deadline is seen when it is first. */
static void fifo_expires(void)
{
    struct vmr_verdict verdict;
    struct vmr_request request = rig_request(3, 1, 200);

    rig_attach(&rig);
    CHECK(vmr_producer_post(&rig.tx, &request));
    request = rig_request(3, 2, 100);
    CHECK(vmr_producer_post(&rig.tx, &request));
    request = rig_request(3, 3, 400);
    CHECK(vmr_producer_post(&rig.tx, &request));
    rig.now = 199;
    CHECK(!rig_collect(&rig, &verdict));
    rig.now = 200;
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.request.cookie, 1);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.request.cookie, 2);
    CHECK(!rig_collect(&rig, &verdict));
    CHECK(!rig_collect(&rig, &verdict));
    CHECK_EQ(rig.tx.next_deadline, 400);
    rig.now = 400;
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.request.cookie, 3);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(6, 1, 0, 2);

    rig_make(&rig, &geo);
    rig.tx.header = NULL; /* as before the first consumer */
    free(rig.tx_memory);
    rig.tx_memory = calloc(1, vmr_producer_size(6, 7));
    vmr_producer_init(&rig.tx, rig.tx_memory, 6, 7);
    expires();
    rig_attach(&rig);
    expires();
    rig_attach(&rig);
    expires();
    fifo_expires();
    return 0;
}
