/* SPDX-License-Identifier: MIT */
/*
 * lane_foreign.c: the foreign lane, of events that no vCPU raised itself.
 *
 * Its pushers are any threads, beside the one that makes the producer's other
 * calls.  The holder of the lock may touch the lane and what it points to.
 * Each call tries the lock once and never waits.  A push that does not get it
 * is counted.  Freeze and the end of a sweep, which take the lane's memory
 * away, return false, and their caller comes again: a push is over soon.
 */
#include "atomic.h"
#include "producer_parts.h"

static struct vmr_lane_tx *lane_of(struct vmr_producer *producer)
{
    return &producer->lanes[producer->nr_vcpus];
}

/*
 * Those that found the lock taken, as P has them: one writer at a time, and
 * nothing is read back.  Under the lock.
 */
static void publish_contended(struct vmr_producer *producer)
{
    struct vmr_foreign *foreign = &producer->foreign;
    /* A count of attempts: nobody goes by it to anything else. */
    uint64_t contended = vmr_load_relaxed(&foreign->contended);

    if (contended == foreign->published)
        return;
    foreign->published = contended;
    vmr_store_relaxed(&lane_of(producer)->line->lost_contended,
                      contended - foreign->base);
}

bool vmr_foreign_push(struct vmr_producer *producer,
                      const struct xen_vm_ring_event *event)
{
    struct vmr_foreign *foreign = &producer->foreign;
    struct vmr_lane_tx *tx = lane_of(producer);
    bool published = false;

    if (!vmr_trylock(&foreign->lock)) {
        vmr_add_relaxed(&foreign->contended, 1);
        return false;
    }
    /*
     * Pairs with the release store in vmr_foreign_open(): the lane is that of
     * the new ring.
     */
    if (!vmr_load_acquire32(&foreign->open)) {
        /* Between two rings: it is the second one's to tell of. */
        vmr_add_relaxed(&foreign->contended, 1);
    } else {
        published = vmr_lane_push(tx, event);
        publish_contended(producer);
    }
    if (published) {
        vmr_lane_show(tx);
        /*
         * Pairs with the load in vmr_foreign_tell() and D1's barrier behind
         * it.
         */
        vmr_store_release(&foreign->pushed, tx->head);
    }
    vmr_unlock(&foreign->lock);
    return published;
}

void vmr_foreign_tell(struct vmr_producer *producer)
{
    struct vmr_foreign *foreign = &producer->foreign;
    struct vmr_lane_tx *tx = lane_of(producer);
    uint64_t contended = vmr_load_relaxed(&foreign->contended);
    uint64_t pushed;

    /* Else the push that has the lock does, or the next flush. */
    if (contended != foreign->flushed && vmr_trylock(&foreign->lock)) {
        foreign->flushed = contended;
        publish_contended(producer);
        vmr_unlock(&foreign->lock);
    }
    /*
     * Relaxed: D1's barrier comes after it.  Pairs with the release store in
     * vmr_foreign_push(): what it counts was shown before.
     */
    pushed = vmr_load_relaxed(&foreign->pushed);
    if (!producer->attached || pushed == foreign->told)
        return;
    foreign->told = pushed;
    vmr_bits_set(&producer->bells[tx->group].lanes, tx->bit);
}

/* No push is in the lane: none has been let in since it was frozen. */
void vmr_foreign_open(struct vmr_producer *producer, bool first)
{
    struct vmr_foreign *foreign = &producer->foreign;

    /* What came before there was any ring is in no ledger. */
    if (first)
        foreign->published = vmr_load_relaxed(&foreign->contended);
    foreign->base = foreign->flushed = foreign->published;
    foreign->told = 0;
    vmr_store_relaxed(&foreign->pushed, 0);
    vmr_foreign_reopen(producer);
}

void vmr_foreign_reopen(struct vmr_producer *producer)
{
    /* Pairs with the acquire load in vmr_foreign_push(). */
    vmr_store_release32(&producer->foreign.open, 1);
}

bool vmr_foreign_freeze(struct vmr_producer *producer)
{
    struct vmr_foreign *foreign = &producer->foreign;

    /* This thread alone changes it: frozen already. */
    if (!vmr_load_relaxed32(&foreign->open))
        return true;
    if (!vmr_trylock(&foreign->lock))
        return false;
    /* By the lock: the next to have it sees this. */
    vmr_store_relaxed32(&foreign->open, 0);
    publish_contended(producer);
    vmr_lane_freeze(lane_of(producer));
    vmr_count_fault(producer, producer->nr_vcpus);
    vmr_unlock(&foreign->lock);
    return true;
}

bool vmr_foreign_detach(struct vmr_producer *producer)
{
    struct vmr_foreign *foreign = &producer->foreign;

    if (!vmr_trylock(&foreign->lock))
        return false;
    vmr_lane_tx_detach(lane_of(producer));
    vmr_count_fault(producer, producer->nr_vcpus);
    vmr_unlock(&foreign->lock);
    return true;
}
