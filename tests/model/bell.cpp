/* SPDX-License-Identifier: MIT */
/*
 * Doorbells: no wake-up is lost, and there is at most one ring an arming.
 *
 * Whoever sleeps waits for a ring, or for the other side to be through with
 * all that it does: then nobody will ring any more, and if there is something
 * published that the sleeper has not looked at, its wake-up was lost.
 */
#include "model.h"

#define SLOTS 4

template <class Model, int threads, int nr_lanes>
struct bell_base : rl::test_suite<Model, threads> {
    struct ring ring;
    struct vmr_lane_tx tx[nr_lanes];
    struct vmr_lane_rx rx[nr_lanes];
    struct vmr_bell_rx bell;
    uint64_t words[8];
    uint64_t published[nr_lanes]; /* and flushed */
    struct rest consumer;

    void set_up(unsigned producers)
    {
        shadow_begin();
        ring =
            ring_make(0, nr_lanes, nr_lanes, XEN_VM_RING_POLICY_DISCARD, SLOTS);
        watch_bells(ring);
        vmr_bell_rx_init(&bell, &ring.geo, 0, ring.p, ring.c, words);
        for (uint32_t i = 0; i < nr_lanes; i++) {
            watch_lane(ring, i, EXCLUSIVE);
            vmr_lane_tx_init(&tx[i], &ring.geo, i, ring.p, ring.c);
            vmr_lane_rx_init(&rx[i], &ring.geo, i, ring.p, ring.c);
            published[i] = 0;
        }
        consumer.begin(producers);
    }

    void push(struct vmr_bell_tx *to, uint32_t lane)
    {
        struct xen_vm_ring_event event =
            event_make(tx[lane].head + 1, lane, XEN_VM_RING_EVENT_HEAD);

        CHECK(vmr_lane_push(&tx[lane], &event));
        vmr_bits_set(&to->lanes, lane);
    }

    void flush(struct vmr_bell_tx *from, uint32_t lane)
    {
        vmr_lane_show(&tx[lane]);
        if (vmr_bell_flush(from) == VMR_FLUSH_RING)
            consumer.ring();
        published[lane] = tx[lane].head;
    }

    /* Looks into the lanes whose bit is set. */
    void drain()
    {
        struct xen_vm_ring_event event;
        uint32_t lane;

        while (vmr_bits_next(&bell.lanes, 0, &lane)) {
            vmr_bits_clear(&bell.lanes, lane);
            while (vmr_lane_pull(&rx[lane], &event) == VMR_PULL_EVENT)
                CHECK(event_number(event, RECORD_WORDS) == rx[lane].tail);
            CHECK(!rx[lane].broken);
        }
    }

    bool all_drained()
    {
        for (uint32_t i = 0; i < nr_lanes; i++)
            if (rx[i].tail != published[i])
                return false;
        return true;
    }

    /* Until the producers are through. */
    void consume()
    {
        for (;;) {
            CHECK(vmr_bell_refill(&bell));
            drain();
            consumer.armings++;
            if (!vmr_bell_arm(&bell))
                continue;
            if (!consumer.sleep()) {
                CHECK(all_drained()); /* or a wake-up was lost */
                return;
            }
            vmr_bell_disarm(&bell);
        }
    }

    void after()
    {
        shadow_end();
    }
};

/* One producer, several publications that each set the same bit. */
struct publishes_model : bell_base<publishes_model, 2, 1> {
    struct vmr_bell_tx to;
    uint64_t to_words[8];

    void before()
    {
        set_up(1);
        vmr_bell_tx_init(&to, &ring.geo, 0, ring.p, ring.c, to_words);
    }

    void thread(unsigned index)
    {
        if (index == 1) {
            consume();
            return;
        }
        for (int i = 0; i < 4; i++) {
            push(&to, 0);
            if (i != 2) /* once two at a time */
                flush(&to, 0);
        }
        consumer.busy--;
    }
};

/* Two producers, each with an end of its own, and the one consumer. */
struct producers_model : bell_base<producers_model, 3, 2> {
    struct vmr_bell_tx to[2];
    uint64_t to_words[2][8];

    void before()
    {
        set_up(2);
        for (int i = 0; i < 2; i++)
            vmr_bell_tx_init(&to[i], &ring.geo, 0, ring.p, ring.c, to_words[i]);
    }

    void thread(unsigned index)
    {
        if (index == 2) {
            consume();
            return;
        }
        for (int i = 0; i < 2; i++) {
            push(&to[index], index);
            flush(&to[index], index);
        }
        consumer.busy--;
    }
};

/* Two publications, one sleep: every schedule of a few switches. */
struct bell_small_model : bell_base<bell_small_model, 2, 1> {
    struct vmr_bell_tx to;
    uint64_t to_words[8];
    bool asleep;

    void before()
    {
        set_up(1);
        vmr_bell_tx_init(&to, &ring.geo, 0, ring.p, ring.c, to_words);
        asleep = false;
    }

    void thread(unsigned index)
    {
        if (index == 0) {
            for (int i = 0; i < 2; i++) {
                push(&to, 0);
                flush(&to, 0);
            }
        } else {
            vmr_bell_refill(&bell);
            drain();
            consumer.armings++;
            asleep = vmr_bell_arm(&bell);
        }
    }

    void after()
    {
        CHECK(!asleep || consumer.rings || all_drained());
        shadow_end();
    }
};

/*
 * Answers: the producer sleeps, the consumer rings.  Requests whose deadline
 * passes make it happen that an answer finds its bit still set.
 */
struct answers_model : rl::test_suite<answers_model, 2> {
    static const int requests = 4;
    struct ring ring;
    struct vmr_slot_tx tx;
    struct vmr_request fifo[VMR_FIFO];
    struct vmr_slot_rx rx;
    struct vmr_bell_tx to;
    struct vmr_bell_rx from;
    uint64_t to_words[8], from_words[8];
    uint64_t answered, number;
    struct rest producer;

    void before()
    {
        shadow_begin();
        ring = ring_make(0, 1, 1, XEN_VM_RING_POLICY_DISCARD, 2);
        watch_bells(ring);
        watch_slot(ring, 0, EVENT_WORDS, RESPONSE_WORDS);
        vmr_slot_tx_init(&tx, fifo, 1);
        vmr_slot_tx_attach(&tx, &ring.geo, 0, ring.p, ring.c);
        vmr_slot_rx_init(&rx, &ring.geo, 0, ring.p, ring.c);
        vmr_bell_tx_init(&to, &ring.geo, 0, ring.p, ring.c, to_words);
        vmr_bell_rx_init(&from, &ring.geo, 0, ring.p, ring.c, from_words);
        answered = number = 0;
        producer.begin(1);
        post();
    }

    void post()
    {
        struct vmr_request request = {};

        request.event = event_make(++number, 0, XEN_VM_RING_EVENT_HEAD);
        request.cookie = number;
        CHECK(vmr_slot_add(&tx, &request) && vmr_slot_post(&tx));
    }

    /* false: all requests have had their verdict. */
    bool retire()
    {
        vmr_slot_retire(&tx);
        if (number == requests)
            return false;
        post();
        return true;
    }

    /* Looks where a bit is set, each once; false: as retire(). */
    bool collect()
    {
        struct xen_vm_ring_response response;
        uint32_t vcpu;

        while (vmr_bits_next(&to.fetched, 0, &vcpu)) {
            vmr_bits_clear(&to.fetched, vcpu);
            if (vmr_slot_collect(&tx, &response) != VMR_COLLECT_ANSWER)
                continue;
            CHECK(response_number(response, RESPONSE_WORDS) ==
                  vmr_slot_first(&tx)->cookie);
            if (!retire())
                return false;
        }
        return true;
    }

    void produce()
    {
        for (;;) {
            CHECK(vmr_bell_fetch_answers(&to) == VMR_RMW_DONE);
            if (!collect())
                return;
            if (rl::rand(3) == 0 && !retire())
                return; /* a deadline */
            producer.armings++;
            vmr_bell_arm_answers(&to);
            CHECK(vmr_bell_fetch_answers(&to) == VMR_RMW_DONE);
            if (to.fetched.low != to.fetched.high) {
                vmr_bell_disarm_answers(&to);
                continue;
            }
            if (!producer.sleep()) {
                CHECK(answered != tx.seq); /* or a wake-up was lost */
                return;
            }
            vmr_bell_disarm_answers(&to);
        }
    }

    void consume()
    {
        struct xen_vm_ring_event event;
        struct xen_vm_ring_response response;

        for (int i = 0; i < 8; i++) {
            enum vmr_take took = vmr_slot_take(&rx, &event);

            CHECK(took != VMR_TAKE_BROKEN);
            if (took != VMR_TAKE_EVENT)
                continue;
            response = response_make(event_number(event, EVENT_WORDS));
            answered = event.state;
            vmr_slot_answer(&rx, event.state, &response);
            vmr_bits_set(&from.given, 0);
            if (vmr_bell_flush_answers(&from) == VMR_FLUSH_RING)
                producer.ring();
        }
        producer.busy--;
    }

    void thread(unsigned index)
    {
        if (index == 0)
            produce();
        else
            consume();
    }

    void after()
    {
        shadow_end();
    }
};

/*
 * The target's state has no attention bit: it is looked at after arming.  Who
 * finds that the target has ended finds all that came before, too.
 */
struct state_model : bell_base<state_model, 2, 1> {
    struct vmr_producer target;
    struct vmr_bell_tx to;
    uint64_t to_words[8];

    void before()
    {
        set_up(1);
        watch(ring.header(), ATOMIC, 7ULL << 32);
        memset(&target, 0, sizeof(target));
        target.header = ring.header();
        vmr_bell_tx_init(&to, &ring.geo, 0, ring.p, ring.c, to_words);
    }

    void set(uint64_t state, uint64_t reason)
    {
        vmr_producer_set_target(&target, state, reason);
        if (vmr_bell_wake(&to) == VMR_FLUSH_RING)
            consumer.ring();
    }

    /* Has it ended?  Then the reason is there too. */
    bool ended()
    {
        struct vmr_consumer of;
        uint64_t reason, state;

        of.header = ring.header();
        state = vmr_consumer_target(&of, &reason);
        CHECK(state < XEN_VM_RING_TARGET_SHUTDOWN || reason == 3);
        return state >= XEN_VM_RING_TARGET_SHUTDOWN;
    }

    void thread(unsigned index)
    {
        if (index == 0) {
            set(XEN_VM_RING_TARGET_PAUSED, 0);
            push(&to, 0);
            set(XEN_VM_RING_TARGET_SHUTDOWN, 3);
            consumer.busy--;
            return;
        }
        for (;;) {
            drain();
            consumer.armings++;
            CHECK(vmr_bell_arm(&bell));
            if (ended())
                break;
            CHECK(consumer.sleep()); /* or a wake-up was lost */
            vmr_bell_disarm(&bell);
        }
        /*
         * One look at everything: no bit was set for the last record, and it
         * was not shown.
         */
        vmr_lane_rx_to_head(&rx[0]);
        vmr_bits_set_all(&bell.lanes, bell.nr_lanes);
        drain();
        CHECK(rx[0].tail == 1);
    }
};

struct outcome bell_publishes(const struct search &search)
{
    return run<publishes_model>(search);
}

struct outcome bell_producers(const struct search &search)
{
    return run<producers_model>(search);
}

struct outcome bell_answers(const struct search &search)
{
    return run<answers_model>(search);
}

struct outcome bell_state(const struct search &search)
{
    return run<state_model>(search);
}

struct outcome bell_small(const struct search &search)
{
    return run<bell_small_model>(search);
}
