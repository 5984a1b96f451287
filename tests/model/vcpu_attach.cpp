/* SPDX-License-Identifier: MIT */
/*
 * A second consumer is attached while vCPUs post and collect by themselves.
 *
 * The vCPUs are brought to rest, anywhere between two of their calls, as a
 * domain is paused: one word each way hands over.  What the first consumer has
 * answered by then is kept and not posted anew; the rest is, marked REPOSTED if
 * it was visible; or it is released first, and settled by the neutral verdict.
 * The first consumer goes on taking and answering, in its own regions.
 */
#include "vcpu_base.h"

#define NEVER UINT64_MAX

enum { CONTROL = VCPUS, OLD, NEW, THREADS };

struct vcpu_attach_model : vcpu_base<vcpu_attach_model, THREADS> {
    /* How often the vCPUs were asked to rest; do; may go on. */
    xen_vm_ring_u64 asked, rests[VCPUS], resumed;
    uint64_t handed_over;
    uint32_t hearing;        /* one at a time; and no attach meanwhile */
    bool control_done, live; /* its C is attached */
    uint64_t left[VCPUS];    /* what P held when it was left, or 0 */
    struct xen_vm_ring_response keeps[VCPUS];
    bool kept[REQUESTS + 1], settled[REQUESTS + 1], was_visible[REQUESTS + 1];
    /* The first consumer's answers: that are there; that one has heard of. */
    bool is_there[REQUESTS + 1], is_heard[REQUESTS + 1];

    void before()
    {
        set_up(EPOCHS);
        for (const auto &ring : rings)
            watch(ring.header(), ATOMIC, 7ULL << 32);
        watch(&asked, ATOMIC);
        watch(&rests[0], ATOMIC, 3);
        watch(&resumed, ATOMIC);
        watch(&handed_over, ATOMIC);
        watch(&hearing, ATOMIC);
        control_done = false;
        live = true;
        memset(left, 0, sizeof(left));
        memset(kept, 0, sizeof(kept));
        memset(settled, 0, sizeof(settled));
        memset(was_visible, 0, sizeof(was_visible));
        memset(is_there, 0, sizeof(is_there));
        memset(is_heard, 0, sizeof(is_heard));
    }

    /* ------------------------------------------------------ a vCPU -- */

    void between(uint32_t v)
    {
        uint64_t round = vmr_load_relaxed(&asked);

        if (round == vmr_load_relaxed(&rests[v]))
            return;
        vmr_store_release(&rests[v], round);
        while (vmr_load_acquire(&resumed) < round)
            rl::ctx().sched();
    }

    bool is_stuck()
    {
        return control_done && vcpu_base::is_stuck();
    }

    uint32_t epoch_of(uint64_t number)
    {
        return kept[number] ? 0 : epoch;
    }

    bool counts(uint64_t number)
    {
        return kept[number] || live;
    }

    bool is_settled(uint64_t number)
    {
        return settled[number];
    }

    bool is_released(uint64_t number)
    {
        return settled[number] && !kept[number];
    }

    /* --------------------------------------------------- consumers -- */

    void taken(uint32_t e, uint64_t number, uint32_t flags)
    {
        bool again = e == 1 && was_visible[number];

        CHECK(flags == (number | (again ? XEN_VM_RING_FLAG_REPOSTED : 0)));
        CHECK(e == 0 || !settled[number]);
    }

    void lock()
    {
        while (!vmr_trylock(&hearing))
            rl::ctx().sched();
    }

    void stored(uint32_t e, uint64_t number)
    {
        is_there[number] |= e == 0;
    }

    /* The port of an epoch that has ended is closed. */
    void notify(uint32_t e)
    {
        lock();
        if (e == epoch && live) {
            memcpy(is_heard, is_there, sizeof(is_heard));
            if (e == 1)
                producer.ring();
            hear();
        }
        vmr_unlock(&hearing);
    }

    /* It never sleeps, and does not notice that it was replaced. */
    void consume_old()
    {
        struct xen_vm_ring_event event;
        uint32_t v;

        for (int i = 0; i < 6; i++)
            if (vmr_consumer_take(&rx[0], 0, &event, &v) == VMR_NEXT_REQUEST)
                answer(0, v, event);
            else
                flush(0);
    }

    /* ------------------------------------------------ control -- */

    void stop(uint64_t round)
    {
        vmr_store_relaxed(&asked, round);
        for (const auto &word : rests)
            while (vmr_load_acquire(&word) < round)
                rl::ctx().sched();
        lock();
    }

    /* Who has a verdict is woken for it. */
    void resume(uint64_t round)
    {
        for (uint32_t v = 0; v < VCPUS; v++)
            if (vmr_vcpu_is_settled(&tx, v))
                wake(v);
        vmr_unlock(&hearing);
        vmr_store_release(&resumed, round);
    }

    void settle(uint32_t v, uint32_t nr)
    {
        const struct vmr_slot_tx &slot = tx.slots[v];

        for (uint32_t i = 0; i < nr; i++)
            settled[slot.fifo[(slot.first + i) % VMR_FIFO]->cookie] = true;
    }

    void keep(uint32_t v)
    {
        const struct vmr_request *first = vmr_vcpu_first(&tx, v);

        if (vmr_vcpu_keep(&tx, v, &keeps[v])) {
            CHECK(first && answered[0][first->cookie]);
            kept[first->cookie] = true;
            settle(v, 1);
        } else {
            CHECK(!first || !is_heard[first->cookie]);
        }
    }

    void release(uint32_t v)
    {
        settle(v, tx.slots[v].nr);
        vmr_vcpu_release(&tx, v);
    }

    void note_visible()
    {
        for (uint32_t v = 0; v < VCPUS; v++)
            if (tx.slots[v].seq & 1)
                was_visible[vmr_vcpu_first(&tx, v)->cookie] = true;
    }

    uint64_t state_of(uint32_t v)
    {
        return vmr_load_relaxed(&rings[0].request(v)->state);
    }

    /* Of the old P, too, nothing is used any more. */
    void leave()
    {
        note_visible();
        for (uint32_t v = 0; v < VCPUS; v++)
            left[v] = state_of(v);
        vmr_producer_leave(&tx);
    }

    void end_old(bool to_release)
    {
        for (uint32_t v = 0; v < VCPUS; v++) {
            keep(v);
            if (to_release)
                release(v);
        }
        if (to_release && rl::rand(2))
            leave();
        else
            vmr_producer_let_go(&tx);
        CHECK(!tx.attached);
        live = false;
    }

    void attach()
    {
        note_visible();
        for (uint32_t v = 0; v < VCPUS; v++)
            CHECK(!left[v] || left[v] == state_of(v));
        CHECK(vmr_producer_freeze(&tx));
        vmr_producer_attach(&tx, &rings[1].geo, rings[1].p, rings[1].c);
        epoch = 1;
        live = true;
        producer.begin(1);
        producer.armings++;
        CHECK(vmr_group_arm(&tx, 0)); /* its C is fresh */
        CHECK(!vmr_producer_flush(&tx));
        vmr_store_release(&handed_over, 1);
    }

    void control()
    {
        bool to_release = rl::rand(2);
        uint64_t round = 1;

        for (unsigned i = rl::rand(40); i; i--)
            rl::ctx().sched();
        stop(round);
        end_old(to_release);
        if (to_release) {
            resume(round);
            for (unsigned i = rl::rand(40); i; i--)
                rl::ctx().sched();
            stop(++round);
        }
        attach();
        resume(round);
        control_done = true;
    }

    void thread(unsigned index)
    {
        if (index < VCPUS) {
            vcpu(index);
            /* It rests for ever. */
            vmr_store_release(&rests[index], NEVER);
        } else if (index == CONTROL) {
            control();
        } else if (index == OLD) {
            consume_old();
        } else {
            while (!vmr_load_acquire(&handed_over))
                rl::ctx().sched();
            consume(1);
        }
    }
};

struct outcome vcpu_attach(const struct search &search)
{
    return run<vcpu_attach_model>(search);
}
