/* SPDX-License-Identifier: MIT */
/* link.c: the consumer's end of the grant transport. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../../base/clock.h"
#include "../../base/watch.h"
#include "bells.h"
#include "grant.h"
#include "meet.h"
#include "pages.h"

/* A bridge that was killed does not say so in xenstore: look this often. */
#define LOOK_MS 100

struct grant_link {
    struct link link;
    uint32_t domid;
    struct meet_agent *meet;
    struct grant_map *map;
    bool mapped;
    bool deaf; /* xenstore is lost: the ring goes on without messages */
    struct bells bells; /* none before the grant */
    bool given_up;
    int kept; /* 0, or why event channels can be bound even so */
    unsigned char
        unheard[VMRING_LOCAL_MAX]; /* too large for the caller's stack */
};

static struct grant_link *of(struct link *link)
{
    return (struct grant_link *)link;
}

static void go_deaf(struct grant_link *grant)
{
    grant->deaf = true;
    (void)watch_remove(grant->bells.epoll, meet_fd(grant->meet));
}

static bool grant_gone(const struct link *link)
{
    const struct grant_link *grant = (const struct grant_link *)link;

    return grant->mapped && !grant_map_producer_lives(grant->map);
}

/* `asked`: for an answer, which will not come if xenstore is lost. */
static int take_message(struct grant_link *grant, uint32_t *type, void *body,
                        size_t max, bool asked)
{
    int ret = grant->deaf ? -EAGAIN : meet_recv(grant->meet, type, body, max);

    if (ret == -EPIPE && grant->mapped) {
        go_deaf(grant);
        ret = asked ? -ECONNRESET : -EAGAIN;
    }
    if (ret == -EAGAIN && grant_gone(&grant->link))
        return -ECONNRESET;
    return ret == -EPIPE ? -ECONNRESET : ret;
}

/* Until there may be a message, or it is time to look whether all is well. */
static int wait_until(struct grant_link *grant, int64_t end)
{
    struct pollfd pfd = {.fd = meet_fd(grant->meet), .events = POLLIN};
    int64_t left = end - clock_ms();

    if (left <= 0)
        return -ETIMEDOUT;
    return poll(&pfd, 1, left < LOOK_MS ? (int)left : LOOK_MS) < 0 ? -errno : 0;
}

static int grant_recv(struct link *link, uint32_t *type, void *body, size_t max,
                      int timeout_ms)
{
    struct grant_link *grant = of(link);
    int64_t end = timeout_ms ? clock_ms() + timeout_ms : 0;

    for (;;) {
        int ret = take_message(grant, type, body, max, timeout_ms != 0);

        if (ret != -EAGAIN || !timeout_ms)
            return ret;
        ret = wait_until(grant, end);
        if (ret)
            return ret;
    }
}

/*
 * Nothing is mapped any more once it is known: it must be told of before.
 * Whatever else a bridge has to say does not make it later.
 */
static void wait_for_answers(struct grant_link *grant, int64_t end)
{
    while (meet_is_waiting(grant->meet) && clock_ms() < end) {
        uint32_t type;
        int ret = take_message(grant, &type, grant->unheard,
                               sizeof(grant->unheard), true);

        /* That it was seen is no message: it may not wait any more. */
        if (ret == -EAGAIN)
            ret = meet_is_waiting(grant->meet) ? wait_until(grant, end) : 0;
        if (ret < 0 && ret != -EINTR)
            return;
    }
}

static int grant_send(struct link *link, uint32_t type, const void *body,
                      size_t len)
{
    int64_t end = clock_ms() + MEET_DETACH_MS;
    /* Who detaches has nothing to wait for but that. */
    bool last = type == VMRING_LOCAL_DETACH;
    int err = meet_send(of(link)->meet, type, body, len,
                        last ? MEET_DETACH_MS : link->timeout_ms,
                        last ? NULL : &link->patience);

    if (!err && last)
        wait_for_answers(of(link), end);
    return err;
}

static int take_accept(struct grant_link *grant,
                       const struct message_accept *message,
                       struct link_regions *regions)
{
    char *error = grant->link.error;
    size_t error_len = sizeof(grant->link.error);
    int err;

    if (message->nr_ports != message->wire.body.nr_groups || !message->nr_ports)
        return -EPROTO;
    err = bells_bind(&grant->bells, grant->domid, message->ports,
                     message->nr_ports, error, error_len);
    if (!err)
        err = grant_map_attach(grant->map, message->directory,
                               evtchn_port(grant->bells.bell[0], 0),
                               &message->wire.body, regions, error, error_len);
    grant->mapped = !err;
    return err;
}

static int grant_map(struct link *link, struct vmring_local_accept *out,
                     struct link_regions *regions, int timeout_ms)
{
    struct message_accept message;
    uint32_t type = 0;
    int ret;

    regions->p = regions->c = REGION_NONE;
    regions->nr_before = 0;
    ret = grant_recv(link, &type, &message, sizeof(message), timeout_ms);
    if (ret < 0)
        return ret;
    if (type != VMRING_LOCAL_ACCEPT)
        return -EPROTO;
    *out = message.wire;
    return out->body.result == XEN_VM_RING_ACCEPTED
               ? take_accept(of(link), &message, regions)
               : 0;
}

static void grant_kick(struct link *link, uint32_t group)
{
    bells_kick(&of(link)->bells, group);
}

static bool grant_bell_ack(struct link *link, uint32_t group)
{
    return bells_ack_one(&of(link)->bells, group);
}

static unsigned int grant_ack(struct link *link)
{
    return bells_ack(&of(link)->bells);
}

static int grant_bell_fd(const struct link *link, uint32_t group)
{
    return bells_fd(&((const struct grant_link *)link)->bells, group);
}

static int grant_bell_apart(struct link *link, uint32_t group, bool apart)
{
    return bells_apart(&of(link)->bells, group, apart);
}

static int grant_fd(const struct link *link)
{
    return ((const struct grant_link *)link)->bells.epoll;
}

static int grant_give_up(struct link *link)
{
    struct grant_link *grant = of(link);
    int err;

    if (grant->given_up)
        return grant->kept;
    err = grant_map_restrict(grant->map);
    if (err)
        return err;
    grant->kept = bells_restrict(&grant->bells);
    grant->given_up = true;
    return grant->kept;
}

static void grant_close(struct link *link)
{
    struct grant_link *grant = of(link);

    /* The unmapping rings. */
    grant_map_close(grant->map);
    bells_close(&grant->bells);
    meet_close(grant->meet);
    if (grant->bells.epoll >= 0)
        close(grant->bells.epoll);
    free(grant);
}

static const struct link_ops grant_ops = {
    .send = grant_send,
    .recv = grant_recv,
    .map = grant_map,
    .kick = grant_kick,
    .ack = grant_ack,
    .fd = grant_fd,
    .bell_fd = grant_bell_fd,
    .bell_apart = grant_bell_apart,
    .bell_ack = grant_bell_ack,
    .gone = grant_gone,
    .hung_up = grant_gone,
    .give_up = grant_give_up,
    .close = grant_close,
};

static int set_up(struct grant_link *grant, const char *target, char *error,
                  size_t error_len)
{
    int err = meet_open(grant->domid, target, &grant->link.patience,
                        &grant->meet, error, error_len);

    if (!err)
        err = grant_map_open(grant->domid, &grant->map, error, error_len);
    if (err)
        return err;
    grant->bells.epoll = epoll_create1(EPOLL_CLOEXEC);
    err = grant->bells.epoll < 0
              ? -errno
              : watch_add(grant->bells.epoll, meet_fd(grant->meet));
    return err ? fail(err, error, error_len, "%s", strerror(-err)) : 0;
}

int grant_connect(const struct connecting *how, const char *where,
                  struct link **link)
{
    struct grant_link *grant = calloc(1, sizeof(*grant));
    char target[RENDEZVOUS_NAME];
    int err;

    if (!grant)
        return fail(-ENOMEM, how->error, how->error_len, "no memory");
    grant->link.ops = &grant_ops;
    grant->link.patience = how->patience;
    grant->bells.epoll = -1;
    err = rendezvous_parse(where, &grant->domid, target);
    if (err)
        err = fail(err, how->error, how->error_len,
                   "'%s' names no bridge; say grant:DOMID/TARGET, the id of "
                   "its domain and its name for the target",
                   where);
    else
        err = set_up(grant, target, how->error, how->error_len);
    if (err) {
        grant_close(&grant->link);
        return err;
    }
    *link = &grant->link;
    return 0;
}
