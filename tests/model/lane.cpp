/* SPDX-License-Identifier: MIT */
/*
 * Lanes: both policies, two slots, several rounds; the shared lane of several
 * producers; a lane that is frozen and handed to a successor.
 *
 * No record is torn or in a wrong place, no overrun is claimed that was none,
 * and in the end attempts = head + lost, delivered + overwritten + pending =
 * head.
 */
#include "model.h"

#define SLOTS      2
#define MAX_PUSHES 8

template <class Model, int threads>
struct lane_base : rl::test_suite<Model, threads> {
    struct ring ring;
    struct vmr_lane_tx tx;
    struct vmr_lane_rx rx;
    uint64_t at[MAX_PUSHES]; /* number of the record, by position */
    uint64_t begun;          /* positions that a push has begun to write */
    uint64_t attempts;
    uint64_t mask; /* words of a record that are watched */
    bool late;     /* what is pushed is shown by a later push, or never */

    void set_up(uint32_t policy, enum kind kind, uint64_t of_record)
    {
        mask = of_record;
        shadow_begin();
        ring = ring_make(0, 1, 1, policy, SLOTS);
        watch_lane(ring, 0, kind, mask);
        memset(at, 0, sizeof(at));
        begun = attempts = 0;
        late = false;
        vmr_lane_tx_init(&tx, &ring.geo, 0, ring.p, ring.c);
        vmr_lane_rx_init(&rx, &ring.geo, 0, ring.p, ring.c);
    }

    bool reserve(const struct xen_vm_ring_event &event)
    {
        union xen_vm_ring_tail *regs = NULL;

        return vmr_lane_reserve(&tx, &event, &regs) && !regs;
    }

    bool in_place(const struct xen_vm_ring_event &event)
    {
        if (!reserve(event))
            return false;
        vmr_lane_commit(&tx);
        return true;
    }

    void push()
    {
        uint64_t number = ++attempts;
        struct xen_vm_ring_event event =
            event_make(number, 0, XEN_VM_RING_EVENT_HEAD);

        at[tx.head] = number;
        begun = tx.head + 1;
        /* One that is begun and not committed: the next has its position. */
        if (late && number == 5)
            CHECK(reserve(event));
        if (number % 2 ? !vmr_lane_push(&tx, &event) : !in_place(event))
            begun = tx.head;
        if (!late || rl::rand(2))
            vmr_lane_show(&tx);
    }

    /* One pull of an honest producer's lane; what it says must be true. */
    enum vmr_pull pull(struct vmr_lane_rx *from)
    {
        uint64_t tail = from->tail, overwritten = from->overwritten;
        struct xen_vm_ring_event event;
        enum vmr_pull got = vmr_lane_pull(from, &event);

        CHECK(got != VMR_PULL_BROKEN);
        /* What was skipped is overwritten, or about to be. */
        overwritten = from->overwritten - overwritten;
        CHECK(!overwritten || tail + overwritten - 1 + SLOTS < begun);
        if (got == VMR_PULL_EVENT) {
            CHECK(event_number(event, mask) == at[from->tail - 1]);
            CHECK(event.state == 2 * from->tail);
        }
        return got;
    }

    /* Everybody has stopped: the ledger, and what is left. */
    void settle()
    {
        struct vmr_consumer consumer;
        uint64_t head, lost, pending = 0;

        consumer.lanes = &rx;
        vmr_consumer_lane(&consumer, 0, &head, &lost);
        CHECK(head + lost == attempts);
        CHECK(head == tx.head);
        if (tx.loss_policy == XEN_VM_RING_POLICY_OVERWRITE)
            CHECK(lost == 0);
        else
            CHECK(rx.overwritten == 0);
        CHECK(!tx.faulted);
        pending = head - rx.tail;
        CHECK(rx.taken + rx.overwritten + pending == head);
        vmr_lane_rx_to_head(&rx);
        while (pull(&rx) != VMR_PULL_NONE)
            ;
        CHECK(rx.taken + rx.overwritten == head);
    }
};

struct lane_discard_model : lane_base<lane_discard_model, 2> {
    void before()
    {
        /* With this policy nobody is at a record when the other is. */
        set_up(XEN_VM_RING_POLICY_DISCARD, EXCLUSIVE, RECORD_WORDS);
    }

    void thread(unsigned index)
    {
        if (index == 0) {
            for (int i = 0; i < 7; i++)
                push();
        } else {
            for (int i = 0; i < 7; i++) {
                pull(&rx);
                if (rl::rand(2))
                    vmr_lane_publish_cursor(&rx);
            }
        }
    }

    void after()
    {
        settle();
        shadow_end();
    }
};

template <class Model, int pushes, int pulls, uint64_t words>
struct lane_overwrite_base : lane_base<Model, 2> {
    void before()
    {
        this->set_up(XEN_VM_RING_POLICY_OVERWRITE, ATOMIC, words);
        this->late = pushes > 3;
    }

    void thread(unsigned index)
    {
        if (index == 0)
            for (int i = 0; i < pushes; i++)
                this->push();
        else
            for (int i = 0; i < pulls; i++)
                this->pull(&this->rx);
    }

    void after()
    {
        this->settle();
        shadow_end();
    }
};

struct lane_overwrite_model
    : lane_overwrite_base<lane_overwrite_model, 6, 6, RECORD_WORDS> {
};

/* Three pushes, so that the first record is overwritten, and one pull. */
struct lane_small_model : lane_overwrite_base<lane_small_model, 3, 1, 0x8f> {
};

/*
 * The lane of events that no vCPU raised: three producers, each tries the lock
 * once.  Records are exclusive here too, as nobody reads before the end: the
 * producers' accesses to one slot must be ordered by the lock.
 */
struct lane_foreign_model : rl::test_suite<lane_foreign_model, 3> {
    struct ring ring;
    struct vmr_producer producer;
    struct vmr_slot_tx slots[1];
    struct vmr_lane_tx lanes[2];
    uint64_t words[64];

    void before()
    {
        shadow_begin();
        ring = ring_make(0, 1, 2, XEN_VM_RING_POLICY_OVERWRITE, SLOTS);
        watch_lane(ring, 1, EXCLUSIVE, RECORD_WORDS);
        memset(&producer, 0, sizeof(producer));
        memset(words, 0, sizeof(words));
        producer.geo = ring.geo;
        producer.header = ring.header();
        producer.attached = true;
        producer.nr_vcpus = 1;
        producer.nr_lanes = 2;
        producer.slots = slots;
        producer.lanes = lanes;
        vmr_bell_tx_init(&producer.bells[0], &ring.geo, 0, ring.p, ring.c,
                         words);
        watch_bells(ring);
        watch_foreign(producer.foreign);
        vmr_store_release32(&producer.foreign.open, 1);
        vmr_lane_tx_init(&lanes[1], &ring.geo, 1, ring.p, ring.c);
    }

    void thread(unsigned index)
    {
        for (uint64_t i = 0; i < 2; i++) {
            struct xen_vm_ring_event event =
                event_make(1 + index * 2 + i, 1, XEN_VM_RING_EVENT_HEAD);

            vmr_producer_push(&producer, 1, &event);
            if (index == 2)
                flush();
        }
    }

    /* The one that makes the other calls: what it tells of is shown. */
    void flush()
    {
        vmr_producer_flush(&producer);
        CHECK(vmr_load_relaxed(&ring.lane(1)->shown) >= producer.foreign.told);
    }

    void after()
    {
        struct vmr_consumer consumer;
        struct vmr_lane_rx rx[2];
        struct xen_vm_ring_event event;
        uint64_t head, lost;
        enum vmr_pull got;

        vmr_lane_rx_init(&rx[1], &ring.geo, 1, ring.p, ring.c);
        consumer.lanes = rx;
        /* Those that found it taken are in P as of the last flush. */
        vmr_producer_flush(&producer);
        vmr_consumer_lane(&consumer, 1, &head, &lost);
        CHECK(head + lost == 6);
        while ((got = vmr_lane_pull(&rx[1], &event)) != VMR_PULL_NONE) {
            CHECK(got != VMR_PULL_BROKEN);
            if (got == VMR_PULL_EVENT)
                event_number(event, RECORD_WORDS);
        }
        CHECK(rx[1].taken + rx[1].overwritten == head);
        CHECK(vmr_load_relaxed(&producer.foreign.pushed) == head);
        CHECK(producer.foreign.told == head);
        shadow_end();
    }
};

/*
 * The producer freezes its P.  The old consumer, which still has it, reads the
 * state word: if that says frozen, what it finds is all there is.  The
 * successor is handed P through a socket and goes on from `resume`.
 */
struct lane_frozen_model : lane_base<lane_frozen_model, 3> {
    struct vmr_producer producer;
    uint64_t handed_over;
    uint64_t given_back; /* the furthest cursor that was published */

    void before()
    {
        set_up(XEN_VM_RING_POLICY_DISCARD, EXCLUSIVE, RECORD_WORDS);
        watch(ring.header(), ATOMIC, 7ULL << 32);
        watch(&handed_over, ATOMIC);
        memset(&producer, 0, sizeof(producer));
        producer.header = ring.header();
        producer.nr_vcpus = producer.nr_lanes = 1;
        producer.lanes = &tx;
        given_back = 0;
    }

    void thread(unsigned index)
    {
        if (index == 0) {
            for (int i = 0; i < 4; i++)
                push();
            vmr_producer_freeze(&producer);
            vmr_store_release(&handed_over, 1);
        } else if (index == 1) {
            old_consumer();
        } else {
            for (int i = 0; i < 16 && !vmr_load_acquire(&handed_over); i++)
                ;
            if (vmr_load_acquire(&handed_over))
                successor();
        }
    }

    void old_consumer()
    {
        struct vmr_consumer consumer;

        consumer.header = ring.header();
        for (int i = 0; i < 6; i++) {
            if (vmr_consumer_producer_state(&consumer) ==
                XEN_VM_RING_PRODUCER_FROZEN) {
                while (pull(&rx) == VMR_PULL_EVENT)
                    ;
                CHECK(rx.taken == tx.head);
                return;
            }
            if (pull(&rx) == VMR_PULL_EVENT && rl::rand(2)) {
                given_back = rx.tail;
                vmr_lane_publish_cursor(&rx);
            }
        }
    }

    void successor()
    {
        struct vmr_lane_rx next;

        vmr_lane_rx_init(&next, &ring.geo, 0, ring.p, NULL);
        vmr_lane_rx_resume(&next);
        CHECK(next.tail == tx.cons && next.tail <= given_back);
        while (pull(&next) == VMR_PULL_EVENT)
            ;
        CHECK(next.tail == tx.head);
    }

    void after()
    {
        settle();
        shadow_end();
    }
};

struct outcome lane_discard(const struct search &search)
{
    return run<lane_discard_model>(search);
}

struct outcome lane_overwrite(const struct search &search)
{
    return run<lane_overwrite_model>(search);
}

struct outcome lane_small(const struct search &search)
{
    return run<lane_small_model>(search);
}

struct outcome lane_foreign(const struct search &search)
{
    return run<lane_foreign_model>(search);
}

struct outcome lane_frozen(const struct search &search)
{
    return run<lane_frozen_model>(search);
}
