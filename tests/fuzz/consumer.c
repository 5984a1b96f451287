/* SPDX-License-Identifier: MIT */
/*
 * Description: fuzzes the consumer of core/ against a P that is anything and
 * changes at any moment.
 *
 * An input is a shape, then a program: calls of the consumer, and moves of
 * its peer before them, between them and between any two of their accesses.
 */
#include "ring.h"

#define MAX_CALLS 128

/* A successor comes, and is handed the P of before. */
static void next_epoch(struct ring *ring)
{
    const struct area before = *ring_area(ring);

    if (!producer_attach(ring))
        return;
    consumer_attach(ring);
    consumer_drain_frozen(ring, &before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    struct ring *ring = ring_make(take8(&in), CONSUMER);
    uint8_t moves_first = take8(&in);

    producer_attach(ring);
    for (uint8_t i = 0; i < moves_first % 4; i++)
        peer_plan(ring, &in);
    consumer_attach(ring);
    for (int i = 0; i < MAX_CALLS && !input_is_over(&in); i++) {
        uint8_t what = take8(&in);

        switch (what % 4) {
        case 0:
            producer_act(ring, what / 4, take8(&in));
            break;
        case 1:
            if (what / 4 < 50) {
                peer_plan(ring, &in);
            } else {
                next_epoch(ring);
            }
            break;
        default:
            consumer_act(ring, what / 4, take8(&in));
            break;
        }
        ring_check_sleepers(ring);
    }
    return 0;
}
