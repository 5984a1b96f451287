/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ring.h: a domain's ring, as Xen keeps it.
 *
 *   control.c     the domctl; negotiate.c what it accepts
 *   attach.c      what comes before an epoch
 *   epoch.c       its begin, detach, destruction: all under the domctl lock
 *   pages.c       P and C; ports.c the event channels
 *   event.c       from a vCPU into the ring
 *   wake.c        who sleeps until its verdict is there, and is woken
 *   apply.c       the verdict, on the vCPU's own way back
 *
 * Locks: domctl lock -> domain_pause() -> ring->lock -> locks of the scheduler,
 * of timers and of event channels.  A vCPU takes none of ours, and writes to
 * nothing that another vCPU does, but for the words of attention bits in C: its
 * lane, its slot and its struct ring_vcpu are its own.  What maps or unmaps has
 * every vCPU paused and off its CPU, and the groups quiet.  A group's lock is
 * taken by who hears of its consumer's answers, to find whom to wake; ring->lock
 * is the domctl's, and that of the target's state.
 */
#ifndef VM_RING_RING_H
#define VM_RING_RING_H

#include <xen/list.h>
#include <xen/mm.h>
#include <xen/rcupdate.h>
#include <xen/sched.h>
#include <xen/spinlock.h>
#include <xen/timer.h>
#include <xen/vm_ring.h>

#include "core/vcpu.h"
#include "vm_event/response.h"

#ifdef CONFIG_X86
#define RING_ARCH XEN_VM_RING_ARCH_X86
#else
#define RING_ARCH XEN_VM_RING_ARCH_ARM
#endif

/* Bytes of records in all lanes that an agent can ask for (rule N3). */
#define RING_MAX_ASYNC   MB(64)
/* Frozen Ps that are kept for a successor: with the P in use, all of it. */
#define RING_MAX_PREV    2
/*
 * Pages that one domain's rings may keep, old ones that somebody still maps
 * included: nothing keeps an attach from being followed by another.  The
 * largest ring has room for its successor; a frozen P gives way to one.
 */
#define RING_MAX_PAGES   PFN_DOWN(MB(160))
#define RING_DEFAULT_DEADLINE SECONDS(1)

/* P, C or a frozen P. */
struct ring_pages {
    void *at; /* where Xen has them, one after the other */
    unsigned int nr;     /* that there are to be */
    unsigned int have;   /* that are allocated */
    unsigned int mapped; /* of these: all, unless they are being freed */
    mfn_t *mfns;
};

struct ring_tally {
    uint64_t requests, answered, defaulted, records, discarded;
};

/* What each vCPU has of a ring.  It alone writes it while it runs. */
struct ring_vcpu {
    /*
     * Bit 0: it is paused by the ring, once, and whoever takes the bit away
     * unpauses it.
     */
    unsigned long asleep;
    struct vm_ring *ring;
    struct vcpu *vcpu;
    /* Wakes it for its deadline. */
    struct timer timer;
    s_time_t timer_at;
    bool applied; /* a verdict, and others of it are still to come */
    struct ring_tally tally[XEN_VM_RING_NR_REASONS];
    struct ring_tally base[XEN_VM_RING_NR_REASONS]; /* as the epoch began */
    uint64_t by_deadline, by_detach, by_overflow, doorbells;
    uint32_t not_injected;
    struct xen_vm_ring_response kept; /* core's: a last look found it */
    /* For conversion, which is too much for the stack. */
    struct xen_vm_ring_event event;
    struct xen_vm_ring_response response;
    struct vm_event_answer answer;
} __cacheline_aligned;

/* Those who hear of the answers of a doorbell's group. */
struct ring_group {
    spinlock_t lock;
    bool on; /* there is a consumer that can answer */
    uint64_t heard;
} __cacheline_aligned;

struct ring_ports;

struct vm_ring {
    struct domain *domain;
    spinlock_t lock;
    bool active; /* events go into it: changed with all vCPUs paused */

    struct vmr_producer core;
    void *core_memory;
    unsigned int nr_vcpus;
    unsigned int other_pages; /* without a physmap, that are not of rings */
    struct ring_vcpu **vcpus;
    struct ring_group groups[XEN_VM_RING_MAX_GROUPS];
    /* What a turn has left over, by group, is gone on with by the timer. */
    struct timer timer;
    DECLARE_BITMAP(rest, XEN_VM_RING_MAX_GROUPS);

    /* Of the epoch; the domctl lock's, and read under ring->lock. */
    uint64_t epoch, handle;
    uint64_t target_state; /* as the consumer was told; under ring->lock */
    uint64_t deadline; /* ns; VMR_NO_DEADLINE */
    uint32_t resource;
    struct ring_ports *ports; /* ring->lock, or RCU, to read */
    s_time_t attached_at;
    struct ring_pages p, c;
    unsigned int nr_prev;
    struct ring_pages prev[RING_MAX_PREV];
    uint64_t prev_unread[RING_MAX_PREV];

    /* An attach that is being continued, and pages on their way out. */
    uint64_t making; /* its handle; 0: none */
    s_time_t made_at; /* when it was last gone on with */
    int failed;       /* what of it is left is to be freed, and this said */
    struct vmr_geometry new_geo;
    struct ring_pages new_p, new_c;
    unsigned int nr_going;
    /* All that there are: an attach makes new ones when there are none here. */
    struct ring_pages going[RING_MAX_PREV + 4];

    /* All frames that access is restricted to are in here; under the lock. */
    uint64_t restricted, restricted_end;
    /* Those that are being lifted, and p2m's first error: the domctl lock's. */
    uint64_t lifting, lifting_end;
    int lifting_rc;

    /* Besides what the vCPUs and the groups have; under the lock. */
    uint64_t abandoned, doorbells;
};

/* Something that can be asked for; the legacy ring is kept out. */
static inline bool ring_is_made(const struct vm_ring *ring)
{
    return ring->handle || ring->making;
}

static inline void ring_lock(struct vm_ring *ring)
{
    spin_lock(&ring->lock);
}

static inline void ring_unlock(struct vm_ring *ring)
{
    spin_unlock(&ring->lock);
}

/* pages.c.  All of them, zero; -ERESTART: preempted, -ENOMEM. */
int ring_pages_make(struct domain *d, struct ring_pages *pages);
/* -ERESTART: preempted.  Nothing there is fine. */
int ring_pages_free(struct ring_pages *pages, bool clear);
/* To be freed by ring_reap(): nobody uses them any more. */
void ring_let_go(struct vm_ring *ring, struct ring_pages *pages);
/* -ERESTART: preempted. */
int ring_reap(struct vm_ring *ring);

/* ports.c.  Xen's ends are in the agent's domain. */
int ring_ports_open(struct vm_ring *ring, struct domain *agent, unsigned int nr,
                    struct ring_ports **ports);
void ring_ports_tell(const struct ring_ports *ports, uint32_t *numbers);
/* Is there somebody at the other end of any?  NULL is fine. */
bool ring_ports_bound(const struct ring_ports *ports);
/* One has been heard of: they were bound.  NULL: they are over. */
bool ring_ports_heard(const struct ring_ports *ports);
/* May this domain have what they are the doorbells of? */
bool ring_ports_are_of(const struct ring_ports *ports, const struct domain *d);
/* NULL is fine. */
void ring_ports_close(struct ring_ports *ports);
/* Rings these groups; returns how many.  NULL is fine. */
unsigned int ring_ports_ring(const struct ring_ports *ports, uint64_t groups);

/* An agent's domain dies: no ring holds it any longer.  -ERESTART: preempted. */
int ring_ports_forget(const struct domain *agent);

/* negotiate.c.  What a proposal comes to; true: make it. */
bool ring_negotiate(const struct vm_ring *ring, const struct domain *d,
                    const struct xen_vm_ring_propose *propose, bool busy,
                    struct xen_vm_ring_accept *accept);
/* Instead of what it has come to. */
void ring_refuse(struct xen_vm_ring_accept *accept, uint32_t result);

/*
 * attach.c.  -ERESTART: preempted; *handle is what to call it with again.  What
 * it replaces is left to ring_reap().
 */
int ring_attach(struct domain *d, uint64_t *handle,
                struct xen_vm_ring_attach *attach);

/* attach.c.  Of an attach that is being continued, if there is one. */
void ring_give_up(struct vm_ring *ring);

/* epoch.c.  What a ring of the domain needs. */
int ring_make(struct domain *d);
/* The domain is paused, all pages are mapped. */
void ring_begin_epoch(struct vm_ring *ring, struct ring_ports *ports);
/* At once, and as a whole: the pages are left to ring_reap(). */
void ring_detach(struct vm_ring *ring);
void ring_drained(struct vm_ring *ring);
/* The oldest frozen P is kept no longer; what is unread in it is abandoned. */
void ring_forget_oldest(struct vm_ring *ring);
void ring_disarm(struct domain *d);
void ring_destroy(struct vm_ring *ring);
/* Requests that nobody has answered yet, as far as was looked. */
unsigned int ring_pending(const struct vm_ring *ring);
/*
 * Looks for answers that their vCPUs have not come round to, as those of a
 * paused domain cannot: the consumer that waits for them is done.
 */
void ring_settle(struct vm_ring *ring);
/* There is nobody at its doorbells; its vCPUs may be running. */
void ring_lose_agent(struct vm_ring *ring);

/*
 * frames.c.  What access is restricted to so far is lifted, turn by turn; what
 * is restricted meanwhile is the next one's.  -ERESTART: preempted; -errno of
 * p2m: there are frames that are as they were, which the next one tries again.
 */
void ring_lift_begin(struct vm_ring *ring);
int ring_lift(struct vm_ring *ring);

/* event.c, under the lock.  False: the target is as the consumer knows it. */
bool ring_set_target(struct vm_ring *ring);

/*
 * event.c.  Of the current vCPU: rings the doorbell of its group, if `flush`
 * says so, or comes back for it soon.
 */
void ring_tell(struct ring_vcpu *rv, enum vmr_flush flush);

/* wake.c.  The current vCPU sleeps from its next softirq on, or is woken. */
void ring_sleep(struct ring_vcpu *rv);
/* It is woken by the deadline of its first request, if there is one. */
void ring_expect(struct ring_vcpu *rv);
/* It is woken at `at` at the latest. */
void ring_wake_by(struct ring_vcpu *rv, s_time_t at);
/* If it sleeps, whoever it is. */
void ring_wake(struct ring_vcpu *rv);
void cf_check ring_vcpu_timer(void *data);

/* wake.c.  The consumer of a group has notified: answers may be there. */
void ring_doorbell(struct vm_ring *ring, unsigned int group);
void cf_check ring_timer(void *data);
/* From now on it wakes nobody, and touches nothing of C; or does. */
void ring_groups_off(struct vm_ring *ring);
void ring_groups_on(struct vm_ring *ring);

#endif /* VM_RING_RING_H */
