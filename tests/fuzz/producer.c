/* SPDX-License-Identifier: MIT */
/*
 * Description: fuzzes the producer of core/ against a C that is anything and
 * changes at any moment.
 *
 * An input is a shape, then a program: calls of the producer, and moves of
 * its peer before them, between them and between any two of their accesses.
 */
#include "ring.h"

#define MAX_CALLS 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    struct ring *ring = ring_make(take8(&in), PRODUCER);
    uint8_t early = take8(&in);

    ring->by_vcpu = early & 128;
    /* It may have been asked for verdicts before anybody came. */
    for (early %= 4; early; early--)
        producer_act(ring, 12, take8(&in));
    for (int i = 0; i < MAX_CALLS && !input_is_over(&in); i++) {
        uint8_t what = take8(&in);

        if ((i == 0 || what >= 0xfc) && producer_attach(ring))
            consumer_attach(ring);
        switch (what % 4) {
        case 0:
            consumer_act(ring, what / 4, take8(&in));
            break;
        case 1:
            peer_plan(ring, &in);
            break;
        default:
            producer_act(ring, what / 4, take8(&in));
            break;
        }
        ring_check_sleepers(ring);
    }
    producer_finish(ring);
    return 0;
}
