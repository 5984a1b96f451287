/* SPDX-License-Identifier: MIT */
/*
 * A whole ring, by the functions that the library calls: requests and records,
 * both sides sleeping by the doorbells alone.
 *
 * Each request gets one verdict, each record is delivered once or counted
 * lost, and nobody sleeps for ever.
 */
#include "model.h"

#define REQUESTS 2
#define RECORDS  4

struct whole_model : rl::test_suite<whole_model, 2> {
    struct ring ring;
    struct vmr_producer tx;
    struct vmr_consumer rx;
    alignas(8) unsigned char tx_memory[16384], rx_memory[8192];
    struct rest producer, consumer;
    unsigned verdicts[REQUESTS + 1], nr_verdicts;
    bool answered[REQUESTS + 1];
    uint64_t accepted[RECORDS], nr_accepted, nr_pulled, now;

    void before()
    {
        shadow_begin();
        ring = ring_make(0, 1, 1, XEN_VM_RING_POLICY_DISCARD, 2);
        watch_slot(ring, 0, EVENT_WORDS, RESPONSE_WORDS);
        watch_lane(ring, 0, EXCLUSIVE);
        watch_bells(ring);
        watch(ring.header(), ATOMIC, 7ULL << 32);
        vmr_producer_init(&tx, tx_memory, 1, 1);
        vmr_producer_attach(&tx, &ring.geo, ring.p, ring.c);
        vmr_consumer_init(&rx, &ring.geo, rx_memory, ring.p, ring.c);
        producer.begin(1);
        consumer.begin(1);
        memset(verdicts, 0, sizeof(verdicts));
        memset(answered, 0, sizeof(answered));
        nr_verdicts = nr_accepted = nr_pulled = now = 0;
    }

    void thread(unsigned index)
    {
        if (index == 0)
            produce();
        else
            consume();
    }

    void flush()
    {
        if (vmr_producer_flush(&tx))
            consumer.ring();
    }

    void collect()
    {
        struct vmr_verdict verdict;

        while (vmr_producer_collect(&tx, now, &verdict)) {
            uint64_t number = verdict.request.cookie;

            verdicts[number]++;
            nr_verdicts++;
            CHECK(verdict.by == VMR_BY_DEADLINE ||
                  (verdict.by == VMR_BY_CONSUMER && answered[number] &&
                   verdict.response.altp2m_idx == number &&
                   response_number(verdict.response, RESPONSE_WORDS & ~2U) ==
                       number));
        }
        flush();
    }

    void push(uint64_t number)
    {
        struct xen_vm_ring_event event =
            event_make(number, 0, XEN_VM_RING_EVENT_HEAD);

        accepted[nr_accepted] = number;
        if (vmr_producer_push(&tx, 0, &event))
            nr_accepted++;
    }

    void produce()
    {
        for (uint64_t i = 1; i <= RECORDS; i++) {
            push(i);
            if (i <= REQUESTS) {
                struct vmr_request request = {};

                request.event = event_make(i, 0, XEN_VM_RING_EVENT_HEAD);
                request.cookie = i;
                /* The first one waits for its verdict, the next may not. */
                request.deadline = i == 1 ? VMR_NO_DEADLINE : 4;
                CHECK(vmr_producer_post(&tx, &request));
            }
            if (rl::rand(2))
                flush();
            now += rl::rand(3);
            if (rl::rand(2))
                collect();
        }
        flush();
        for (;;) {
            collect();
            if (nr_verdicts == REQUESTS)
                break;
            producer.armings++;
            if (vmr_producer_arm(&tx))
                CHECK(producer.sleep());
        }
        vmr_producer_set_target(&tx, XEN_VM_RING_TARGET_SHUTDOWN, 3);
        if (vmr_producer_wake(&tx))
            consumer.ring();
        consumer.busy--;
    }

    void answer(const struct xen_vm_ring_event &event)
    {
        uint64_t number = event_number(event, EVENT_WORDS);
        struct xen_vm_ring_response response = response_make(number);

        response.flags = 0; /* void ones are cleared, others need rights */
        response.reason = event.reason;
        response.altp2m_idx = (uint16_t)number;
        answered[number] = true;
        vmr_consumer_answer(&rx, 0, event.state, &response);
        if (vmr_consumer_flush(&rx, 0))
            producer.ring();
    }

    /* Nothing is visible.  false: nor will be. */
    bool rest(bool *ended)
    {
        uint64_t reason;

        consumer.armings++;
        if (!vmr_consumer_arm(&rx, 0))
            return true;
        if (vmr_consumer_target(&rx, &reason) >= XEN_VM_RING_TARGET_SHUTDOWN) {
            CHECK(reason == 3);
            vmr_consumer_disarm(&rx, 0);
            vmr_consumer_rescan(&rx, 0);
            if (*ended)
                return false;
            *ended = true;
            return true;
        }
        CHECK(consumer.sleep()); /* or a wake-up was lost */
        vmr_consumer_disarm(&rx, 0);
        return true;
    }

    void consume()
    {
        struct xen_vm_ring_event event;
        bool ended = false;
        uint32_t where;

        for (;;) {
            switch (vmr_consumer_next(&rx, 0, &event, &where)) {
            case VMR_NEXT_REQUEST:
                answer(event);
                break;
            case VMR_NEXT_RECORD:
                CHECK(event_number(event, RECORD_WORDS) == accepted[nr_pulled]);
                nr_pulled++;
                break;
            case VMR_NEXT_NONE:
                if (!rest(&ended)) {
                    CHECK(nr_pulled == nr_accepted);
                    producer.busy--;
                    return;
                }
                break;
            case VMR_NEXT_AGAIN:
                break;
            case VMR_NEXT_BROKEN:
                CHECK(!"fault");
            }
        }
    }

    void after()
    {
        uint64_t head, lost;

        for (int i = 1; i <= REQUESTS; i++)
            CHECK(verdicts[i] == 1);
        vmr_consumer_lane(&rx, 0, &head, &lost);
        CHECK(head + lost == RECORDS && head == nr_pulled);
        CHECK(!tx.lane_faults && !tx.broken);
        shadow_end();
    }
};

struct outcome whole(const struct search &search)
{
    return run<whole_model>(search);
}
