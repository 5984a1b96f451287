/* SPDX-License-Identifier: MIT */
/*
 * Two vCPUs that post and collect by themselves, and one consumer: no wake-up
 * is lost, and there is at most one ring an arming, on either side.
 */
#include "vcpu_base.h"

/* The consumer's own CPU is in the hypercall that its notification is. */
struct vcpu_model : vcpu_base<vcpu_model, VCPUS + 1> {
    void before()
    {
        set_up(1);
    }

    void notify(uint32_t)
    {
        producer.ring();
        hear();
    }

    void thread(unsigned index)
    {
        if (index < VCPUS)
            vcpu(index);
        else
            consume(0);
    }
};

/* Another CPU hears of the notification: a timer's, or the other end's. */
struct vcpu_apart_model : vcpu_base<vcpu_apart_model, VCPUS + 2> {
    bool hearer_rests;

    void before()
    {
        set_up(1);
        hearer_rests = false;
    }

    void notify(uint32_t)
    {
        producer.ring();
    }

    bool is_stuck()
    {
        return hearer_rests && producer.rings == producer.heard &&
               vcpu_base::is_stuck();
    }

    void thread(unsigned index)
    {
        if (index < VCPUS) {
            vcpu(index);
        } else if (index == VCPUS) {
            consume(0);
        } else {
            for (;;) {
                hearer_rests = true;
                if (!producer.sleep())
                    return;
                hearer_rests = false;
                hear();
            }
        }
    }
};

/* One request, one sleep on either side: every schedule of a few switches. */
struct vcpu_small_model : rl::test_suite<vcpu_small_model, 2> {
    struct ring ring;
    struct vmr_producer tx;
    struct vmr_slot_rx rx;
    struct vmr_bell_rx bell;
    alignas(8) unsigned char tx_memory[8192];
    uint64_t words[8];
    xen_vm_ring_u64 waits;
    struct rest consumer, producer;
    bool due, answered, consumer_rests;

    void before()
    {
        shadow_begin();
        ring = ring_make(0, 1, 1, XEN_VM_RING_POLICY_DISCARD, 2);
        watch_slot(ring, 0, EVENT_WORDS, RESPONSE_WORDS);
        watch_bells(ring);
        watch(&waits, ATOMIC);
        vmr_producer_init(&tx, tx_memory, 1, 1);
        vmr_producer_attach(&tx, &ring.geo, ring.p, ring.c);
        vmr_slot_rx_init(&rx, &ring.geo, 0, ring.p, ring.c);
        vmr_bell_rx_init(&bell, &ring.geo, 0, ring.p, ring.c, words);
        consumer.begin(1);
        producer.begin(1);
        producer.armings++;
        CHECK(vmr_group_arm(&tx, 0));
        due = answered = consumer_rests = false;
    }

    void vcpu()
    {
        struct vmr_request *request = vmr_vcpu_reserve(&tx, 0);

        request->event = event_make(1, 0, XEN_VM_RING_EVENT_HEAD);
        request->cookie = 1;
        request->deadline = VMR_NO_DEADLINE;
        if (vmr_vcpu_post(&tx, 0) == VMR_FLUSH_RING)
            consumer.ring();
        vmr_store_relaxed(&waits, 1);
        due = vmr_vcpu_is_due(&tx, 0);
    }

    void hear()
    {
        uint32_t v;

        producer.ring();
        while (vmr_group_answered(&tx, 0, &v))
            if (vmr_load_relaxed(&waits))
                vmr_store_relaxed(&waits, 0);
        producer.armings++;
        CHECK(vmr_group_arm(&tx, 0));
    }

    void look()
    {
        struct xen_vm_ring_event event;
        struct xen_vm_ring_response response;

        vmr_bell_refill(&bell);
        if (vmr_slot_take(&rx, &event) != VMR_TAKE_EVENT)
            return;
        response = response_make(event_number(event, EVENT_WORDS));
        response.flags = 0;
        response.reason = event.reason;
        vmr_slot_answer(&rx, event.state, &response);
        answered = true;
        vmr_bits_set(&bell.given, 0);
        if (vmr_bell_flush_answers(&bell) == VMR_FLUSH_RING)
            hear();
    }

    void thread(unsigned index)
    {
        if (index == 0) {
            vcpu();
            return;
        }
        look();
        consumer.armings++;
        consumer_rests = vmr_bell_arm(&bell);
    }

    void after()
    {
        struct xen_vm_ring_response response;
        enum vmr_by by;

        if (answered) {
            CHECK(due || !vmr_load_relaxed(&waits)); /* it is awake */
            CHECK(vmr_vcpu_collect(&tx, 0, 0, &response, &by) &&
                  by == VMR_BY_CONSUMER);
            CHECK(response_number(response, RESPONSE_WORDS & ~2U) == 1);
        } else {
            CHECK(!consumer_rests || consumer.rings);
            CHECK(!due);
        }
        shadow_end();
    }
};

struct outcome vcpu(const struct search &search)
{
    return run<vcpu_model>(search);
}

struct outcome vcpu_apart(const struct search &search)
{
    return run<vcpu_apart_model>(search);
}

struct outcome vcpu_small(const struct search &search)
{
    return run<vcpu_small_model>(search);
}
