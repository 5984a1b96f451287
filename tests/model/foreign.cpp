/* SPDX-License-Identifier: MIT */
/*
 * The lane of no vCPU over two epochs: threads push whenever they like, while
 * another detaches the consumer, freezes P, and attaches the next.
 *
 * What is taken away is touched by nobody any more: the cursor after the sweep,
 * the old P once it is frozen; and the new one not before it is there.  No
 * attempt is missing in the ledgers of both.
 */
#include "model.h"

#define SLOTS   2
#define PUSHERS 2
#define PUSHES  3

struct foreign_model : rl::test_suite<foreign_model, PUSHERS + 1> {
    struct ring rings[EPOCHS];
    struct vmr_producer tx;
    alignas(8) unsigned char tx_memory[16384];
    uint64_t counted;

    void before()
    {
        shadow_begin();
        for (uint32_t e = 0; e < EPOCHS; e++) {
            rings[e] = ring_make(e, 1, 2, XEN_VM_RING_POLICY_DISCARD, SLOTS);
            watch_slot(rings[e], 0, EVENT_WORDS, RESPONSE_WORDS);
            watch_bells(rings[e]);
            watch(rings[e].header(), ATOMIC, 7ULL << 32);
            watch_lane(rings[e], 0, EXCLUSIVE);
            /* Who counts there has the lock, or the P that is frozen. */
            watch(rings[e].lane(1), EXCLUSIVE, 1 << 1);
            watch(rings[e].lane(1), ATOMIC, 0xd | 1 << 16);
            /* Nobody but the pushers has it, until it is unmapped. */
            watch(rings[e].cursor(1), EXCLUSIVE);
            for (uint64_t i = 0; i < SLOTS; i++)
                watch(rings[e].record(1, i), EXCLUSIVE, RECORD_WORDS);
        }
        vmr_producer_init(&tx, tx_memory, 1, 2);
        watch_foreign(tx.foreign);
        vmr_producer_attach(&tx, &rings[0].geo, rings[0].p, rings[0].c);
        counted = 0;
    }

    void push(uint64_t number)
    {
        struct xen_vm_ring_event event =
            event_make(number, 1, XEN_VM_RING_EVENT_HEAD);

        vmr_producer_push(&tx, 1, &event);
    }

    /* All that a P says of the lane. */
    void count(const struct ring &ring)
    {
        struct vmr_consumer consumer;
        struct vmr_lane_rx rx[2];
        uint64_t head, lost;

        vmr_lane_rx_init(&rx[1], &ring.geo, 1, ring.p, NULL);
        consumer.lanes = rx;
        vmr_consumer_lane(&consumer, 1, &head, &lost);
        counted += head + lost;
    }

    void detach()
    {
        struct vmr_verdict verdict;

        vmr_producer_sweep(&tx);
        while (tx.attached) {
            CHECK(!vmr_producer_collect(&tx, 0, &verdict));
            rl::ctx().sched();
        }
        /* As whoever has the memory next would write it. */
        vmr_store_relaxed(&rings[0].cursor(1)->cons, 7);
    }

    void freeze()
    {
        struct xen_vm_ring_event event;
        struct vmr_lane_rx rx;

        while (!vmr_producer_freeze(&tx))
            rl::ctx().sched();
        vmr_lane_rx_init(&rx, &rings[0].geo, 1, rings[0].p, NULL);
        vmr_lane_rx_resume(&rx);
        while (vmr_lane_pull(&rx, &event) == VMR_PULL_EVENT)
            event_number(event, RECORD_WORDS);
        CHECK(!rx.broken);
        count(rings[0]);
    }

    void attach()
    {
        /* Whoever makes the regions zeroes them. */
        for (uint64_t i = 0; i < SLOTS; i++)
            vmr_store_relaxed(&rings[1].record(1, i)->state, 0);
        vmr_producer_attach(&tx, &rings[1].geo, rings[1].p, rings[1].c);
        vmr_producer_flush(&tx);
    }

    void thread(unsigned index)
    {
        if (index < PUSHERS) {
            for (uint64_t i = 1; i <= PUSHES; i++)
                push(index * PUSHES + i);
            return;
        }
        detach();
        freeze();
        attach();
    }

    void after()
    {
        vmr_producer_flush(&tx);
        count(rings[1]);
        CHECK(counted == PUSHERS * PUSHES);
        shadow_end();
    }
};

struct outcome foreign(const struct search &search)
{
    return run<foreign_model>(search);
}
