/* SPDX-License-Identifier: MIT */
/*
 * Each vCPU a thread of its own, as in a hypervisor: it pushes into its own
 * lane and tells of it without a lock, while another thread posts a request
 * and one consumer sleeps by its doorbell.
 */
#include "model.h"

#define VCPUS  2
#define PUSHES 3

struct own_model : rl::test_suite<own_model, 3> {
    struct ring ring;
    struct vmr_producer tx;
    struct vmr_consumer rx;
    alignas(8) unsigned char tx_memory[16384], rx_memory[8192];
    struct rest consumer;
    uint64_t pushed[VCPUS], pulled[VCPUS];
    bool posted, taken;

    void before()
    {
        shadow_begin();
        ring =
            ring_make(0, VCPUS, VCPUS, XEN_VM_RING_POLICY_DISCARD, PUSHES + 1);
        for (uint32_t v = 0; v < VCPUS; v++) {
            watch_slot(ring, v, EVENT_WORDS, RESPONSE_WORDS);
            watch_lane(ring, v, EXCLUSIVE);
            pushed[v] = pulled[v] = 0;
        }
        watch_bells(ring);
        vmr_producer_init(&tx, tx_memory, VCPUS, VCPUS);
        vmr_producer_attach(&tx, &ring.geo, ring.p, ring.c);
        vmr_consumer_init(&rx, &ring.geo, rx_memory, ring.p, ring.c);
        consumer.begin(2);
        posted = taken = false;
    }

    void push(uint32_t vcpu)
    {
        struct xen_vm_ring_event event =
            event_make(pushed[vcpu] + 1, vcpu, XEN_VM_RING_EVENT_HEAD);

        if (vcpu) {
            union xen_vm_ring_tail *regs;

            CHECK(vmr_producer_reserve_own(&tx, vcpu, &event, &regs));
            vmr_producer_commit_own(&tx, vcpu);
        } else {
            CHECK(vmr_producer_push_own(&tx, vcpu, &event));
        }
        pushed[vcpu]++;
        if (vmr_producer_flush_own(&tx, vcpu) == VMR_FLUSH_RING)
            consumer.ring();
    }

    /* Posts for its vCPU, beside telling of its lane. */
    void post()
    {
        struct vmr_request request = {};

        request.event = event_make(1, 0, XEN_VM_RING_EVENT_HEAD);
        request.deadline = VMR_NO_DEADLINE;
        CHECK(vmr_producer_post(&tx, &request));
        posted = true;
        if (vmr_producer_flush(&tx))
            consumer.ring();
    }

    void thread(unsigned index)
    {
        if (index == 2) {
            consume();
            return;
        }
        if (index == 0) {
            push(0);
            post();
        } else {
            for (int i = 0; i < PUSHES; i++)
                push(1);
        }
        consumer.busy--;
    }

    void consume()
    {
        struct xen_vm_ring_event event;
        uint32_t where;

        for (;;) {
            switch (vmr_consumer_next(&rx, 0, &event, &where)) {
            case VMR_NEXT_REQUEST:
                CHECK(where == 0 && event_number(event, EVENT_WORDS) == 1);
                taken = true;
                break;
            case VMR_NEXT_RECORD:
                CHECK(event_number(event, RECORD_WORDS) == ++pulled[where]);
                break;
            case VMR_NEXT_NONE:
                consumer.armings++;
                if (!vmr_consumer_arm(&rx, 0))
                    break;
                if (!consumer.sleep()) {
                    /* Or a wake-up was lost. */
                    CHECK(taken == posted && pulled[0] == pushed[0] &&
                          pulled[1] == pushed[1]);
                    return;
                }
                vmr_consumer_disarm(&rx, 0);
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
        shadow_end();
    }
};

struct outcome own(const struct search &search)
{
    return run<own_model>(search);
}
