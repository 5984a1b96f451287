/* SPDX-License-Identifier: MIT */
/* hostile_ring.c: C, written as no consumer should. */
#include "hostile.h"

#include "core/atomic.h"

static xen_vm_ring_u64 *c_word(uint64_t offset)
{
    return (xen_vm_ring_u64 *)((char *)me.now->regions.c.at + offset);
}

static uint64_t p_word(uint64_t offset)
{
    return vmr_load_acquire(
        (const xen_vm_ring_u64 *)((const char *)me.now->regions.p.at + offset));
}

static void fill(int kind)
{
    for (uint64_t at = 0; at < me.now->regions.c.len; at += 8)
        *c_word(at) = kind == 0 ? noise() : kind == 1 ? UINT64_MAX : 0;
}

static void lie_of_cursors(void)
{
    const struct xen_vm_ring_header *h = &me.now->header;

    for (uint32_t lane = 0; lane < h->nr_lanes; lane++) {
        uint64_t head = p_word(h->lane_off + (uint64_t)lane * XEN_VM_RING_LANE);
        uint64_t lies[] = {head + 1, head - 1, 0, UINT64_MAX, noise(), head};

        *c_word(h->cursor_off + (uint64_t)lane * XEN_VM_RING_LINE) =
            lies[noise() % 6];
    }
}

/* Attention, answered, armed: the whole block of each group. */
static void lie_of_bits(void)
{
    const struct xen_vm_ring_header *h = &me.now->header;

    for (uint64_t at = 0; at < (uint64_t)h->nr_groups * h->c_group_len; at += 8)
        *c_word(h->c_group_off + at) = noise() & 1 ? UINT64_MAX : noise();
}

/* Of a request that waits, with verdicts that nobody has granted. */
static void answer_wildly(void)
{
    const struct xen_vm_ring_header *h = &me.now->header;

    for (uint32_t v = 0; v < h->nr_vcpus; v++) {
        uint64_t slot = (uint64_t)v * h->slot_len;
        uint64_t seq = p_word(h->request_off + slot);
        const struct xen_vm_ring_event *event =
            (const void *)((const char *)me.now->regions.p.at + h->request_off +
                           slot);
        struct xen_vm_ring_response *response =
            (void *)c_word(h->response_off + slot);
        uint32_t flags[] = {XEN_VM_RING_FLAG_DENY,
                            XEN_VM_RING_FLAG_SET_REGISTERS,
                            XEN_VM_RING_FLAG_INJECT,
                            XEN_VM_RING_FLAG_EMULATE,
                            XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP,
                            UINT32_MAX,
                            (uint32_t)noise() | XEN_VM_RING_FLAG_DENY};

        if (!(seq & 1))
            continue;
        for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
            response->data.words[i] = noise();
        response->inject = (struct xen_vm_ring_inject){.vector = 13, .type = 3};
        response->flags = flags[noise() % 7];
        response->reason = event->reason;
        vmr_store_release(&response->seq, seq);
        me.answers++;
    }
    lie_of_bits();
}

void scribble_once(void)
{
    switch (me.passes++ % 6) {
    case 0:
    case 1:
    case 2:
        fill((int)(me.passes % 3));
        break;
    case 3:
        lie_of_cursors();
        break;
    case 4:
        lie_of_bits();
        break;
    default:
        answer_wildly();
    }
    if (me.passes % 16 == 0)
        evtchn_ring(me.now->bells, 0);
}
