/* SPDX-License-Identifier: MIT */
/* listener.c: the producer's end of the local transport. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/clock.h"
#include "../../base/watch.h"
#include "kept.h"
#include "local.h"
#include "place.h"
#include "socket.h"
#include "unread.h"

struct local_listener {
    struct listener listener;
    int socket; /* -1: none */
    int spare;  /* given up to refuse a peer when descriptors run out */
    struct place place;
    unsigned int mode;
    struct unread unread;
    struct kept kept;
    struct local_peer *peers;
    int timer;     /* of those that are not heard for now */
    bool is_timed; /* it runs */
};

struct local_peer {
    struct peer peer;
    struct local_peer *next;
    struct local_listener *listener;
    int epoll;
    int fd;
    bool handed; /* descriptors */
    bool held;   /* nobody takes its messages now */
    bool hushed; /* it has sent too many */
    struct budget asked;
    uint64_t unheard; /* bells that are not listened to: it rang too often */
    uint32_t nr_bells;
    int bells[XEN_VM_RING_MAX_GROUPS]; /* -1: hung up */
    /* Their other ends, until they are handed over. */
    uint32_t nr_theirs;
    int theirs[XEN_VM_RING_MAX_GROUPS];
};

static struct local_listener *of_listener(struct listener *listener)
{
    return (struct local_listener *)listener;
}

static struct local_peer *of(struct peer *peer)
{
    return (struct local_peer *)peer;
}

static int local_send(struct peer *peer, uint32_t type, const void *body,
                      size_t len)
{
    return socket_send(of(peer)->fd, type, body, len, NULL, 0);
}

static bool has_hung_up(int fd)
{
    struct pollfd pfd = {.fd = fd};

    return poll(&pfd, 1, 0) > 0;
}

/* That it has hung up is told in any case. */
static void watch_messages(const struct local_peer *local)
{
    (void)watch_change(local->epoll, local->fd,
                       local->held || local->hushed ? 0 : EPOLLIN);
}

static void begin_pause(struct local_listener *listener, uint64_t ns)
{
    if (!listener->is_timed)
        pause_begin(listener->timer, ns);
    listener->is_timed = true;
}

static void end_pause(const struct local_listener *listener)
{
    for (struct local_peer *peer = listener->peers; peer; peer = peer->next) {
        if (peer->hushed) {
            peer->hushed = false;
            watch_messages(peer);
        }
        for (; peer->unheard; peer->unheard &= peer->unheard - 1) {
            int bell = peer->bells[__builtin_ctzll(peer->unheard)];

            (void)watch_change(peer->epoll, bell, EPOLLIN);
        }
    }
}

/* Of one that has gone all is taken, as it will not be more. */
static int local_recv(struct peer *peer, uint32_t *type, void *body, size_t max)
{
    struct local_peer *local = of(peer);
    uint64_t wait;
    int ret;

    if (local->hushed && !has_hung_up(local->fd))
        return -EAGAIN;
    ret = socket_recv(local->fd, type, body, max, NULL, 0, NULL);
    if (ret < 0)
        return ret;
    wait = budget_ask(&local->asked, clock_ns());
    if (wait && !local->hushed) {
        local->hushed = true;
        watch_messages(local);
        begin_pause(local->listener, wait);
    }
    return ret;
}

static int make_bells(struct local_peer *local, uint32_t nr_groups)
{
    while (local->nr_bells < nr_groups) {
        int ends[2];
        int err = doorbell_make(ends);

        if (err)
            return err;
        local->bells[local->nr_bells++] = ends[0];
        local->theirs[local->nr_theirs++] = ends[1];
        err = watch_add(local->epoll, ends[0]);
        if (err)
            return err;
    }
    return 0;
}

static int local_make(struct peer *peer, size_t p_len, size_t c_len,
                      uint32_t nr_groups, struct region *p, struct region *c)
{
    struct local_peer *local = of(peer);
    int err = unread_allows(&local->listener->unread, local->peer.uid)
                  ? 0
                  : -ETOOMANYREFS;

    if (!err && !kept_allows(&local->listener->kept, local->peer.uid))
        err = -EDQUOT;
    if (!err)
        err = region_make_readable(p, "vmring-p", p_len,
                                   local->listener->listener.reopen);
    if (!err)
        err = region_make(c, "vmring-c", c_len, 0);
    return err ? err : make_bells(local, nr_groups);
}

static int local_fill(struct peer *peer, struct region *p, struct region *c,
                      uint64_t until)
{
    int err = region_fill(p, until);

    (void)peer;
    return err ? err : region_fill(c, until);
}

static void close_watched(const struct local_peer *local, int fd)
{
    (void)watch_remove(local->epoll, fd);
    close(fd);
}

static void close_theirs(struct local_peer *local)
{
    while (local->nr_theirs)
        close(local->theirs[--local->nr_theirs]);
}

static int local_hand_over(struct peer *peer,
                           const struct vmring_local_accept *accept,
                           const struct link_regions *regions)
{
    struct local_peer *local = of(peer);
    int fds[VMRING_LOCAL_MAX_FDS];
    unsigned int nr = 0;
    int err;

    fds[nr++] = regions->p.fd;
    fds[nr++] = regions->c.fd;
    for (unsigned int i = 0; i < regions->nr_before; i++)
        fds[nr++] = regions->before[i].fd;
    for (uint32_t i = 0; i < local->nr_theirs; i++)
        fds[nr++] = local->theirs[i];
    err = socket_send(local->fd, VMRING_LOCAL_ACCEPT, accept, sizeof(*accept),
                      fds, nr);
    close_theirs(local);
    local->handed = !err;
    if (!err && regions->p.kept) {
        kept_add(&local->listener->kept, local->peer.uid, regions->p.len);
        local->listener->listener.kept_bytes = local->listener->kept.bytes;
    }
    return err;
}

static bool local_kick(struct peer *peer, uint32_t group)
{
    struct local_peer *local = of(peer);

    if (group >= local->nr_bells || local->bells[group] < 0)
        return false;
    doorbell_ring(local->bells[group]);
    return true;
}

/* 1: it was rung, and is heard. */
static unsigned int ack_bell(struct local_peer *local, uint32_t group)
{
    uint64_t bit = 1ULL << group, wait;
    int *bell = &local->bells[group];
    int ret;

    if (*bell < 0 || (local->unheard & bit && !has_hung_up(*bell)))
        return 0;
    ret = doorbell_ack(*bell);
    if (ret < 0) {
        /* Hung up: it would poll readable for ever. */
        close_watched(local, *bell);
        *bell = -1;
        local->unheard &= ~bit;
    }
    if (ret <= 0)
        return 0;
    wait = budget_ring(&local->peer.rung, clock_ns());
    if (wait && !(local->unheard & bit)) {
        local->unheard |= bit;
        (void)watch_change(local->epoll, *bell, 0);
        begin_pause(local->listener, wait);
    }
    return 1;
}

static unsigned int local_ack(struct peer *peer)
{
    struct local_peer *local = of(peer);
    unsigned int rung = 0;

    for (uint32_t i = 0; i < local->nr_bells; i++)
        rung += ack_bell(local, i);
    return rung;
}

static bool local_gone(struct peer *peer)
{
    return has_hung_up(of(peer)->fd);
}

static void local_hold(struct peer *peer, bool held)
{
    struct local_peer *local = of(peer);

    local->held = held;
    watch_messages(local);
}

static void local_drop(struct peer *peer)
{
    struct local_peer *local = of(peer);
    struct local_peer **at = &local->listener->peers;

    while (*at != local)
        at = &(*at)->next;
    *at = local->next;

    for (uint32_t i = 0; i < local->nr_bells; i++)
        if (local->bells[i] >= 0)
            close_watched(local, local->bells[i]);
    close_theirs(local);
    (void)watch_remove(local->epoll, local->fd);
    if (local->handed)
        unread_close(&local->listener->unread, local->fd, local->peer.uid);
    else
        close(local->fd);
    free(local);
}

/*
 * The socket's mode lets a peer connect; its credentials must agree with the
 * mode too, as a descriptor can be passed on.
 */
static bool is_allowed(const struct local_listener *local, int fd, uid_t *uid)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return false;
    *uid = cred.uid;
    return cred.uid == 0 || cred.uid == geteuid() ||
           ((local->mode & S_IWGRP) && cred.gid == getegid()) ||
           (local->mode & S_IWOTH);
}

static int accept_one(const struct local_listener *local)
{
    return accept4(local->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int spare_descriptor(const struct local_listener *local)
{
    return fcntl(local->socket, F_DUPFD_CLOEXEC, 0);
}

/*
 * Descriptors have run out.  A peer that is left in the queue would keep the
 * the socket readable, and our caller's loop busy: turn it away.
 */
static void turn_one_away(struct local_listener *local)
{
    int fd;

    if (local->spare >= 0)
        close(local->spare);
    fd = accept_one(local);
    if (fd >= 0)
        close(fd);
    local->spare = spare_descriptor(local);
}

static const struct listener_ops local_ops;

static int add_peer(struct listener *listener, int fd, struct peer **peer)
{
    struct local_peer *local = calloc(1, sizeof(*local));
    int err = local ? watch_add(listener->epoll, fd) : -ENOMEM;

    if (err) {
        free(local);
        close(fd);
        return err;
    }
    local->peer = (struct peer){.ops = &local_ops, .allowed = true};
    local->listener = of_listener(listener);
    local->epoll = listener->epoll;
    local->fd = fd;
    local->peer.uid = geteuid(); /* it was handed to us */
    local->next = local->listener->peers;
    local->listener->peers = local;
    *peer = &local->peer;
    return 0;
}

static int local_accept(struct listener *listener, struct peer **peer)
{
    struct local_listener *local = of_listener(listener);
    int fd, err;

    if (local->is_timed && pause_is_over(local->timer)) {
        local->is_timed = false;
        end_pause(local);
    }
    if (local->socket < 0)
        return -EAGAIN;
    fd = accept_one(local);
    if (fd < 0) {
        if (errno != EMFILE && errno != ENFILE)
            return -EAGAIN;
        turn_one_away(local);
        return -EMFILE;
    }
    err = add_peer(listener, fd, peer);
    if (!err)
        (*peer)->allowed = is_allowed(local, fd, &(*peer)->uid);
    return err;
}

static int local_take(struct listener *listener, int fd, struct peer **peer)
{
    int err = socket_check(fd, SOCK_SEQPACKET);

    if (!err)
        return add_peer(listener, fd, peer);
    close(fd);
    return err;
}

static void stop_listening(struct local_listener *local)
{
    if (local->socket >= 0) {
        (void)watch_remove(local->listener.epoll, local->socket);
        close(local->socket);
    }
    if (local->spare >= 0)
        close(local->spare);
    local->socket = local->spare = -1;
    local->listener.open = false;
}

static void local_close(struct listener *listener)
{
    struct local_listener *local = of_listener(listener);

    place_leave(&local->place);
    stop_listening(local);
    unread_end(&local->unread);
    if (local->timer >= 0)
        close(local->timer);
    free(local);
}

static const struct listener_ops local_ops = {
    .max_rows = VMRING_LOCAL_MAX_ROWS,
    .accept = local_accept,
    .take = local_take,
    .close = local_close,
    .send = local_send,
    .recv = local_recv,
    .make = local_make,
    .fill = local_fill,
    .hand_over = local_hand_over,
    .kick = local_kick,
    .ack = local_ack,
    .gone = local_gone,
    .hold = local_hold,
    .drop = local_drop,
};

int local_listener(const struct listening *how, struct listener **listener)
{
    struct local_listener *local = calloc(1, sizeof(*local));
    int err;

    if (!local)
        return -ENOMEM;
    local->listener = (struct listener){
        .ops = &local_ops, .epoll = how->epoll, .reopen = how->reopen};
    local->socket = local->spare = local->place.folder = -1;
    local->timer = pause_open();
    err = local->timer < 0 ? local->timer : watch_add(how->epoll, local->timer);
    if (err)
        local_close(&local->listener);
    else
        *listener = &local->listener;
    return err;
}

int local_listen(struct listener *listener, const char *path, unsigned int mode)
{
    struct local_listener *local = of_listener(listener);
    int err = 0;

    if (listener->ops != &local_ops || listener->open)
        return -EINVAL;
    local->mode = mode ? mode : 0600;
    local->socket =
        socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (local->socket < 0)
        return -errno;
    err = place_take(&local->place, path, local->mode, local->socket);
    if (!err)
        err = watch_add(listener->epoll, local->socket);
    if (err) {
        place_leave(&local->place);
        stop_listening(local);
        return err;
    }
    local->spare = spare_descriptor(local);
    listener->open = true;
    return 0;
}
