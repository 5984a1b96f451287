/* SPDX-License-Identifier: MIT */
/*
 * worker.c: a thread of its own for a doorbell group.
 *
 * What a worker touches for an event is its own: its share, the slots, lanes
 * and bits of its group in core/, its doorbell.  Two words pass between it and
 * the ring's thread.  That one stores what it was told of all groups (quiet,
 * the producer gone) and then wakes each worker by a descriptor of its own,
 * which the worker clears before it looks: so either it sees the word, or the
 * descriptor is readable when it polls.  The other way round, a worker at its
 * end says so and then pokes the ring.
 */
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/watch.h"

/* Tries in one call while the producer overruns us, before we yield. */
#define MAX_TRIES 64

static void wake(const struct vmring_worker *worker)
{
    uint64_t one = 1;

    /* It fails only if it is readable already. */
    (void)!write(worker->wake, &one, sizeof(one));
}

void workers_wake(struct vmring *ring)
{
    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++)
        if (ring->workers[g])
            wake(ring->workers[g]);
}

static uint64_t step_of(uint64_t told)
{
    return told / TOLD_STEP + 1;
}

bool workers_ended(const struct vmring *ring)
{
    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++) {
        const struct vmring_worker *worker = ring->workers[g];

        /*
         * Pairs with the release store in say_ended(): all that it counted
         * until then is seen.
         */
        if (worker &&
            vmr_load_acquire(&worker->ended) != step_of(ring->told.word))
            return false;
    }
    return true;
}

/* It has come to its end, or (0) goes on. */
static void say_ended(struct vmring_worker *worker, uint64_t step)
{
    if (worker->ended == step)
        return;
    /* Pairs with the acquire load in workers_ended(). */
    vmr_store_release(&worker->ended, step);
    if (step)
        (void)consumer_poke(worker->ring);
}

/* No event that there is may be handed out any more, to anybody. */
static int break_all(struct vmring *ring)
{
    vmr_store_relaxed(&ring->told.broken, 1);
    workers_wake(ring);
    (void)consumer_poke(ring);
    return -EPROTO;
}

/*
 * A change of the target rings those that sleep, who may all be workers, and
 * is the ring's to tell.
 */
static struct target look_at_target(struct vmring_worker *worker)
{
    struct target target = target_now(worker->ring);

    if (target_is_news(target, worker->seen))
        (void)consumer_poke(worker->ring);
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
        (void)consumer_poke(ring);
}

/* Nothing is visible.  0: sleep; -EAGAIN: look again; else the end. */
static int rest(struct vmring_worker *worker)
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
        say_ended(worker, ret ? step_of(told) : 0);
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
        return break_all(ring);
    if (groups->long_enough)
        (void)look_at_target(worker);
    groups_flush(ring, groups);
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        ret = groups_next(ring, groups, event);
        if (ret == 0)
            ret = rest(worker);
        if (ret == -EPROTO)
            return break_all(ring);
        if (ret > 0) {
            groups_disarm(ring, groups);
            say_ended(worker, 0);
        }
        if (ret != -EAGAIN)
            return ret;
    }
    wake(worker);
    return 0;
}

int vmring_worker_respond(struct vmring_worker *worker,
                          const struct vmring_event *event,
                          const struct xen_vm_ring_response *response)
{
    return consumer_respond(worker->ring, &worker->groups, event, response);
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
        (void)consumer_lose(ring, -ECONNRESET); /* nothing would wake us */
    /* Whoever polls next without a look may have slept through a doorbell. */
    ring->poked = consumer_poke(ring);
    drop(worker);
}
