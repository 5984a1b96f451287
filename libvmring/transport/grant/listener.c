/* SPDX-License-Identifier: MIT */
/* listener.c: the producer's end of the grant transport. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../../base/clock.h"
#include "../../base/watch.h"
#include "evtchn.h"
#include "grant.h"
#include "meet.h"
#include "pages.h"

/*
 * Pages that the agents' domain may keep after its sessions, besides as many
 * as the next one asks for: some agents of before are still unmapping theirs.
 */
#define MAX_PARKED 256

/*
 * And of those that it says it has let go of, 16 MiB.  More than of the others,
 * as we know these by their references alone, and what another process has been
 * given since looks like what was not let go of.
 */
#define MAX_UNSHARED 4096

/* What nobody tells of is looked at so often. */
#define TICK_MS 500

struct grant_listener {
    struct listener listener;
    struct log log;
    uint32_t domid;
    struct meet_bridge *meet;
    struct channel_ops channels;
    struct grant_share *share;
    struct xenevtchn_handle *evtchn; /* lent to the peer that has bells */
    struct grant_peer *peers;
    int again;        /* an eventfd: there is a request that nobody took */
    int tick;         /* a timer */
    uint64_t ticks;   /* seen */
    bool has_request; /* in `request` */
    bool gone;        /* the agent's domain is destroyed */
    bool lost;        /* of xenstore there is nothing more to be had */
    uint64_t latest;  /* the session that asked last */
    struct rendezvous_message request;
};

/* A session of an agent: they have one tree between them. */
struct grant_peer {
    struct peer peer;
    struct grant_listener *listener;
    struct grant_peer *next;
    uint64_t session;
    uint64_t seq;     /* of its last request */
    uint64_t quiesce; /* of the last that asked for quiet */
    uint64_t look;    /* for what it has said before it went; 0: not yet */
    uint64_t ticked;  /* the tick at which its channel was looked at */
    bool cut;         /* its channel has no other end any more */
    bool held;        /* nobody takes its requests now */
    struct evtchn *bells;
    struct grant_handout *handout; /* NULL: it was granted nothing */
};

static struct grant_listener *of_listener(struct listener *listener)
{
    return (struct grant_listener *)listener;
}

static struct grant_peer *of(struct peer *peer)
{
    return (struct grant_peer *)peer;
}

/* Nobody can come any more.  Who is attached goes on without it. */
static void lose(struct grant_listener *listener, const char *why)
{
    log_to(&listener->log, LOG_WARNING, "%s", why);
    listener->listener.open = false;
    listener->lost = true;
    (void)watch_remove(listener->listener.epoll, meet_serve_fd(listener->meet));
}

/* Is there a request that nobody has taken? */
static bool look(struct grant_listener *listener)
{
    int ret;

    if (listener->has_request || listener->lost)
        return listener->has_request;
    ret = meet_next(listener->meet, &listener->request);
    switch (ret) {
    case 1:
        listener->has_request = true;
        listener->latest = listener->request.session;
        break;
    case 0:
        break;
    case -ESRCH:
        listener->gone = true;
        grant_share_peer_gone(listener->share);
        lose(listener, "the agent's domain is gone");
        break;
    case -ESTALE:
        lose(listener, "another bridge has taken this one's place in xenstore");
        break;
    default:
        lose(listener, "xenstore is lost: nobody can attach any more");
    }
    return listener->has_request;
}

static struct grant_peer *find(const struct grant_listener *listener,
                               uint64_t session)
{
    struct grant_peer *peer = listener->peers;

    while (peer && peer->session != session)
        peer = peer->next;
    return peer;
}

static const struct listener_ops grant_ops;

static int grant_accept(struct listener *any, struct peer **out)
{
    struct grant_listener *listener = of_listener(any);
    struct grant_peer *peer;
    uint64_t count;

    (void)!read(listener->again, &count, sizeof(count));
    if (read(listener->tick, &count, sizeof(count)) == sizeof(count))
        listener->ticks++;
    (void)grant_share_collect(listener->share, clock_ns());
    if (!look(listener))
        return -EAGAIN;
    peer = find(listener, listener->request.session);
    if (peer) {
        /* It is taken now, or when those before it have been swept. */
        if (!peer->held)
            (void)eventfd_write(listener->again, 1);
        return -EAGAIN;
    }
    if (listener->request.type != VMRING_LOCAL_PROPOSE) {
        listener->has_request = false; /* of a peer that was dropped */
        return -EAGAIN;
    }
    peer = calloc(1, sizeof(*peer));
    if (!peer) {
        listener->has_request = false;
        return -ENOMEM;
    }
    /* Nobody else can write there. */
    peer->peer = (struct peer){.ops = &grant_ops, .allowed = true};
    peer->listener = listener;
    peer->session = listener->request.session;
    peer->next = listener->peers;
    listener->peers = peer;
    *out = &peer->peer;
    return 0;
}

static int grant_send(struct peer *any, uint32_t type, const void *body,
                      size_t len)
{
    struct grant_peer *peer = of(any);
    struct meet_bridge *meet = peer->listener->meet;
    struct message_accept message;

    if (peer->listener->lost)
        return -EPIPE;
    if (type == VMRING_LOCAL_QUIET)
        return meet_tell_quiet(meet, peer->session, peer->quiesce);
    if (type == VMRING_LOCAL_ACCEPT) {
        memset(&message, 0, sizeof(message));
        memcpy(&message.wire, body, sizeof(message.wire));
        body = &message;
        len = sizeof(message);
    }
    return meet_reply(meet, peer->session, peer->seq, type, body, len);
}

/* Its request, if there is one. */
static int take(struct grant_peer *peer, uint32_t *type, void *body, size_t max)
{
    struct grant_listener *listener = peer->listener;
    const struct rendezvous_message *request = &listener->request;

    if (!listener->has_request || request->session != peer->session)
        return -EAGAIN;
    listener->has_request = false;
    peer->seq = request->seq;
    if (request->len > max)
        return -EPROTO;
    *type = request->type;
    memcpy(body, request->body.bytes, request->len);
    if (*type == VMRING_LOCAL_QUIESCE)
        peer->quiesce = peer->seq;
    /* These are answered with nothing, or much later. */
    if (*type == VMRING_LOCAL_QUIESCE || *type == VMRING_LOCAL_DRAINED ||
        *type == VMRING_LOCAL_DETACH)
        (void)grant_send(&peer->peer, MESSAGE_OK, NULL, 0);
    return (int)request->len;
}

/*
 * Has its end of the channel gone, with its domain or with that domain's
 * kernel?  Neither clears a byte in our pages, nor may xenstore tell.
 */
static bool is_cut(struct grant_peer *peer)
{
    const struct grant_listener *listener = peer->listener;

    if (!peer->cut && peer->ticked != listener->ticks &&
        listener->channels.is_bound) {
        peer->ticked = listener->ticks;
        peer->cut =
            listener->channels.is_bound(listener->channels.ctx,
                                        evtchn_port(peer->bells, 0)) == 0;
    }
    return peer->cut;
}

/*
 * One that has let go of the pages; or that never took them, or was granted
 * none, and another has come after it.
 */
static bool grant_gone(struct peer *any)
{
    struct grant_peer *peer = of(any);
    uint64_t life = XEN_VM_RING_LIFE_OFFERED;

    if (peer->handout)
        life = grant_handout_life(peer->handout);
    if (life == XEN_VM_RING_LIFE_MAPPED && is_cut(peer))
        return true;
    return peer->listener->gone || life == XEN_VM_RING_LIFE_GONE ||
           (life == XEN_VM_RING_LIFE_OFFERED &&
            peer->listener->latest != peer->session);
}

static int grant_recv(struct peer *any, uint32_t *type, void *body, size_t max)
{
    struct grant_peer *peer = of(any);
    int ret = take(peer, type, body, max);

    if (ret != -EAGAIN || !grant_gone(any))
        return ret;
    /* It let go after it had said so, if it has: xenstore has a look. */
    if (!peer->look)
        peer->look = meet_look(peer->listener->meet);
    if (look(peer->listener))
        ret = take(peer, type, body, max);
    else if (!peer->listener->lost &&
             !meet_has_looked(peer->listener->meet, peer->look))
        return -EAGAIN;
    return ret == -EAGAIN ? -ECONNRESET : ret;
}

/*
 * A domain that lets go of nothing takes dom0's pages and references a session
 * at a time; so does one that says it has let go, up to its other allowance.
 */
static int check_kept(const struct grant_listener *listener, size_t wanted,
                      char *error, size_t error_len)
{
    size_t kept = grant_share_parked(listener->share);

    if (kept > MAX_PARKED + wanted)
        return fail(-ENOSPC, error, error_len,
                    "domain %u keeps %zu pages of sessions that are over: no "
                    "more for it before it lets go of them, or is destroyed",
                    listener->domid, kept);
    kept = grant_share_unshared(listener->share, MAX_UNSHARED);
    if (kept > MAX_UNSHARED)
        return fail(-ENOSPC, error, error_len,
                    "domain %u keeps %zu pages that it says it has let go of, "
                    "or others have been given their references: no more for "
                    "it before they come again, or it is destroyed",
                    listener->domid, kept);
    return 0;
}

/* The attached peer has one handle; a second is for a peer that is refused. */
static struct xenevtchn_handle *
free_handle(const struct grant_listener *listener)
{
    for (const struct grant_peer *peer = listener->peers; peer;
         peer = peer->next)
        if (peer->bells)
            return NULL;
    return listener->evtchn;
}

static int grant_make(struct peer *any, size_t p_len, size_t c_len,
                      uint32_t nr_groups, struct region *p, struct region *c)
{
    struct grant_peer *peer = of(any);
    struct grant_listener *listener = peer->listener;
    char error[256] = "";
    int err = check_kept(listener, (p_len + c_len) / XEN_VM_RING_PAGE, error,
                         sizeof(error));

    if (!err)
        err = evtchn_offer(listener->domid, nr_groups, free_handle(listener),
                           &peer->bells, error, sizeof(error));
    if (!err) {
        evtchn_count_with(peer->bells, &peer->peer.rung);
        err = watch_add(listener->listener.epoll, evtchn_fd(peer->bells));
    }
    if (!err)
        err = grant_share_make(listener->share, p, p_len, true, error,
                               sizeof(error));
    if (!err)
        err = grant_share_make(listener->share, c, c_len, false, error,
                               sizeof(error));
    if (err)
        log_to(&listener->log, LOG_WARNING, "%s",
               *error ? error : strerror(-err));
    return err;
}

static int grant_hand_over(struct peer *any,
                           const struct vmring_local_accept *accept,
                           const struct link_regions *regions)
{
    struct grant_peer *peer = of(any);
    struct grant_offer offer = {
        .p = &regions->p,
        .c = &regions->c,
        .before = regions->before,
        .nr_before = regions->nr_before,
        .epoch = accept->body.epoch,
        .port = evtchn_port(peer->bells, 0),
    };
    struct message_accept message;
    char error[256] = "";
    int err;

    memset(&message, 0, sizeof(message));
    message.wire = *accept;
    err = grant_handout_make(peer->listener->share, &offer, &peer->handout,
                             &message.directory, error, sizeof(error));
    if (err) {
        log_to(&peer->listener->log, LOG_WARNING, "%s", error);
        return err;
    }
    while (message.nr_ports < accept->body.nr_groups) {
        message.ports[message.nr_ports] =
            evtchn_port(peer->bells, message.nr_ports);
        message.nr_ports++;
    }
    err = meet_reply(peer->listener->meet, peer->session, peer->seq,
                     VMRING_LOCAL_ACCEPT, &message, sizeof(message));
    if (err)
        log_to(&peer->listener->log, LOG_WARNING, "a grant cannot be sent: %s",
               strerror(-err));
    return err;
}

static bool grant_kick(struct peer *any, uint32_t group)
{
    const struct grant_peer *peer = of(any);

    if (!peer->bells)
        return false;
    evtchn_ring(peer->bells, group);
    return true;
}

static unsigned int grant_ack(struct peer *any)
{
    const struct grant_peer *peer = of(any);

    return peer->bells
               ? (unsigned int)__builtin_popcountll(evtchn_ack(peer->bells))
               : 0;
}

static void grant_hold(struct peer *any, bool held)
{
    struct grant_peer *peer = of(any);

    if (peer->held && !held)
        (void)eventfd_write(peer->listener->again, 1);
    peer->held = held;
}

static void grant_drop(struct peer *any)
{
    struct grant_peer *peer = of(any);
    struct grant_peer **at = &peer->listener->peers;

    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    grant_handout_end(peer->handout);
    evtchn_close(peer->bells);
    free(peer);
}

static void grant_close(struct listener *any)
{
    struct grant_listener *listener = of_listener(any);

    meet_serve_end(listener->meet);
    grant_share_close(listener->share);
    evtchn_handle_close(listener->evtchn);
    if (listener->again >= 0)
        close(listener->again);
    if (listener->tick >= 0)
        close(listener->tick);
    free(listener);
}

static const struct listener_ops grant_ops = {
    .max_rows = MESSAGE_ROWS,
    .accept = grant_accept,
    .close = grant_close,
    .send = grant_send,
    .recv = grant_recv,
    .make = grant_make,
    .hand_over = grant_hand_over,
    .kick = grant_kick,
    .ack = grant_ack,
    .gone = grant_gone,
    .hold = grant_hold,
    .drop = grant_drop,
};

static int start_ticking(struct grant_listener *listener)
{
    const struct timespec each = {TICK_MS / 1000, TICK_MS % 1000 * 1000000L};
    const struct itimerspec times = {each, each};

    listener->tick =
        timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (listener->tick < 0 ||
        timerfd_settime(listener->tick, 0, &times, NULL) < 0)
        return -errno;
    return watch_add(listener->listener.epoll, listener->tick);
}

static int set_up(struct grant_listener *listener, const char *target,
                  char *error, size_t error_len)
{
    int err =
        grant_share_open(listener->domid, &listener->share, error, error_len);

    if (!err)
        err = evtchn_handle(&listener->evtchn, error, error_len);
    if (err)
        return err;
    listener->again = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->again < 0)
        return -errno;
    err = watch_add(listener->listener.epoll, listener->again);
    if (!err)
        err = start_ticking(listener);
    if (!err)
        err = meet_serve(listener->domid, target, &listener->meet, error,
                         error_len);
    return err ? err
               : watch_add(listener->listener.epoll,
                           meet_serve_fd(listener->meet));
}

int grant_listen(const struct listening *how, const char *where,
                 struct listener **out)
{
    char target[RENDEZVOUS_NAME], error[256] = "";
    struct grant_listener *listener;
    int err;

    if (*out)
        return -EINVAL;
    listener = calloc(1, sizeof(*listener));
    if (!listener)
        return -ENOMEM;
    listener->listener =
        (struct listener){.ops = &grant_ops, .epoll = how->epoll, .open = true};
    listener->log = *how->log;
    listener->channels = how->channels;
    listener->again = listener->tick = -1;
    err = rendezvous_parse(where, &listener->domid, target);
    if (!err)
        err = set_up(listener, target, error, sizeof(error));
    if (err) {
        log_to(how->log, LOG_ERR, "cannot serve grant:%s: %s", where,
               *error ? error : strerror(-err));
        grant_close(&listener->listener);
        return err;
    }
    *out = &listener->listener;
    return 0;
}
