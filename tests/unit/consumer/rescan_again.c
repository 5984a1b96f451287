/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer that dies after its target's end was seen still has
 * what it pushed and never flushed taken; so has one whose target went on.
 */
#include <errno.h>
#include <sys/socket.h>

#include "pair.h"

static struct pair pair;

static void dies(unsigned int then)
{
    struct vmring_producer_opts opts = pair_opts();
    struct xen_vm_ring_event record = pair_event(XEN_VM_RING_REASON_VMEXIT, 1);
    struct vmring_event event;

    pair_make(&pair, &opts);
    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_SHUTDOWN,
                                     0);
    CHECK_EQ(vmring_next(pair.ring, &event), VMRING_NEXT_TARGET);
    CHECK_EQ(vmring_next(pair.ring, &event), -ESRCH);
    vmring_producer_set_target_state(pair.producer, then, 0);
    if (then == XEN_VM_RING_TARGET_RUNNING) {
        CHECK_EQ(vmring_next(pair.ring, &event), VMRING_NEXT_TARGET);
        CHECK_EQ(vmring_next(pair.ring, &event), 0);
    }
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &record), 1);
    CHECK_EQ(shutdown(pair.served, SHUT_RDWR), 0); /* as its death does */
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    CHECK_EQ(event.lane, 1);
    CHECK(vmring_next(pair.ring, &event) < 0);
    pair_end(&pair);
}

int main(void)
{
    dies(XEN_VM_RING_TARGET_RUNNING);
    dies(XEN_VM_RING_TARGET_SHUTDOWN);
    return 0;
}
