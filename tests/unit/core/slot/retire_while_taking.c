/* SPDX-License-Identifier: MIT */
/*
 * Description: a request that is retired and posted anew while it is copied
 * is never handed out torn, nor twice.
 */
#include <pthread.h>

#include "rig.h"

#define ROUNDS 300000

static struct rig rig;
static uint32_t finished;

static void *produce(void *unused)
{
    struct vmr_slot_tx *tx = &rig.tx.slots[0];

    for (uint64_t i = 1; i <= ROUNDS; i++) {
        struct vmr_request request = rig_request(0, i, VMR_NO_DEADLINE);

        request.event.length = XEN_VM_RING_EVENT_FULL;
        for (size_t w = 0; w < XEN_VM_RING_REGS_LEN / 8; w++)
            request.event.regs.words[w] = i;
        CHECK(vmr_slot_add(tx, &request));
        CHECK(vmr_slot_post(tx));
        for (volatile int spin = 0; spin < (int)(i % 64); spin++)
            ;
        vmr_slot_retire(tx);
    }
    vmr_store_release32(&finished, 1);
    return unused;
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);
    struct xen_vm_ring_event event;
    uint64_t last = 0, taken = 0, again = 0;
    pthread_t thread;

    rig_make(&rig, &geo);
    CHECK(!pthread_create(&thread, NULL, produce, NULL));
    while (!vmr_load_acquire32(&finished)) {
        switch (vmr_slot_take(&rig.rx.slots[0], &event)) {
        case VMR_TAKE_EVENT:
            taken++;
            CHECK(event.u.words[0] > last);
            last = event.u.words[0];
            CHECK_EQ(event.state, 2 * last - 1);
            CHECK_EQ(event.time, last);
            CHECK_EQ(event.length, XEN_VM_RING_EVENT_FULL);
            for (size_t w = 0; w < XEN_VM_RING_REGS_LEN / 8; w++)
                CHECK_EQ(event.regs.words[w], last);
            break;
        case VMR_TAKE_AGAIN:
            again++;
            break;
        case VMR_TAKE_NONE:
            break;
        case VMR_TAKE_BROKEN:
            CHECK(!"fault");
        }
    }
    CHECK(!pthread_join(thread, NULL));
    printf("%llu taken, %llu retired meanwhile\n", (unsigned long long)taken,
           (unsigned long long)again);
    return 0;
}
