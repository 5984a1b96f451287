/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's slot: requests are posted, taken, answered, collected, retired at
 * their deadline, and posted anew for a second consumer while the first one
 * still takes and answers in its own regions.
 *
 * No torn copy is accepted.  Each request gets one verdict: that which a
 * consumer gave for it, or the one of its deadline.
 */
#include "model.h"

#define REQUESTS 3
#define MAX_SEQ  16

template <class Model, int threads>
struct slot_base : rl::test_suite<Model, threads> {
    struct ring rings[EPOCHS];
    struct vmr_slot_tx tx;
    struct vmr_request fifo[VMR_FIFO];
    uint64_t posted[MAX_SEQ];           /* number of the request, by seq */
    uint64_t answered[EPOCHS][MAX_SEQ]; /* by which consumer */
    unsigned verdicts[REQUESTS + 1];    /* of each request */
    uint32_t epoch;
    uint64_t request_mask, response_mask; /* words that are watched */

    void set_up(uint64_t of_request, uint64_t of_response)
    {
        request_mask = of_request;
        response_mask = of_response;
        shadow_begin();
        for (uint32_t e = 0; e < EPOCHS; e++) {
            rings[e] = ring_make(e, 1, 1, XEN_VM_RING_POLICY_DISCARD, 2);
            watch_slot(rings[e], 0, request_mask, response_mask);
        }
        vmr_slot_tx_init(&tx, fifo, 1);
        memset(posted, 0, sizeof(posted));
        memset(answered, 0, sizeof(answered));
        memset(verdicts, 0, sizeof(verdicts));
        epoch = 0;
        attach();
    }

    void attach()
    {
        const struct ring &ring = rings[epoch];

        vmr_slot_tx_attach(&tx, &ring.geo, 0, ring.p, ring.c);
    }

    void add(uint64_t number, uint32_t length)
    {
        struct vmr_request request = {};

        request.event = event_make(number, 0, length);
        request.cookie = number;
        CHECK(vmr_slot_add(&tx, &request));
    }

    void post()
    {
        if (tx.nr)
            posted[tx.seq + 1] = vmr_slot_first(&tx)->cookie;
        CHECK(vmr_slot_post(&tx) == (tx.nr != 0));
    }

    /* The first request has its verdict. */
    void retire()
    {
        verdicts[vmr_slot_first(&tx)->cookie]++;
        vmr_slot_retire(&tx);
    }

    bool collect()
    {
        struct xen_vm_ring_response response;

        if (vmr_slot_collect(&tx, &response) != VMR_COLLECT_ANSWER)
            return false;
        CHECK(response_number(response, response_mask) ==
              vmr_slot_first(&tx)->cookie);
        CHECK(answered[epoch][tx.seq] == vmr_slot_first(&tx)->cookie);
        retire();
        return true;
    }

    /* What a consumer that was handed the regions of epoch `e` does. */
    void consume(uint32_t e, int tries)
    {
        const struct ring &ring = rings[e];
        struct xen_vm_ring_response response;
        struct xen_vm_ring_event event;
        struct vmr_slot_rx rx;
        uint64_t number;

        vmr_slot_rx_init(&rx, &ring.geo, 0, ring.p, ring.c);
        for (int i = 0; i < tries; i++) {
            enum vmr_take took = vmr_slot_take(&rx, &event);

            CHECK(took != VMR_TAKE_BROKEN);
            if (took != VMR_TAKE_EVENT)
                continue;
            number = event_number(event, request_mask);
            CHECK(event.state < MAX_SEQ && posted[event.state] == number);
            if (!vmr_slot_is_posted(&rx, event.state))
                continue;
            answered[e][event.state] = number;
            response = response_make(number);
            vmr_slot_answer(&rx, event.state, &response);
        }
    }

    void after()
    {
        for (uint64_t n = 1; n <= REQUESTS; n++)
            CHECK(verdicts[n] == 1);
        shadow_end();
    }
};

template <bool registers>
struct slot_model : slot_base<slot_model<registers>, 3> {
    uint64_t handed_over;

    void before()
    {
        this->set_up(registers ? EVENT_FULL : EVENT_WORDS, RESPONSE_WORDS);
        watch(&handed_over, ATOMIC);
        for (uint64_t n = 1; n <= REQUESTS; n++)
            this->add(n, registers && n % 2 ? XEN_VM_RING_EVENT_FULL
                                            : XEN_VM_RING_EVENT_HEAD);
    }

    void produce()
    {
        unsigned change = rl::rand(8);

        this->post();
        for (unsigned step = 0; this->tx.nr && step < 10; step++) {
            if (step == change) {
                /* The sweep; then the successor has regions of its own. */
                this->collect();
                vmr_slot_tx_detach(&this->tx);
                this->epoch = 1;
                this->attach();
                this->post();
                /* As the socket does that the regions are sent through. */
                vmr_store_release(&handed_over, 1);
            } else if (this->collect()) {
                this->post();
            } else if (rl::rand(4) == 0) {
                this->retire(); /* its deadline */
                this->post();
            }
        }
        while (this->tx.nr)
            this->retire();
    }

    void thread(unsigned index)
    {
        if (index == 0) {
            produce();
        } else if (index == 1) {
            this->consume(0, 5);
        } else {
            for (int i = 0; i < 12 && !vmr_load_acquire(&handed_over); i++)
                ;
            if (vmr_load_acquire(&handed_over))
                this->consume(1, 4);
        }
    }
};

/* A request that is retired, the next one, and a single look: all of it. */
struct slot_small_model : slot_base<slot_small_model, 2> {
    void before()
    {
        this->set_up(EVENT_WORDS, 0x12);
        for (uint64_t n = 1; n <= REQUESTS; n++)
            this->add(n, XEN_VM_RING_EVENT_HEAD);
    }

    void thread(unsigned index)
    {
        if (index == 0) {
            post();
            if (!collect())
                retire();
            post();
            if (!collect())
                retire();
            retire(); /* the third one: overdue before it was visible */
        } else {
            consume(0, 1);
        }
    }
};

struct outcome slot(const struct search &search)
{
    return run<slot_model<false>>(search);
}

struct outcome slot_registers(const struct search &search)
{
    return run<slot_model<true>>(search);
}

struct outcome slot_small(const struct search &search)
{
    return run<slot_small_model>(search);
}
