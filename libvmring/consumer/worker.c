/* SPDX-License-Identifier: MIT */
/*
 * worker.c: a thread of its own for a doorbell group.
 *
 * What a worker touches for an event is its own: its groups, the slots, lanes
 * and bits of them in core/, its doorbell.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/line.h"
#include "../base/watch.h"
#include "counts.h"
#include "groups.h"
#include "respond.h"
#include "target.h"
#include "told.h"

/* Tries in one call while the producer overruns us, before we yield. */
#define MAX_TRIES 64

/*
 * A change of the target rings all groups that sleep.  These may all be
 * workers', and the change is told by the ring's thread.
 */
static struct target look_at_target(struct vmring_worker *worker)
{
    struct target target = target_now(worker->ring);

    if (target_is_news(target, worker->seen))
        (void)ring_poke(worker->ring);
    worker->seen = target;
    worker->groups.long_enough = false;
    return target;
}

/*
 * The end of the producer may ring nothing but our doorbell, too; the ring
 * tells of it, if it has not yet.
 */
static void look_at_producer(const struct vmring *ring, uint64_t told)
{
    const struct link_ops *ops = ring->link->ops;

    if (!(told & TOLD_GONE) && ops->gone && ops->gone(ring->link))
        (void)ring_poke(ring);
}

/* Nothing is visible.  0: sleep; -EAGAIN: look again; else the end. */
static int look_last(struct vmring_worker *worker)
{
    struct vmring *ring = worker->ring;
    struct groups *groups = &worker->groups;
    uint64_t told, woken;
    int ret;

    (void)!read(worker->wake, &woken, sizeof(woken));
    if (ring->link->ops->bell_ack(ring->link, worker->group))
        count_up(&groups->stats.doorbells_received, 1);
    /*
     * Before the last look, so that it covers what was published before this
     * was said.  Pairs with the release store in tell().
     */
    told = vmr_load_acquire(&ring->told.word);
    /* Broken counts as gone, too, and is told before that. */
    if (vmr_load_relaxed(&ring->told.broken))
        return -EPROTO;
    if (!groups_arm(ring, groups))
        return -EAGAIN;
    look_at_producer(ring, told);
    ret = groups_ended(ring, groups, told, look_at_target(worker));
    if (ret != -EAGAIN)
        worker_says_ended(worker, ret != 0, told);
    return ret;
}

int vmring_worker_next(struct vmring_worker *worker, struct vmring_event *event)
{
    struct vmring *ring = worker->ring;
    struct groups *groups = &worker->groups;
    int ret;

    if (vmr_load_relaxed(&ring->told.broken))
        return -EPROTO;
    if (region_is_broken(&ring->p) || region_is_broken(&ring->c))
        return worker_breaks_all(ring);
    if (groups->long_enough)
        (void)look_at_target(worker);
    groups_flush(ring, groups);
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        ret = groups_next(ring, groups, event);
        if (ret == 0)
            ret = look_last(worker);
        if (ret == -EPROTO)
            return worker_breaks_all(ring);
        if (ret > 0) {
            groups_disarm(ring, groups);
            worker_says_ended(worker, false, 0);
        }
        if (ret != -EAGAIN)
            return ret;
    }
    worker_wake(worker);
    return 0;
}

int vmring_worker_respond(struct vmring_worker *worker,
                          const struct vmring_event *event,
                          const struct xen_vm_ring_response *response)
{
    return groups_respond(worker->ring, &worker->groups, event, response);
}

void vmring_worker_flush(struct vmring_worker *worker)
{
    groups_flush(worker->ring, &worker->groups);
}

int vmring_worker_fd(const struct vmring_worker *worker)
{
    return worker->epoll;
}

static int set_up(struct vmring_worker *worker)
{
    struct link *link = worker->ring->link;
    int err;

    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (worker->epoll >= 0)
        worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->wake < 0)
        return -errno;
    err = watch_add(worker->epoll, worker->wake);
    if (!err)
        err = link->ops->bell_apart(link, worker->group, true);
    if (err)
        return err;
    err = watch_add(worker->epoll, link->ops->bell_fd(link, worker->group));
    /* Back again; what it fails at, the caller's error stands for. */
    if (err)
        (void)link->ops->bell_apart(link, worker->group, false);
    return err;
}

static void drop(struct vmring_worker *worker)
{
    if (worker->wake >= 0)
        close(worker->wake);
    if (worker->epoll >= 0)
        close(worker->epoll);
    free(worker);
}

int vmring_worker_open(struct vmring *ring, uint32_t group,
                       struct vmring_worker **out)
{
    struct vmring_worker *worker;
    int err;

    if (group >= ring->core.geo.nr_groups)
        return -EINVAL;
    if (ring->workers[group])
        return -EBUSY;
    worker = line_alloc(sizeof(*worker));
    if (!worker)
        return -ENOMEM;
    worker->ring = ring;
    worker->group = group;
    worker->epoll = worker->wake = -1;
    worker->seen = target_now(ring);
    err = set_up(worker);
    if (err) {
        drop(worker);
        return err;
    }
    groups_set(ring, &ring->own, ring->own.mask & ~(1ULL << group));
    groups_set(ring, &worker->groups, 1ULL << group);
    ring->workers[group] = worker;
    ring->nr_workers++;
    *out = worker;
    return 0;
}

void vmring_worker_close(struct vmring_worker *worker)
{
    struct vmring *ring;
    struct groups *own;

    if (!worker || worker->ring->owner != getpid())
        return;
    ring = worker->ring;
    own = &ring->own;
    /* What it had armed and counted, and when it has looked at all, is ours. */
    groups_flush(ring, &worker->groups);
    groups_disarm(ring, &worker->groups);
    counts_add(&own->stats, &worker->groups.stats);
    if (worker->groups.rescanned < own->rescanned)
        own->rescanned = worker->groups.rescanned;
    groups_set(ring, own, own->mask | worker->groups.mask);
    ring->workers[worker->group] = NULL;
    ring->nr_workers--;
    if (ring->link->ops->bell_apart(ring->link, worker->group, false))
        (void)told_lost(ring, -ECONNRESET); /* nothing would wake us */
    /* A thread that polls without a look first may have missed a doorbell. */
    ring->poked = ring_poke(ring);
    drop(worker);
}
