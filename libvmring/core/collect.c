/* SPDX-License-Identifier: MIT */
/*
 * collect.c: the next verdict: by a deadline, or by an answer that a hint leads
 * to.  A sweep is over, and the doorbells for answers are armed.
 */
#include "producer_parts.h"

/* Of one group, what was fetched already.  Each bit is looked at once. */
static bool collect_group(struct vmr_producer *producer, uint32_t *looks,
                          struct vmr_verdict *verdict)
{
    uint32_t group = producer->fetch, bit;
    struct vmr_bits *fetched = &producer->bells[group].fetched;

    while (*looks && vmr_bits_next(fetched, 0, &bit)) {
        --*looks;
        vmr_bits_clear(fetched, bit);
        if (vmr_collect_one(producer, bit * producer->geo.nr_groups + group,
                            true, verdict))
            return true;
    }
    return false;
}

/*
 * All answers have been looked at: C is let go of.  While another thread
 * pushes into the foreign lane the sweep is not over.
 */
static void end_sweep(struct vmr_producer *producer)
{
    if (vmr_let_go(producer))
        producer->sweeping = false;
}

/*
 * A round over the groups, from the one that was being looked at.  Whatever
 * is set in C meanwhile, each has its turn, and the caller's clock too.
 */
static bool collect_answer(struct vmr_producer *producer,
                           struct vmr_verdict *verdict)
{
    uint32_t looks = VMR_COLLECT_LOOKS;

    for (uint32_t i = 0;; i++) {
        if (collect_group(producer, &looks, verdict))
            return true;
        if (!looks)
            return false;
        if (i == producer->geo.nr_groups)
            break;
        producer->fetch = (producer->fetch + 1) % producer->geo.nr_groups;
        if (!producer->sweeping && !producer->broken &&
            vmr_bell_fetch_answers(&producer->bells[producer->fetch]) ==
                VMR_RMW_PEER)
            producer->broken = true;
    }
    if (producer->sweeping)
        end_sweep(producer);
    return false;
}

bool vmr_producer_collect(struct vmr_producer *producer, uint64_t now,
                          struct vmr_verdict *verdict)
{
    /*
     * The clock first: answers could come for ever.  A sweep's are no more
     * than there are vCPUs, and it is only then too late.
     */
    if (!producer->sweeping && vmr_expire(producer, now, verdict))
        return true;
    if (!producer->attached)
        return false;
    if (collect_answer(producer, verdict))
        return true;
    /* A sweep that has just ended: its request may be for nobody now. */
    return !producer->attached && vmr_expire(producer, now, verdict);
}

bool vmr_producer_arm(struct vmr_producer *producer)
{
    bool quiet = true;

    if (producer->sweeping)
        return false;
    if (!producer->attached || producer->broken)
        return true;
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++)
        vmr_bell_arm_answers(&producer->bells[g]);
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++) {
        struct vmr_bell_tx *bell = &producer->bells[g];

        switch (vmr_bell_fetch_answers(bell)) {
        case VMR_RMW_DONE:
            break;
        case VMR_RMW_OURS:
            quiet = false; /* some are still in C */
            break;
        case VMR_RMW_PEER:
            producer->broken = true;
            break;
        }
        if (bell->fetched.low != bell->fetched.high)
            quiet = false;
    }
    if (quiet)
        return true;
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++)
        vmr_bell_disarm_answers(&producer->bells[g]);
    return false;
}
