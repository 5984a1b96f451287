/* SPDX-License-Identifier: MIT */
/*
 * Description: vmring_next() tells each change of the target's state once, the
 * end after all events and before -ESRCH; to be suspended is no end.
 */
#include <errno.h>
#include <poll.h>

#include "pair.h"

#define SUSPEND XEN_VM_RING_SHUTDOWN_SUSPEND

static struct pair pair;
static struct vmring_event event;

static void begin(void)
{
    struct vmring_producer_opts opts = pair_opts();

    opts.max_async_len = 1 << 20;
    pair_make(&pair, &opts);
}

static void set(unsigned int state, unsigned int reason)
{
    vmring_producer_set_target_state(pair.producer, state, reason);
}

static void push(unsigned int nr)
{
    struct xen_vm_ring_event record = pair_event(XEN_VM_RING_REASON_VMEXIT, 1);

    while (nr--)
        CHECK_EQ(vmring_producer_push(pair.producer, 1, &record), 1);
    vmring_producer_flush(pair.producer);
}

static bool is_readable(void)
{
    struct pollfd pfd = {vmring_fd(pair.ring), POLLIN, 0};

    return poll(&pfd, 1, 0) == 1;
}

static void told(uint32_t state, uint32_t reason)
{
    memset(&event, 0xff, sizeof(event));
    CHECK_EQ(vmring_next(pair.ring, &event), VMRING_NEXT_TARGET);
    CHECK_EQ(event.target, state);
    CHECK_EQ(event.shutdown, reason);
    /* Who takes it for an event has one that says nothing, and waits not. */
    CHECK_EQ(event.seq, 0);
    CHECK_EQ(event.rec.length, 0);
    CHECK(is_readable());
}

static void nothing(int ret)
{
    CHECK_EQ(vmring_next(pair.ring, &event), ret);
}

/* Not told of a state that it was in and has left again: only of what is. */
static void goes_on(void)
{
    begin();
    pair_attach(&pair, NULL);
    nothing(0);
    CHECK(!is_readable());
    set(XEN_VM_RING_TARGET_PAUSED, 3);
    CHECK(is_readable());
    told(XEN_VM_RING_TARGET_PAUSED, 0);
    nothing(0);
    CHECK(!is_readable());
    set(XEN_VM_RING_TARGET_RUNNING, 0);
    set(XEN_VM_RING_TARGET_PAUSED, 0);
    nothing(0);
    set(XEN_VM_RING_TARGET_RUNNING, 0);
    told(XEN_VM_RING_TARGET_RUNNING, 0);
    nothing(0);
    pair_end(&pair);
}

static void starts_paused(void)
{
    begin();
    set(XEN_VM_RING_TARGET_PAUSED, 0);
    pair_attach(&pair, NULL);
    told(XEN_VM_RING_TARGET_PAUSED, 0);
    nothing(0);
    pair_end(&pair);
}

/* Saved with a checkpoint, and then migrated. */
static void is_suspended(void)
{
    unsigned int reason;

    begin();
    pair_attach(&pair, NULL);
    set(XEN_VM_RING_TARGET_SHUTDOWN, SUSPEND);
    told(XEN_VM_RING_TARGET_SHUTDOWN, SUSPEND);
    nothing(0);
    nothing(0);
    set(XEN_VM_RING_TARGET_RUNNING, 0);
    CHECK_EQ(vmring_target_state(pair.ring, &reason),
             XEN_VM_RING_TARGET_RUNNING);
    CHECK_EQ(reason, 0);
    told(XEN_VM_RING_TARGET_RUNNING, 0);
    push(1);
    nothing(1);
    nothing(0);
    set(XEN_VM_RING_TARGET_SHUTDOWN, SUSPEND);
    told(XEN_VM_RING_TARGET_SHUTDOWN, SUSPEND);
    set(XEN_VM_RING_TARGET_DESTROYED, SUSPEND);
    told(XEN_VM_RING_TARGET_DESTROYED, SUSPEND);
    nothing(-ESRCH);
    nothing(-ESRCH);
    pair_end(&pair);
}

/* It went on, and powered off before anybody looked. */
static void shuts_down_after_that(void)
{
    begin();
    pair_attach(&pair, NULL);
    set(XEN_VM_RING_TARGET_SHUTDOWN, SUSPEND);
    told(XEN_VM_RING_TARGET_SHUTDOWN, SUSPEND);
    nothing(0);
    set(XEN_VM_RING_TARGET_SHUTDOWN, 0);
    told(XEN_VM_RING_TARGET_SHUTDOWN, 0);
    nothing(-ESRCH);
    pair_end(&pair);
}

static void ends_last(void)
{
    begin();
    pair_attach(&pair, NULL);
    push(3);
    set(XEN_VM_RING_TARGET_SHUTDOWN, 3);
    for (int i = 0; i < 3; i++)
        nothing(1);
    told(XEN_VM_RING_TARGET_SHUTDOWN, 3);
    nothing(-ESRCH);
    set(XEN_VM_RING_TARGET_DESTROYED, 3);
    told(XEN_VM_RING_TARGET_DESTROYED, 3);
    nothing(-ESRCH);
    pair_end(&pair);
}

/* A change is told though events never stop; the end is not. */
static void under_load(unsigned int state)
{
    struct vmring_opts opts = {.size = sizeof(opts), .async_len = 1 << 20};
    unsigned int nr = 0;
    int ret;

    begin();
    pair_attach(&pair, &opts);
    push(200);
    set(state, 0);
    while ((ret = vmring_next(pair.ring, &event)) == 1)
        nr++;
    CHECK_EQ(ret, VMRING_NEXT_TARGET);
    CHECK_EQ(event.target, state);
    if (state == XEN_VM_RING_TARGET_PAUSED)
        CHECK(nr > 0 && nr < 200);
    else
        CHECK_EQ(nr, 200);
    while (vmring_next(pair.ring, &event) == 1)
        nr++;
    CHECK_EQ(nr, 200);
    pair_end(&pair);
}

int main(void)
{
    goes_on();
    starts_paused();
    is_suspended();
    shuts_down_after_that();
    ends_last();
    under_load(XEN_VM_RING_TARGET_PAUSED);
    under_load(XEN_VM_RING_TARGET_DESTROYED);
    return 0;
}
