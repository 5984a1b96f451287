/* SPDX-License-Identifier: MIT */
/*
 * vcpu_base.h: vCPUs that are threads of their own, as a hypervisor has them,
 * and what the models of them have in common.
 *
 * A vCPU sleeps by a mark that it sets, and whoever takes the mark away wakes
 * it, so once.  The mark is a plain store, and is looked at before it is taken:
 * less than the bit operations of a hypervisor, so that what orders it is
 * core's own.  Being woken orders nothing either.
 *
 * Checked: each request has one verdict, in the order of its FIFO; an answer is
 * that of the consumer it counts for, to that very request; who sleeps for ever
 * is found at once.
 */
#ifndef VMRING_TESTS_MODEL_VCPU_BASE_H
#define VMRING_TESTS_MODEL_VCPU_BASE_H

#include "model.h"

#include "core/vcpu.h"

#define VCPUS    2
#define PER_VCPU 3
#define REQUESTS (VCPUS * PER_VCPU)

/* An answer says in which epoch it was given. */
#define ANSWER(number, epoch) ((number) + 100 * (uint64_t)(epoch))

template <class Model, int threads>
struct vcpu_base : rl::test_suite<Model, threads> {
    struct ring rings[EPOCHS];
    struct vmr_producer tx;
    struct vmr_consumer rx[EPOCHS];
    alignas(8) unsigned char tx_memory[16384], rx_memory[EPOCHS][8192];
    xen_vm_ring_u64 waits[VCPUS]; /* the marks */
    struct {
        unsigned pauses, raised, given;
        bool asleep, timed, done;
        uint64_t now;
    } vcpus[VCPUS];
    /* Who is rung: by vCPUs, and by the consumer for its answers. */
    struct rest consumer, producer;
    bool consumer_rests;
    uint32_t epoch;
    bool answered[EPOCHS][REQUESTS + 1];
    unsigned verdicts[REQUESTS + 1];

    Model &self()
    {
        return *static_cast<Model *>(this);
    }

    void set_up(uint32_t nr_epochs)
    {
        shadow_begin();
        for (uint32_t e = 0; e < nr_epochs; e++) {
            rings[e] = ring_make(e, VCPUS, VCPUS, XEN_VM_RING_POLICY_DISCARD,
                                 2 * VCPUS);
            for (uint32_t v = 0; v < VCPUS; v++) {
                /* With the flags, in word 2. */
                watch_slot(rings[e], v, EVENT_WORDS | 1 << 2, RESPONSE_WORDS);
                watch_lane(rings[e], v, EXCLUSIVE, 0);
            }
            watch_bells(rings[e]);
            vmr_consumer_init(&rx[e], &rings[e].geo, rx_memory[e], rings[e].p,
                              rings[e].c);
        }
        for (uint32_t v = 0; v < VCPUS; v++)
            watch(&waits[v], ATOMIC);
        memset(vcpus, 0, sizeof(vcpus));
        memset(answered, 0, sizeof(answered));
        memset(verdicts, 0, sizeof(verdicts));
        consumer.begin(VCPUS);
        producer.begin(1);
        consumer_rests = false;
        epoch = 0;
        vmr_producer_init(&tx, tx_memory, VCPUS, VCPUS);
        vmr_producer_attach(&tx, &rings[0].geo, rings[0].p, rings[0].c);
        producer.armings++;
        CHECK(vmr_group_arm(&tx, 0));
    }

    void after()
    {
        for (int n = 1; n <= REQUESTS; n++)
            CHECK(verdicts[n] == 1);
        for (uint32_t v = 0; v < VCPUS; v++)
            CHECK(!tx.slots[v].ignored && !tx.slots[v].settled);
        shadow_end();
    }

    /* ------------------------------------------------------- a vCPU -- */

    void told(enum vmr_flush flush)
    {
        CHECK(flush == VMR_FLUSH_QUIET || flush == VMR_FLUSH_RING);
        if (flush == VMR_FLUSH_RING)
            consumer.ring();
    }

    void raise(uint32_t v)
    {
        struct vmr_request *request = vmr_vcpu_reserve(&tx, v);
        uint64_t number = v * PER_VCPU + ++vcpus[v].raised;

        CHECK(request);
        request->event = event_make(number, v, XEN_VM_RING_EVENT_HEAD);
        request->cookie = number;
        request->deadline =
            rl::rand(3) ? VMR_NO_DEADLINE : vcpus[v].now + rl::rand(3);
        told(vmr_vcpu_post(&tx, v));
    }

    /* Who takes the mark of a vCPU away wakes it. */
    void take_mark(uint32_t v)
    {
        uint64_t was;

        vmr_exchange(&waits[v], 0, &was);
        if (was) {
            CHECK(vcpus[v].pauses == 1);
            vcpus[v].pauses--;
        }
    }

    void wake(uint32_t v)
    {
        if (vmr_load_relaxed(&waits[v]))
            take_mark(v);
    }

    /* Nobody is left who would wake anyone. */
    bool is_stuck()
    {
        if (!consumer_rests || consumer.rings != consumer.heard)
            return false;
        for (const auto &vcpu : vcpus)
            if (!vcpu.done && (!vcpu.asleep || !vcpu.pauses || vcpu.timed))
                return false;
        return true;
    }

    /* Until woken, or until the deadline of its first request. */
    void sleep(uint32_t v)
    {
        auto &vcpu = vcpus[v];
        uint64_t until = vmr_vcpu_first(&tx, v)->deadline;

        self().between(v);
        vcpu.pauses++;
        vmr_store_relaxed(&waits[v], 1);
        self().between(v);
        if (vmr_vcpu_is_due(&tx, v))
            take_mark(v);
        vcpu.timed = until != VMR_NO_DEADLINE;
        vcpu.asleep = true;
        while (vcpu.pauses) {
            CHECK(!self().is_stuck()); /* or a wake-up was lost */
            self().between(v);
            if (vcpu.timed && rl::rand(4) == 0) {
                vcpu.now = until;
                take_mark(v);
                vcpu.timed = false;
            }
            rl::ctx().sched();
        }
        vcpu.asleep = false;
    }

    void verdict(uint32_t v, const struct vmr_request *request,
                 const struct xen_vm_ring_response &response, enum vmr_by by)
    {
        uint64_t number = request->cookie;
        uint32_t e = self().epoch_of(number);

        CHECK(number == v * PER_VCPU + ++vcpus[v].given);
        verdicts[number]++;
        switch (by) {
        case VMR_BY_CONSUMER:
            CHECK(answered[e][number] && self().counts(number));
            CHECK(response_number(response, RESPONSE_WORDS & ~2U) ==
                  ANSWER(number, e));
            CHECK(response.altp2m_idx == ANSWER(number, e));
            break;
        case VMR_BY_DEADLINE:
            CHECK(request->deadline <= vcpus[v].now);
            CHECK(!self().is_settled(number));
            break;
        default:
            CHECK(by == VMR_BY_DETACH && self().is_released(number));
        }
    }

    /* Until all that was raised has its verdict: only then the guest runs. */
    void finish(uint32_t v)
    {
        struct xen_vm_ring_response response;
        const struct vmr_request *request;
        enum vmr_by by;

        while (vmr_vcpu_first(&tx, v)) {
            vcpus[v].now += rl::rand(2);
            self().between(v);
            request = vmr_vcpu_collect(&tx, v, vcpus[v].now, &response, &by);
            if (!request) {
                sleep(v);
                continue;
            }
            verdict(v, request, response, by);
            self().between(v);
            told(vmr_vcpu_retire(&tx, v));
        }
    }

    void vcpu(uint32_t v)
    {
        raise(v);
        finish(v);
        raise(v);
        self().between(v);
        raise(v); /* behind the other, in its FIFO */
        finish(v);
        CHECK(vcpus[v].raised == PER_VCPU);
        vcpus[v].done = true;
        consumer.busy--;
    }

    /* ----------------------------------------- answers are heard of -- */

    /* What the hypercall of a notification does. */
    void hear()
    {
        uint32_t v;

        do {
            while (vmr_group_answered(&tx, 0, &v))
                wake(v);
            producer.armings++;
        } while (!vmr_group_arm(&tx, 0));
    }

    /* --------------------------------------------------- a consumer -- */

    void flush(uint32_t e)
    {
        if (vmr_consumer_flush(&rx[e], 0))
            self().notify(e);
    }

    void answer(uint32_t e, uint32_t v, const struct xen_vm_ring_event &event)
    {
        uint64_t number = event_number(event, EVENT_WORDS);
        struct xen_vm_ring_response response = response_make(ANSWER(number, e));

        CHECK((number - 1) / PER_VCPU == v);
        self().taken(e, number, event.flags);
        response.flags = 0; /* void ones are cleared, others need rights */
        response.reason = event.reason;
        response.altp2m_idx = (uint16_t)ANSWER(number, e);
        answered[e][number] = true;
        if (vmr_consumer_answer(&rx[e], v, event.state, &response))
            self().stored(e, number);
        if (rl::rand(2))
            flush(e);
    }

    /* Until the vCPUs are through. */
    void consume(uint32_t e)
    {
        struct xen_vm_ring_event event;
        uint32_t v;

        for (;;) {
            switch (vmr_consumer_take(&rx[e], 0, &event, &v)) {
            case VMR_NEXT_REQUEST:
                answer(e, v, event);
                break;
            case VMR_NEXT_NONE:
                flush(e);
                consumer.armings++;
                if (!vmr_consumer_arm(&rx[e], 0))
                    break;
                consumer_rests = true;
                if (!consumer.sleep()) {
                    producer.busy--;
                    return;
                }
                consumer_rests = false;
                vmr_consumer_disarm(&rx[e], 0);
                break;
            case VMR_NEXT_AGAIN:
                break;
            default:
                CHECK(!"fault");
            }
        }
    }

    /* ------------------------------------- what some have otherwise -- */

    void between(uint32_t)
    {
    }

    uint32_t epoch_of(uint64_t)
    {
        return 0;
    }

    /* Does an answer still count? */
    bool counts(uint64_t)
    {
        return true;
    }

    /* Whether by its answer or not; and not. */
    bool is_settled(uint64_t)
    {
        return false;
    }

    bool is_released(uint64_t)
    {
        return false;
    }

    void stored(uint32_t, uint64_t)
    {
    }

    void taken(uint32_t, uint64_t number, uint32_t flags)
    {
        CHECK(flags == number);
    }
};

#endif /* VMRING_TESTS_MODEL_VCPU_BASE_H */
