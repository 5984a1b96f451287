/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that has given up what attaching needs can map and
 * bind nothing more, on a fake Xen; what it has goes on working, and is let go
 * of at the end, the page of life last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "consumer/ring.h"
#include "fake_xenstore.h"
#include "grant_rig.h"
#include "meeting.h"
#include "pair.h"

int __real_munmap(void *at, size_t len);
int __wrap_munmap(void *at, size_t len);

int __wrap_munmap(void *at, size_t len)
{
    return fake_xen_munmap(at) ? 0 : __real_munmap(at, len);
}

static void is_out_of_reach(struct grant_rig *rig)
{
    struct xen_vm_ring_accept accept = rig->accept;
    struct link_regions regions;
    uint32_t port = evtchn_port(rig->ours, 0);

    CHECK_EQ(grant_map_attach(rig->map, rig->gref, port, &accept, &regions,
                              rig->error, sizeof(rig->error)),
             -ENOTTY);
    /* Still ours, and theirs. */
    evtchn_ring(rig->theirs, 0);
    CHECK_EQ(evtchn_ack(rig->ours), 1);
    evtchn_ring(rig->ours, 0);
    CHECK_EQ(evtchn_ack(rig->theirs), 1);
}

static void by_parts(void)
{
    struct grant_rig rig;
    size_t mapped;

    rig_offer(&rig, 3, 2, 1);
    CHECK_EQ(rig_attach(&rig), 0);
    mapped = fake_xen.mapped;
    CHECK_EQ(evtchn_restrict(rig.theirs), 0);
    CHECK_EQ(grant_map_restrict(rig.map), 0);
    is_out_of_reach(&rig);
    CHECK_EQ(fake_xen.mapped, mapped);
    ((unsigned char *)rig.regions.c.at)[5] = 7;
    CHECK_EQ(((unsigned char *)rig.c.at)[5], 7);

    /* One by one, and the producer hears of it at the very end. */
    region_drop(&rig.regions.p);
    region_drop(&rig.regions.c);
    CHECK_EQ(grant_handout_life(rig.handout), XEN_VM_RING_LIFE_MAPPED);
    region_drop(&rig.regions.before[--rig.regions.nr_before]);
    CHECK_EQ(fake_xen.mapped, 1);
    CHECK_EQ(grant_handout_life(rig.handout), XEN_VM_RING_LIFE_MAPPED);
    grant_map_close(rig.map);
    rig.map = NULL;
    CHECK_EQ(grant_handout_life(rig.handout), XEN_VM_RING_LIFE_GONE);
    CHECK_EQ(evtchn_ack(rig.ours), 1);
    rig_end(&rig);
}

static struct pair pair;

static struct vmring *attached(void)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = 5000};
    struct vmring_producer_opts of = pair_opts();
    struct vmring *ring = NULL;

    pair_make(&pair, &of);
    fake_xenstore.domid = 0;
    CHECK_EQ(vmring_producer_serve(pair.producer, "grant:7/5", 0), 0);
    CHECK_EQ(vmring_producer_dispatch(pair.producer), 0);
    fake_xenstore.domid = MEETING_AGENT;
    CHECK_EQ(vmring_open("grant:0/5", &opts, &ring), 0);
    return ring;
}

static void use_and_end(struct vmring *ring)
{
    struct xen_vm_ring_event cpuid = pair_event(10, 1);
    struct vmring_count *counts;
    struct vmring_event event;
    char error[256];

    CHECK_EQ(vmring_subscribe(ring, "cpuid", NULL, error, sizeof(error)), 1);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &cpuid), 1);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(ring, &event), 1);
    CHECK_EQ(vmring_counts(ring, &counts), 1);
    free(counts);
    vmring_close(ring);
    for (int i = 0; i < 5; i++)
        pair_serve();
    CHECK(!vmring_producer_attached(pair.producer));
    pair_end(&pair);
    fake_xen_check_empty();
}

static void as_a_whole(void)
{
    struct vmring *ring = attached();

    CHECK_EQ(vmring_restrict(ring), 0);
    CHECK_EQ(vmring_restrict(ring), 0);
    use_and_end(ring);
}

/* The kernel has no such restriction, or refuses it: pages are given up. */
static void without_the_kernel(int error, int expected)
{
    struct vmring *ring = attached();

    fake_xen.restrict_errno = error;
    CHECK_EQ(vmring_restrict(ring), expected);
    fake_xen.restrict_errno = 0;
    /* That was all that can be done: it does not say later that it was. */
    CHECK_EQ(vmring_restrict(ring), expected);
    CHECK(fake_xen.mapped > 0);
    use_and_end(ring);
}

static void without_descriptors(void)
{
    struct vmring *ring = attached();
    struct rlimit limit, none;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){0, limit.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK_EQ(vmring_restrict(ring), -EMFILE);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    /* As if it had not been asked for. */
    CHECK_EQ(vmring_restrict(ring), 0);
    use_and_end(ring);
}

/* By a socket there is nothing of Xen to give up. */
static void local(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_event event;

    pair_make(&pair, &opts);
    pair.of_domain = true;
    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_restrict(pair.ring), 0);
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    pair_end(&pair);
}

int main(void)
{
    meeting_prepare();
    by_parts();
    as_a_whole();
    without_the_kernel(ENOTTY, -EOPNOTSUPP);
    without_the_kernel(EOPNOTSUPP, -EOPNOTSUPP);
    without_the_kernel(EINVAL, -EINVAL);
    without_descriptors();
    local();
    return 0;
}
