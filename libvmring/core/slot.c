/* SPDX-License-Identifier: MIT */
#include "slot.h"

#include "atomic.h"

#define HEAD_LEN XEN_VM_RING_EVENT_HEAD

void vmr_slot_tx_init(struct vmr_slot_tx *tx, struct vmr_request *fifo,
                      uint32_t stride)
{
    tx->request = NULL;
    tx->response = NULL;
    tx->kept = NULL;
    tx->seq = tx->refused = tx->seen = tx->ignored = 0;
    tx->first = tx->nr = tx->settled = 0;
    tx->hint_due = tx->untold = tx->owing = tx->kept_from = false;
    for (uint32_t i = 0; i < VMR_FIFO; i++)
        tx->fifo[i] = fifo + (size_t)i * stride;
}

/* What is visible in the old P is so anew in another: its seq is fresh. */
static void leave_old(struct vmr_slot_tx *tx)
{
    if (!(tx->seq & 1))
        return;
    tx->seq++;
    tx->fifo[tx->first]->event.flags |= XEN_VM_RING_FLAG_REPOSTED;
}

void vmr_slot_tx_attach(struct vmr_slot_tx *tx, const struct vmr_geometry *geo,
                        uint32_t vcpu, void *p, void *c)
{
    uint64_t off = (uint64_t)vcpu * geo->slot_len;

    leave_old(tx);
    tx->request = (void *)((unsigned char *)p + geo->request_off + off);
    tx->response = (void *)((unsigned char *)c + geo->response_off + off);
    tx->hint_due = tx->untold = tx->owing = tx->kept_from = false;
}

void vmr_slot_tx_detach(struct vmr_slot_tx *tx)
{
    tx->response = NULL;
}

void vmr_slot_tx_leave(struct vmr_slot_tx *tx)
{
    leave_old(tx);
    tx->request = NULL;
}

struct vmr_request *vmr_slot_reserve(struct vmr_slot_tx *tx)
{
    return tx->nr < VMR_FIFO ? tx->fifo[(tx->first + tx->nr) % VMR_FIFO] : NULL;
}

void vmr_slot_commit(struct vmr_slot_tx *tx)
{
    tx->nr++;
}

bool vmr_slot_add(struct vmr_slot_tx *tx, const struct vmr_request *request)
{
    struct vmr_request *to = vmr_slot_reserve(tx);

    if (!to)
        return false;
    *to = *request;
    vmr_slot_commit(tx);
    return true;
}

bool vmr_slot_post(struct vmr_slot_tx *tx)
{
    const struct xen_vm_ring_event *event;
    struct xen_vm_ring_event *slot = tx->request;

    if (!slot || !tx->nr || (tx->seq & 1) || tx->settled)
        return false;
    event = &tx->fifo[tx->first]->event;
    /*
     * The slot holds an even seq since it was retired (or zero).  A
     * consumer that copies a word of the new body sees at least that even
     * value when it looks again.  Pairs with the acquire fence in
     * vmr_slot_take() (docs/ABI.md, S2).
     */
    vmr_fence_release();
    vmr_copy_to_shared(&slot->time, &event->time, HEAD_LEN - 8);
    if (event->length > HEAD_LEN)
        vmr_copy_to_shared(&slot->regs, &event->regs, XEN_VM_RING_REGS_LEN);
    tx->seq++;
    /* Pairs with the acquire load in vmr_slot_take() (S1). */
    vmr_store_release(&slot->state, tx->seq);
    return true;
}

enum vmr_collect vmr_slot_collect(const struct vmr_slot_tx *tx,
                                  struct xen_vm_ring_response *response)
{
    if (!tx->response || !(tx->seq & 1))
        return VMR_COLLECT_NONE;
    /* Pairs with the release store in vmr_slot_answer() (S3). */
    if (vmr_load_acquire(&tx->response->seq) != tx->seq)
        return VMR_COLLECT_STALE;
    vmr_copy_from_shared(response, tx->response, sizeof(*response));
    response->seq = tx->seq;
    return VMR_COLLECT_ANSWER;
}

void vmr_slot_retire(struct vmr_slot_tx *tx)
{
    if (tx->seq & 1) {
        tx->seq++;
        /*
         * Even: taken back.  Seen by vmr_slot_take()'s second look (S2), for
         * which the fence of the next post orders it; its reader uses nothing
         * that was stored before.
         */
        vmr_store_relaxed(&tx->request->state, tx->seq);
    }
    tx->kept = NULL;
    if (tx->settled)
        tx->settled--;
    if (tx->nr) {
        tx->first = (tx->first + 1) % VMR_FIFO;
        /* The next is queued where the last one was: that is in the cache. */
        if (--tx->nr == 0)
            tx->first = 0;
    }
}

void vmr_slot_rx_init(struct vmr_slot_rx *rx, const struct vmr_geometry *geo,
                      uint32_t vcpu, const void *p, void *c)
{
    uint64_t off = (uint64_t)vcpu * geo->slot_len;

    rx->request =
        (const void *)((const unsigned char *)p + geo->request_off + off);
    rx->response = (void *)((unsigned char *)c + geo->response_off + off);
    rx->taken = rx->answered = 0;
}

enum vmr_take vmr_slot_take(struct vmr_slot_rx *rx,
                            struct xen_vm_ring_event *event)
{
    /* Pairs with the release store in vmr_slot_post() (S1). */
    uint64_t seq = vmr_load_acquire(&rx->request->state);

    if (!(seq & 1) || seq == rx->taken)
        return VMR_TAKE_NONE;
    vmr_copy_from_shared(event, rx->request, HEAD_LEN);
    if (event->length == XEN_VM_RING_EVENT_FULL)
        vmr_copy_from_shared(&event->regs, &rx->request->regs,
                             XEN_VM_RING_REGS_LEN);
    else if (event->length != HEAD_LEN)
        event->length = 0; /* torn, or a lie: the seq will tell */
    /* Pairs with the release fence in vmr_slot_post() (S2). */
    vmr_fence_acquire();
    if (vmr_load_relaxed(&rx->request->state) != seq)
        return VMR_TAKE_AGAIN;
    rx->taken = seq;
    event->state = seq;
    return event->length ? VMR_TAKE_EVENT : VMR_TAKE_BROKEN;
}

bool vmr_slot_is_posted(const struct vmr_slot_rx *rx, uint64_t seq)
{
    return vmr_load_relaxed(&rx->request->state) == seq;
}

bool vmr_slot_is_answered(const struct vmr_slot_rx *rx, uint64_t seq)
{
    return rx->answered == seq;
}

void vmr_slot_answer(struct vmr_slot_rx *rx, uint64_t seq,
                     const struct xen_vm_ring_response *response)
{
    rx->answered = seq;
    vmr_copy_to_shared(&rx->response->flags, &response->flags,
                       sizeof(*response) - 8);
    /* Pairs with the acquire load in vmr_slot_collect() (S3). */
    vmr_store_release(&rx->response->seq, seq);
}
