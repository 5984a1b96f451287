/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wake.c: a vCPU with a request sleeps, until its answer is there or its
 * deadline.  Who hears of an answer wakes the vCPU, and does nothing else for
 * it: the vCPU finds and applies its verdict itself (apply.c).
 */
#include <xen/vm_event.h>

#include "ring.h"

/*
 * Turns of a group while its consumer sets hints for nothing; and after how
 * long the next ones, so that it costs others little.
 */
#define MAX_TURNS 8
#define LATER     MILLISECS(1)

/*
 * A deadline may be far away; of a timer Xen multiplies how long it has to
 * go by the frequency of the local APIC, which overflows after some hours.
 */
#define MAX_SLEEP SECONDS(600)

/* ------------------------------------------------------------ a vCPU -- */

void ring_sleep(struct ring_vcpu *rv)
{
    /* Paused before the bit: whoever takes that away finds it paused. */
    vm_event_vcpu_pause(rv->vcpu);
    if ( test_and_set_bit(0, &rv->asleep) )
        vm_event_vcpu_unpause(rv->vcpu);
}

void ring_wake(struct ring_vcpu *rv)
{
    if ( test_and_clear_bit(0, &rv->asleep) )
        vm_event_vcpu_unpause(rv->vcpu);
}

/*
 * A timer that is set too early wakes it for nothing, and is set again: so most
 * requests need not set it.
 */
void ring_wake_by(struct ring_vcpu *rv, s_time_t at)
{
    /* Pairs with ring_vcpu_timer(): asleep, then the look at timer_at. */
    smp_mb();
    if ( at >= read_atomic(&rv->timer_at) )
        return;
    at = min(at, NOW() + MAX_SLEEP);
    write_atomic(&rv->timer_at, at);
    if ( rv->timer.cpu != rv->vcpu->processor )
        migrate_timer(&rv->timer, rv->vcpu->processor);
    set_timer(&rv->timer, at);
}

void ring_expect(struct ring_vcpu *rv)
{
    const struct vmr_request *first =
        vmr_vcpu_first(&rv->ring->core, rv->vcpu->vcpu_id);

    if ( first && first->deadline < STIME_MAX )
        ring_wake_by(rv, first->deadline);
}

void cf_check ring_vcpu_timer(void *data)
{
    struct ring_vcpu *rv = data;

    write_atomic(&rv->timer_at, STIME_MAX);
    /* Pairs with ring_wake_by(): one of the two sees the other. */
    smp_mb();
    ring_wake(rv);
}

/* ----------------------------------------------------------- a group -- */

/* false: there may be more, and the doorbell is not asked for. */
static bool wake_answered(struct vm_ring *ring, unsigned int group)
{
    unsigned int i, most;
    uint32_t vcpu;

    for ( i = 0; i < MAX_TURNS; i++ )
    {
        for ( most = ring->nr_vcpus;
              most && vmr_group_answered(&ring->core, group, &vcpu); most-- )
            ring_wake(ring->vcpus[vcpu]);
        if ( vmr_group_arm(&ring->core, group) )
            return true;
    }
    return false;
}

static void hear(struct vm_ring *ring, unsigned int group, bool notified)
{
    struct ring_group *at = &ring->groups[group];

    spin_lock(&at->lock);
    at->heard += notified;
    if ( at->on && !wake_answered(ring, group) )
    {
        set_bit(group, ring->rest);
        set_timer(&ring->timer, NOW() + LATER);
    }
    spin_unlock(&at->lock);
}

void ring_doorbell(struct vm_ring *ring, unsigned int group)
{
    hear(ring, group, true);
}

void cf_check ring_timer(void *data)
{
    struct vm_ring *ring = data;
    unsigned int group;

    for ( group = 0; group < XEN_VM_RING_MAX_GROUPS; group++ )
        if ( test_and_clear_bit(group, ring->rest) )
            hear(ring, group, false);
}

static void set_groups(struct vm_ring *ring, unsigned int nr, bool on)
{
    unsigned int group;

    for ( group = 0; group < nr; group++ )
    {
        struct ring_group *at = &ring->groups[group];

        spin_lock(&at->lock);
        at->on = on;
        /* What came before is found now, or rung for. */
        if ( on && !wake_answered(ring, group) )
        {
            set_bit(group, ring->rest);
            set_timer(&ring->timer, NOW() + LATER);
        }
        spin_unlock(&at->lock);
    }
}

void ring_groups_off(struct vm_ring *ring)
{
    set_groups(ring, XEN_VM_RING_MAX_GROUPS, false);
}

void ring_groups_on(struct vm_ring *ring)
{
    set_groups(ring, ring->core.geo.nr_groups, true);
}
