/* SPDX-License-Identifier: MIT */
/* serve.c: the producer's end of the local transport: who connects. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "producer.h"
#include "transport/socket.h"

/* Messages taken from one connection in one vmring_dispatch(). */
#define MAX_MESSAGES 8

int serve_watch(struct vmring_producer *producer, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};

    return epoll_ctl(producer->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno
                                                                     : 0;
}

void serve_drop(struct peer *peer)
{
    close(peer->fd);
    peer->fd = -1;
}

/* A place for a connection; the oldest that has not attached gives way. */
static struct peer *find_place(struct vmring_producer *producer)
{
    struct peer *oldest = NULL;

    for (int i = 0; i < MAX_PEERS; i++) {
        struct peer *peer = &producer->peers[i];

        if (peer->fd < 0)
            return peer;
        if (peer != producer->session.peer &&
            (!oldest || peer->since < oldest->since))
            oldest = peer;
    }
    serve_drop(oldest);
    return oldest;
}

/*
 * The socket's mode lets a peer connect; its credentials must agree with the
 * mode too, as a descriptor can be passed on.
 */
static bool is_allowed(const struct vmring_producer *producer, int fd)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    if (producer->serves_one)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return false;
    return cred.uid == 0 || cred.uid == geteuid() ||
           ((producer->mode & S_IWGRP) && cred.gid == getegid()) ||
           (producer->mode & S_IWOTH);
}

static int add_peer(struct vmring_producer *producer, int fd)
{
    struct peer *peer = find_place(producer);
    int err = serve_watch(producer, fd);

    if (err) {
        close(fd);
        return err;
    }
    *peer = (struct peer){
        .fd = fd,
        .since = ++producer->arrivals,
        .allowed = is_allowed(producer, fd),
    };
    return 0;
}

static int accept_one(struct vmring_producer *producer)
{
    return accept4(producer->listener, NULL, NULL,
                   SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/*
 * Descriptors have run out.  A peer that is left in the queue would keep the
 * listener readable, and our caller's loop busy: turn it away.
 */
static void turn_one_away(struct vmring_producer *producer)
{
    int fd;

    if (producer->spare >= 0)
        close(producer->spare);
    fd = accept_one(producer);
    if (fd >= 0)
        close(fd);
    producer->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    log_line(&producer->log, 4,
             "a consumer was turned away: too many open descriptors");
}

static void accept_peers(struct vmring_producer *producer)
{
    for (int i = 0; i < MAX_PEERS; i++) {
        int fd = accept_one(producer);

        if (fd >= 0) {
            (void)add_peer(producer, fd);
        } else {
            if (errno == EMFILE || errno == ENFILE)
                turn_one_away(producer);
            return;
        }
    }
}

void serve_forget_session(struct vmring_producer *producer)
{
    struct session *session = &producer->session;

    for (uint32_t i = 0; i < session->nr_bells; i++)
        if (session->bells[i] >= 0)
            close(session->bells[i]);
    region_drop(&session->c);
    session->nr_bells = 0;
    if (session->clean)
        vmr_producer_release(&producer->core);
    session->leaving = session->quiescing = false;
}

/*
 * The attached consumer has gone.  Its last answers are collected by
 * vmring_collect(), and then its C is unmapped.
 */
static void end_session(struct vmring_producer *producer)
{
    struct session *session = &producer->session;

    log_line(&producer->log, session->clean ? 6 : 4, "%s",
             session->clean ? "the consumer has detached"
                            : "the consumer has gone without a word");
    session->leaving = true;
    serve_drop(session->peer);
    session->peer = NULL;
    vmr_producer_sweep(&producer->core);
    if (session->clean)
        control_disarm(producer);
    if (producer->ops->attached)
        producer->ops->attached(producer->ops_ctx, 0, 0);
}

static int handle_message(struct vmring_producer *producer, struct peer *peer,
                          uint32_t type, void *body, size_t len)
{
    if (peer == producer->session.peer)
        return control_message(producer, type, body, len);
    if (type != WIRE_PROPOSE)
        return -EPROTO;
    if (!peer->allowed)
        grant_refuse(producer, peer, XEN_VM_RING_REFUSED_PERMISSION);
    else
        grant_answer(producer, peer, body, len);
    return 0;
}

static void serve_peer(struct vmring_producer *producer, struct peer *peer)
{
    unsigned char body[WIRE_MAX];

    for (int i = 0; i < MAX_MESSAGES && peer->fd >= 0; i++) {
        uint32_t type;
        int ret =
            socket_recv(peer->fd, &type, body, sizeof(body) - 8, NULL, 0, NULL);

        if (ret == -EAGAIN || ret == -EINTR)
            return;
        if (ret >= 0)
            ret = handle_message(producer, peer, type, body, (size_t)ret);
        if (ret == 0)
            continue;
        if (ret == -EPROTO)
            log_line(&producer->log, 4,
                     "a consumer broke the protocol of the control channel");
        if (peer == producer->session.peer)
            end_session(producer);
        else if (peer->fd >= 0)
            serve_drop(peer);
    }
}

static void ack_bells(struct vmring_producer *producer)
{
    struct session *session = &producer->session;

    for (uint32_t i = 0; i < session->nr_bells; i++) {
        int ret;

        if (session->bells[i] < 0)
            continue;
        ret = doorbell_ack(session->bells[i]);
        if (ret > 0)
            producer->stats.doorbells_received++;
        if (ret < 0) {
            /* Hung up: it would poll readable for ever. */
            close(session->bells[i]);
            session->bells[i] = -1;
        }
    }
}

bool serve_is_over(const struct vmring_producer *producer)
{
    if (producer->listener >= 0 || producer->session.leaving)
        return false;
    for (int i = 0; i < MAX_PEERS; i++)
        if (producer->peers[i].fd >= 0)
            return false;
    return true;
}

/*
 * The attached consumer first: if it has gone, its successor must not be told
 * that it is in the way.  true: others may be served.
 */
static bool serve_attached(struct vmring_producer *producer)
{
    struct peer *attached = producer->session.peer;
    struct pollfd pfd = {.events = POLLIN};

    if (!attached)
        return !producer->session.leaving;
    serve_peer(producer, attached);
    if (!producer->session.peer)
        return false; /* its answers are swept first */
    pfd.fd = attached->fd;
    return poll(&pfd, 1, 0) <= 0 || !(pfd.revents & POLLHUP);
}

int vmring_dispatch(struct vmring_producer *producer)
{
    bool others;

    if (producer->listener >= 0)
        accept_peers(producer);
    ack_bells(producer);
    others = serve_attached(producer);
    for (int i = 0; i < MAX_PEERS && others; i++) {
        struct peer *peer = &producer->peers[i];

        if (peer->fd >= 0 && peer != producer->session.peer)
            serve_peer(producer, peer);
    }
    return serve_is_over(producer) ? -EBADF : 0;
}

int vmring_producer_fd(const struct vmring_producer *producer)
{
    return producer->epoll;
}

int vmring_attached(const struct vmring_producer *producer)
{
    return producer->session.peer != NULL;
}

int vmring_serve_fd(struct vmring_producer *producer, int fd)
{
    producer->serves_one = true;
    return add_peer(producer, fd);
}

/* Is somebody serving there already? */
static int clear_stale(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat st;
    int err = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
        errno == EAGAIN)
        err = -EADDRINUSE;
    else if (errno == ECONNREFUSED && lstat(addr->sun_path, &st) == 0 &&
             S_ISSOCK(st.st_mode))
        err = unlink(addr->sun_path) < 0 ? -errno : 0;
    else if (errno != ENOENT)
        err =
            errno == ECONNREFUSED || errno == EPROTOTYPE ? -EADDRINUSE : -errno;
    close(fd);
    return err;
}

static int listen_at(struct vmring_producer *producer,
                     const struct sockaddr_un *addr, unsigned int mode)
{
    mode_t old = umask(0777 & ~mode);
    int err = 0;

    /* The umask gives it its mode before anybody can connect. */
    if (bind(producer->listener, (const struct sockaddr *)addr, sizeof(*addr)) <
        0)
        err = -errno;
    umask(old);
    if (err)
        return err;
    if (chmod(addr->sun_path, mode) < 0 || listen(producer->listener, 8) < 0) {
        err = -errno;
        unlink(addr->sun_path);
    }
    return err;
}

static void stop_listening(struct vmring_producer *producer)
{
    if (producer->listener < 0)
        return;
    close(producer->listener);
    if (producer->spare >= 0)
        close(producer->spare);
    producer->listener = producer->spare = -1;
    unlink(producer->path);
    free(producer->path);
    producer->path = NULL;
}

int vmring_serve(struct vmring_producer *producer, const char *uri,
                 unsigned int mode)
{
    struct sockaddr_un addr;
    int err;

    if (strncmp(uri, "local:", 6) || producer->listener >= 0 || (mode & ~0777u))
        return -EINVAL;
    err = socket_address(uri + 6, &addr);
    if (!err)
        err = clear_stale(&addr);
    if (err)
        return err;
    producer->mode = mode ? mode : 0600;
    producer->path = strdup(uri + 6);
    producer->listener =
        socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (!producer->path || producer->listener < 0)
        err = producer->path ? -errno : -ENOMEM;
    if (!err)
        err = listen_at(producer, &addr, producer->mode);
    if (!err) {
        producer->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
        err = serve_watch(producer, producer->listener);
        if (err)
            stop_listening(producer);
        return err;
    }
    if (producer->listener >= 0)
        close(producer->listener);
    producer->listener = -1;
    free(producer->path);
    producer->path = NULL;
    return err;
}

void serve_close(struct vmring_producer *producer)
{
    for (int i = 0; i < MAX_PEERS; i++)
        if (producer->peers[i].fd >= 0)
            serve_drop(&producer->peers[i]);
    serve_forget_session(producer);
    stop_listening(producer);
}
