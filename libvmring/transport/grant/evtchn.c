/* SPDX-License-Identifier: MIT */
/*
 * evtchn.c: doorbells that are event channels.
 *
 * The kernel masks a port when it is rung; pending() tells of it, unmask()
 * lets it ring again.  A ring in between stays pending in Xen, so that none
 * is lost.  Each port is therefore seen once between two unmaskings, and how
 * often we unmask is how often a peer can wake us.
 */
#include "evtchn.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <xenevtchn.h>

#include "../../base/clock.h"
#include "../../base/log.h"
#include "../../base/watch.h"
#include "limits.h"

#include <xen/vm_ring.h>

/*
 * The last id that a domain can have.  Linux restricts a handle to a domain
 * other than 0; what is bound stays, and of this one there is nothing to bind.
 */
#define NO_DOMAIN 0x7fef

struct evtchn {
    xenevtchn_handle *evtchn;
    bool lent; /* evtchn is not ours to close */
    int epoll, timer;
    uint64_t held; /* masked until the timer says so */
    struct budget own, *budget;
    uint32_t nr;
    uint32_t port[XEN_VM_RING_MAX_GROUPS];
};

static int set_up(struct evtchn *bells)
{
    int err;

    bells->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (bells->epoll < 0)
        return -errno;
    bells->timer = pause_open();
    if (bells->timer < 0)
        return bells->timer;
    err = watch_add(bells->epoll, xenevtchn_fd(bells->evtchn));
    return err ? err : watch_add(bells->epoll, bells->timer);
}

int evtchn_handle(struct xenevtchn_handle **evtchn, char *error,
                  size_t error_len)
{
    *evtchn = xenevtchn_open(&grant_logger, 0);
    return *evtchn ? 0 : grant_open_failed(errno, "evtchn", error, error_len);
}

void evtchn_handle_close(struct xenevtchn_handle *evtchn)
{
    if (evtchn)
        xenevtchn_close(evtchn);
}

/* *out is NULL if there is an error. */
static int make(xenevtchn_handle *evtchn, struct evtchn **out, char *error,
                size_t error_len)
{
    struct evtchn *bells = calloc(1, sizeof(*bells));
    int err;

    *out = NULL;
    if (!bells)
        return fail(-ENOMEM, error, error_len, "no memory");
    bells->epoll = bells->timer = -1;
    bells->evtchn = evtchn;
    bells->budget = &bells->own;
    bells->lent = evtchn;
    err = evtchn ? 0 : evtchn_handle(&bells->evtchn, error, error_len);
    if (err) {
        free(bells);
        return err;
    }
    err = set_up(bells);
    if (err) {
        evtchn_close(bells);
        return fail(err, error, error_len, "cannot wait for event channels");
    }
    *out = bells;
    return 0;
}

static int add(struct evtchn *bells, xenevtchn_port_or_error_t port)
{
    if (port < 0)
        return errno ? -errno : -EINVAL;
    bells->port[bells->nr++] = (uint32_t)port;
    return 0;
}

int evtchn_offer(uint32_t domid, uint32_t nr, struct xenevtchn_handle *evtchn,
                 struct evtchn **out, char *error, size_t error_len)
{
    struct evtchn *bells;
    int err;

    if (nr == 0 || nr > XEN_VM_RING_MAX_GROUPS)
        return fail(-EINVAL, error, error_len, "%u doorbells", nr);
    err = make(evtchn, &bells, error, error_len);
    if (!bells)
        return err;
    while (!err && bells->nr < nr)
        err = add(bells, xenevtchn_bind_unbound_port(bells->evtchn, domid));
    if (err) {
        evtchn_close(bells);
        return fail(err, error, error_len,
                    "no event channel for domain %u to bind: %s", domid,
                    strerror(-err));
    }
    *out = bells;
    return 0;
}

int evtchn_bind(uint32_t domid, const uint32_t *ports, uint32_t nr,
                struct evtchn **out, char *error, size_t error_len)
{
    struct evtchn *bells;
    int err;

    if (nr == 0 || nr > XEN_VM_RING_MAX_GROUPS)
        return fail(-EINVAL, error, error_len, "%u doorbells", nr);
    err = make(NULL, &bells, error, error_len);
    if (!bells)
        return err;
    while (!err && bells->nr < nr)
        err = add(bells, xenevtchn_bind_interdomain(bells->evtchn, domid,
                                                    ports[bells->nr]));
    if (err) {
        uint32_t port = ports[bells->nr];

        evtchn_close(bells);
        return fail(err, error, error_len,
                    "cannot bind event channel %u of domain %u: %s", port,
                    domid, strerror(-err));
    }
    *out = bells;
    return 0;
}

void evtchn_count_with(struct evtchn *bells, struct budget *budget)
{
    bells->budget = budget ? budget : &bells->own;
}

uint32_t evtchn_port(const struct evtchn *bells, uint32_t group)
{
    return bells->port[group];
}

int evtchn_fd(const struct evtchn *bells)
{
    return bells->epoll;
}

void evtchn_ring(struct evtchn *bells, uint32_t group)
{
    if (group < bells->nr)
        (void)xenevtchn_notify(bells->evtchn, bells->port[group]);
}

/* Each port is there once at most: the others are masked. */
static uint64_t pending(struct evtchn *bells)
{
    struct pollfd pfd = {.fd = xenevtchn_fd(bells->evtchn), .events = POLLIN};
    uint64_t rung = 0;

    for (uint32_t i = 0; i < bells->nr; i++) {
        xenevtchn_port_or_error_t port;

        if (poll(&pfd, 1, 0) <= 0)
            break;
        port = xenevtchn_pending(bells->evtchn);
        for (uint32_t g = 0; g < bells->nr; g++)
            if (bells->port[g] == (uint32_t)port)
                rung |= 1ULL << g;
    }
    return rung;
}

/* All that are held now, for so long. */
static void hold(struct evtchn *bells, uint64_t groups, uint64_t ns)
{
    if (groups)
        pause_begin(bells->timer, ns);
    bells->held |= groups;
}

/* Those that were held back long enough. */
static uint64_t let_go(struct evtchn *bells)
{
    uint64_t groups = bells->held;

    if (!groups || !pause_is_over(bells->timer))
        return 0;
    bells->held = 0;
    return groups;
}

uint64_t evtchn_ack(struct evtchn *bells)
{
    uint64_t late = let_go(bells);
    uint64_t rung = pending(bells);
    uint64_t now = rung ? clock_ns() : 0;
    uint64_t groups = 0, wait = 0;

    for (uint32_t g = 0; g < bells->nr; g++) {
        if (late & (1ULL << g))
            (void)xenevtchn_unmask(bells->evtchn, bells->port[g]);
        if (!(rung & (1ULL << g)))
            continue;
        wait = budget_ring(bells->budget, now);
        if (wait)
            groups |= 1ULL << g;
        else
            (void)xenevtchn_unmask(bells->evtchn, bells->port[g]);
    }
    hold(bells, groups, wait);
    return rung;
}

int evtchn_restrict(struct evtchn *bells)
{
    if (!xenevtchn_restrict(bells->evtchn, NO_DOMAIN))
        return 0;
    return errno == ENOTTY || errno == EOPNOTSUPP ? -EOPNOTSUPP : -errno;
}

void evtchn_close(struct evtchn *bells)
{
    if (!bells)
        return;
    for (uint32_t i = 0; bells->lent && i < bells->nr; i++)
        (void)xenevtchn_unbind(bells->evtchn, bells->port[i]);
    if (!bells->lent)
        xenevtchn_close(bells->evtchn);
    if (bells->timer >= 0)
        close(bells->timer);
    if (bells->epoll >= 0)
        close(bells->epoll);
    free(bells);
}
