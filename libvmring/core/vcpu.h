/* SPDX-License-Identifier: MIT */
/*
 * vcpu.h: synchronous requests where every vCPU is a thread of its own, as in a
 * hypervisor: instead of post, collect, sweep and arm of producer.h.
 *
 * A vCPU fills in its own request, makes it visible and tells of it; it sleeps;
 * whoever hears of answers wakes the vCPUs that have one; and each looks for
 * its verdict itself.  Nothing of it needs a lock:
 *
 *   vmr_vcpu_*   that vCPU's, one call of a vCPU at a time, while others make
 *                theirs.  They write the vCPU's own slot, FIFO, bit and P, and
 *                no line that another vCPU writes, but for the words of bits.
 *   vmr_group_*  one call of a group at a time; vCPUs may be at theirs.
 *   the others, keep and release, while none of those above is under way: in a
 *                hypervisor all vCPUs are off their CPUs.  So are attach, which
 *                posts anew what is pending, and freeze of producer.h.
 *
 * Every call takes a bounded number of steps, whatever the consumer writes.
 */
#ifndef VMRING_CORE_VCPU_H
#define VMRING_CORE_VCPU_H

#include "producer.h"

/*
 * Where the vCPU's next request is to be filled in: all of it, of `event` every
 * byte that its length has, as P is a copy of it; `overdue` is not looked at.
 * NULL: its FIFO is full, apply the neutral verdict.
 */
struct vmr_request *vmr_vcpu_reserve(struct vmr_producer *producer,
                                     uint32_t vcpu);

/*
 * It is filled in: it is queued and, if it is the first, visible.  What is
 * returned says of the doorbell of the vCPU's group what
 * vmr_producer_flush_own() says of it.  The vCPU may be woken from now on.
 */
enum vmr_flush vmr_vcpu_post(struct vmr_producer *producer, uint32_t vcpu);

/* Once more, after VMR_FLUSH_AGAIN; VMR_FLUSH_QUIET if there was none. */
enum vmr_flush vmr_vcpu_flush(struct vmr_producer *producer, uint32_t vcpu);

/*
 * The vCPU's first request, if it has its verdict: the consumer's answer, if
 * that is there; else the neutral one, after vmr_vcpu_release() or if `now` is
 * not before its deadline.  The request is the producer's and stays where it
 * is until vmr_vcpu_retire().  NULL: there is none, or it is still pending.
 */
const struct vmr_request *
vmr_vcpu_collect(struct vmr_producer *producer, uint32_t vcpu, uint64_t now,
                 struct xen_vm_ring_response *response, enum vmr_by *by);

/* The verdict has been applied: the next request becomes visible, as by post.
 */
enum vmr_flush vmr_vcpu_retire(struct vmr_producer *producer, uint32_t vcpu);

/* The vCPU's first request, until when it waits; NULL: none is pending. */
static inline const struct vmr_request *
vmr_vcpu_first(const struct vmr_producer *producer, uint32_t vcpu)
{
    return vmr_slot_first(&producer->slots[vcpu]);
}

/*
 * Between the vCPU's mark for all to see that it sleeps, and its sleep.  true:
 * something may be there that nobody woke it for: collect.  An answer is such a
 * thing once, so that a consumer which takes it back keeps nobody busy.
 */
bool vmr_vcpu_is_due(struct vmr_producer *producer, uint32_t vcpu);

/*
 * A vCPU of the group whose answer's hint has come: wake it, if it is marked as
 * asleep.  false: there is no other.  As many calls as the group has vCPUs
 * return true for the hints of one moment; a consumer that goes on setting them
 * is to be bounded by the caller.
 */
bool vmr_group_answered(struct vmr_producer *producer, uint32_t group,
                        uint32_t *vcpu);

/*
 * Asks for the group's doorbell, for answers.  false: hints are there already,
 * and it is not asked for: vmr_group_answered().
 */
bool vmr_group_arm(struct vmr_producer *producer, uint32_t group);

/*
 * The consumer has gone: a last look at the answer of the vCPU's request. true:
 * it is there, copied to *kept, which stays the producer's until the vCPU has
 * retired the request.  It is settled: it has its verdict, for the vCPU to
 * collect, and is not posted anew.  The caller wakes it, if it sleeps.
 */
bool vmr_vcpu_keep(struct vmr_producer *producer, uint32_t vcpu,
                   struct xen_vm_ring_response *kept);

/*
 * After the last look, if there is to be no successor: all that is pending of
 * the vCPU is settled by the neutral verdict.
 */
void vmr_vcpu_release(struct vmr_producer *producer, uint32_t vcpu);

/* Is the vCPU's first request settled?  So is each that it posted before. */
static inline bool vmr_vcpu_is_settled(const struct vmr_producer *producer,
                                       uint32_t vcpu)
{
    return producer->slots[vcpu].settled;
}

/*
 * After the last look at each vCPU's: C can be unmapped.  false: a push into
 * the foreign lane is under way, in another thread; nothing was done, call
 * again.  Without that lane always true.
 */
bool vmr_producer_let_go(struct vmr_producer *producer);

/*
 * P can be unmapped, too: there is no ring until vmr_producer_attach().
 * Requests stay pending.  false: as by vmr_producer_let_go(), P stays in use.
 */
bool vmr_producer_leave(struct vmr_producer *producer);

#endif /* VMRING_CORE_VCPU_H */
