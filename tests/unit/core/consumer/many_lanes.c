/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer of more lanes than one call looks at says that there
 * is nothing as soon as it has looked at each that had something.
 */
#include "rig.h"

static struct rig rig;

/* How often it is told to come again before there is nothing. */
static unsigned int drain(uint32_t records)
{
    struct xen_vm_ring_event event;
    unsigned int again = 0;
    uint32_t where;

    for (;;) {
        switch (vmr_consumer_next(&rig.rx, 0, &event, &where)) {
        case VMR_NEXT_RECORD:
            records--;
            break;
        case VMR_NEXT_AGAIN:
            again++;
            break;
        default:
            CHECK_EQ(records, 0);
            return again;
        }
    }
}

int main(void)
{
    const uint32_t nr = 512;
    struct vmr_geometry geo = rig_geometry(nr, 1, 0, 2);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);

    rig_make(&rig, &geo);
    /* The first pass looks at every vCPU and every lane. */
    (void)drain(0);
    for (uint32_t lane = 0; lane < nr; lane++)
        CHECK(vmr_producer_push(&rig.tx, lane, &event));
    (void)vmr_producer_flush(&rig.tx);
    /* 128 looks a call, a lane looked at twice at most. */
    CHECK(drain(nr) <= 2 * nr / 128);
    return 0;
}
