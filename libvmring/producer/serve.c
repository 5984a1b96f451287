/* SPDX-License-Identifier: MIT */
/* serve.c: peers connect, are heard in turn, and are dropped. */
#include <errno.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../transport/scheme.h"
#include "control.h"
#include "epoch.h"
#include "events.h"
#include "negotiate.h"
#include "peers.h"
#include "refuse.h"
#include "serve.h"
#include "slices.h"

/* Messages taken from one peer in one vmring_producer_dispatch(). */
#define MAX_MESSAGES 8

/*
 * New connections and peers that are not attached have so long in one call.
 * Those left over still poll readable.
 */
#define OTHERS_NS UINT64_C(20000000)

/* What a full channel did not take is tried again after so long. */
#define RETRY_NS UINT64_C(100000000)

static bool is_over(uint64_t until)
{
    return clock_ns() >= until;
}

static void accept_peers(struct vmring_producer *producer, uint64_t until)
{
    struct listener *listener = producer->listener;

    for (int i = 0; i < MAX_PEERS && (!i || !is_over(until)); i++) {
        struct peer *peer;
        int err = listener->ops->accept(listener, &peer);

        if (!err)
            peers_add(producer, peer);
        if (err == -EMFILE)
            log_to(&producer->log, LOG_WARNING,
                   "a consumer was turned away: too many open descriptors");
        if (err == -EMFILE || err == -EAGAIN)
            return;
    }
}

/* The sweep is over: the consumer's region goes. */
static void forget_session(struct vmring_producer *producer)
{
    struct session *session = &producer->session;

    slices_drop(producer, &session->c);
    session->leaving = session->quiescing = false;
}

/*
 * The attached consumer has gone.  Its last answers are collected by
 * vmring_producer_collect(), and then settle() unmaps its C.
 */
static void end_session(struct vmring_producer *producer)
{
    struct session *session = &producer->session;

    log_to(&producer->log, session->clean ? LOG_INFO : LOG_WARNING, "%s",
           session->clean ? "the consumer has detached"
                          : "the consumer has gone without a word");
    session->leaving = true;
    session->releasing = session->clean;
    session->subscribing = session->counting = session->held = false;
    peers_drop(producer, session->peer);
    session->peer = NULL;
    vmr_producer_sweep(&producer->core);
    if (session->clean)
        control_disarm(producer);
    if (producer->ops->attached)
        producer->ops->attached(producer->ops_ctx, false, 0);
}

static int handle_message(struct vmring_producer *producer, struct peer *peer,
                          uint32_t type, void *body, size_t len)
{
    if (peer == producer->session.peer)
        return control_message(producer, type, body, len);
    if (type != VMRING_LOCAL_PROPOSE)
        return -EPROTO;
    if (!peer->allowed)
        refuse_peer(producer, peer, XEN_VM_RING_REFUSED_PERMISSION);
    else
        negotiate_answer(producer, peer, body, len);
    return 0;
}

/*
 * Does this message take long?  SUBSCRIBE arms all events anew in one go, so a
 * turn has one of them, even if the consumer has sent the next already.
 */
static bool is_long(uint32_t type)
{
    return type == VMRING_LOCAL_SUBSCRIBE || type == VMRING_LOCAL_QUIESCE;
}

static bool wants_answer(uint32_t type)
{
    return type == VMRING_LOCAL_SUBSCRIBE || type == VMRING_LOCAL_SUPPORTED ||
           type == VMRING_LOCAL_COUNT;
}

static void hold(struct vmring_producer *producer, bool held)
{
    struct session *session = &producer->session;

    if (session->held != held)
        session->peer->ops->hold(session->peer, held);
    session->held = held;
}

/* The peer at one place.  It may give its place up. */
static void serve_peer(struct vmring_producer *producer, int place)
{
    unsigned char *body = producer->message;
    struct peer *peer = producer->peers[place];

    /* There is one; and when there is none any more it was dropped. */
    for (int i = 0; i < MAX_MESSAGES && peer;
         i++, peer = producer->peers[place]) {
        bool is_armed_for =
            peer == producer->session.peer && source_is_arming(producer);
        uint32_t type = 0;
        int ret;

        /* The reply comes with its ring, and what it says meanwhile waits. */
        if (peer == producer->making.peer)
            return;
        /* One SUBSCRIBE at a time: what is behind it waits where it is. */
        if (is_armed_for && !peer->ops->gone(peer)) {
            hold(producer, true);
            return;
        }
        ret = peer->ops->recv(peer, &type, body, sizeof(producer->message) - 8);

        if (ret == -EAGAIN || ret == -EINTR)
            return;
        /* It has gone, and waits for none of these any more. */
        if (ret >= 0 && is_armed_for && wants_answer(type))
            continue;
        if (ret >= 0)
            ret = handle_message(producer, peer, type, body, (size_t)ret);
        if (ret == 0 && is_long(type))
            return;
        if (ret == 0)
            continue;
        if (ret == -EPROTO)
            log_to(&producer->log, LOG_WARNING,
                   "a consumer broke the protocol of the control channel");
        if (peer == producer->session.peer)
            end_session(producer);
        else
            peers_drop(producer, peer);
    }
}

/*
 * The attached consumer first: if it has gone, its successor must not be told
 * that it is in the way.  true: others may be served.
 */
static bool serve_attached(struct vmring_producer *producer)
{
    struct peer *attached = producer->session.peer;

    if (!attached)
        return !producer->session.leaving;
    if (region_is_broken(&producer->session.c)) {
        log_to(&producer->log, LOG_WARNING,
               "a consumer has taken pages away that it shared: no memory");
        end_session(producer);
        return false;
    }
    producer->stats.doorbells_received += attached->ops->ack(attached);
    for (int i = 0; i < MAX_PEERS; i++)
        if (producer->peers[i] == attached)
            serve_peer(producer, i);
    if (!producer->session.peer)
        return false; /* its answers are swept first */
    return !attached->ops->gone(attached);
}

/* One after the other, until the time is over; the next ones the next time. */
static void serve_others(struct vmring_producer *producer, uint64_t until)
{
    for (int i = 0; i < MAX_PEERS; i++) {
        int place = producer->turn_of;
        const struct peer *peer = producer->peers[place];

        producer->turn_of = (place + 1) % MAX_PEERS;
        if (!peer || peer == producer->session.peer)
            continue;
        serve_peer(producer, place);
        if (is_over(until))
            return;
    }
}

/* What had to wait until all answers were collected, or the source was ready.
 */
static void settle(struct vmring_producer *producer)
{
    struct session *session = &producer->session;

    if (session->leaving && !producer->core.attached)
        forget_session(producer);
    if (!session->peer)
        return;
    session->unsent = 0;
    if (control_say_subscribed(producer))
        session->unsent |= DUE_SUBSCRIBED;
    if (session->collected && control_say_counts(producer))
        session->unsent |= DUE_COUNTS;
    if (session->held && !source_is_arming(producer))
        hold(producer, false);
    if (control_say_quiet(producer))
        session->unsent |= DUE_QUIET;
    if (session->unsent)
        session->retry = clock_ns() + RETRY_NS;
}

int vmring_producer_dispatch(struct vmring_producer *producer)
{
    uint64_t until = clock_ns() + OTHERS_NS;
    struct peer *making;

    settle(producer);
    if (producer->listener)
        accept_peers(producer, until);
    /* A peer that has gone while its ring was made makes room for the next. */
    making = producer->making.peer;
    if (making && making->ops->gone(making))
        peers_drop(producer, making);
    if (serve_attached(producer))
        serve_others(producer, until);
    epoch_go_on(producer);
    return peers_are_over(producer) ? -EBADF : 0;
}

int vmring_producer_fd(const struct vmring_producer *producer)
{
    return producer->epoll;
}

bool vmring_producer_attached(const struct vmring_producer *producer)
{
    return producer->session.peer != NULL;
}

static void close_listener(struct vmring_producer *producer)
{
    producer->listener->ops->close(producer->listener);
    producer->listener = NULL;
}

static struct listening listening_of(struct vmring_producer *producer,
                                     unsigned int mode)
{
    return (struct listening){
        .epoll = producer->epoll,
        .log = &producer->log,
        .reopen = &producer->reopen,
        .channels = {producer->ops->channel_is_bound, producer->ops_ctx},
        .mode = mode,
    };
}

/* A listener by which nobody comes yet: descriptors are handed to it. */
static int open_listener(struct vmring_producer *producer)
{
    const struct listening how = listening_of(producer, 0);
    const char *where;
    const struct scheme *scheme = scheme_find("fd:", &where);

    return scheme ? scheme->open(&how, &producer->listener) : -EOPNOTSUPP;
}

int vmring_producer_serve_fd(struct vmring_producer *producer, int fd)
{
    bool is_new = !producer->listener;
    struct peer *peer;
    int err = 0;

    if (is_new)
        err = open_listener(producer);
    else if (!producer->listener->ops->take)
        err = -EINVAL;
    if (err) {
        close(fd);
        return err;
    }
    err = producer->listener->ops->take(producer->listener, fd, &peer);
    if (!err)
        peers_add(producer, peer);
    else if (is_new)
        close_listener(producer);
    return err;
}

int vmring_producer_serve(struct vmring_producer *producer, const char *uri,
                          unsigned int mode)
{
    const struct listening how = listening_of(producer, mode);
    const char *where;
    const struct scheme *scheme = scheme_find(uri, &where);

    if (!scheme || !scheme->listen)
        return -EINVAL;
    return scheme->listen(&how, where, &producer->listener);
}

void serve_close(struct vmring_producer *producer)
{
    for (int i = 0; i < MAX_PEERS; i++)
        if (producer->peers[i])
            peers_drop(producer, producer->peers[i]);
    forget_session(producer);
    if (producer->listener)
        close_listener(producer);
}
