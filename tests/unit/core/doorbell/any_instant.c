/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that disarms at any instant of a flush is rung only
 * if the flush has found it armed; bits that come in at any instant of a
 * refill are found by it or by the next.
 */
#include "rig.h"

#include "instants.h"

#include "core/doorbell.c"

static struct rig rig;
static unsigned int when, now;
static bool was_armed;

static xen_vm_ring_u64 *attention(void)
{
    return rig.rx.groups[0].bell.attn_request;
}

/* What the exchange would get: 1 as long as nobody took it. */
static void disarm(void)
{
    if (now++ == when) {
        was_armed = rig_group(&rig, 0)->armed;
        rig_group(&rig, 0)->armed = 0;
    }
}

static bool flush_while_disarmed(void)
{
    struct vmr_bell_tx *tx = &rig.tx.bells[0];
    enum vmr_flush flush;

    attention()[0] = 0;
    rig_group(&rig, 0)->armed = 1;
    vmr_bits_set(&tx->requests, 0);
    now = 0;
    was_armed = false;
    at_instant = disarm;
    flush = vmr_bell_flush(tx);
    at_instant = NULL;
    CHECK_EQ(attention()[0], 1);
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
    CHECK_EQ(flush, was_armed ? VMR_FLUSH_QUIET : VMR_FLUSH_RING);
    return now > when;
}

static void set_bit(void)
{
    if (now++ == when)
        (void)(vmr_or)(&attention()[0], 2);
}

static bool refill_while_set(void)
{
    struct vmr_bell_rx *rx = &rig.rx.groups[0].bell;
    uint32_t bit;

    vmr_bits_init(&rx->requests, rx->requests.words, rx->requests.nr_words);
    attention()[0] = 1;
    now = 0;
    at_instant = set_bit;
    CHECK(vmr_bell_refill(rx));
    at_instant = NULL;
    if (now <= when)
        return false;
    CHECK(vmr_bell_refill(rx));
    CHECK_EQ(attention()[0], 0);
    CHECK(vmr_bits_next(&rx->requests, 0, &bit));
    CHECK_EQ(bit, 0);
    CHECK(vmr_bits_next(&rx->requests, 1, &bit));
    CHECK_EQ(bit, 1);
    return true;
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 2);

    rig_make(&rig, &geo);
    for (when = 0; flush_while_disarmed(); when++)
        ;
    CHECK(when >= 4);
    for (when = 0; refill_while_set(); when++)
        ;
    CHECK(when >= 4);
    return 0;
}
