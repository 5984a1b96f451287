/* SPDX-License-Identifier: MIT */
/* grant_port.c: the producer's end of the grant transport. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "bells.h"
#include "grant_pages.h"
#include "meet.h"
#include "transport.h"

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
#define MAX_OWED 4096

/* What nobody tells of is looked at so often. */
#define TICK_MS 500

struct grant_port {
    struct port port;
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
    struct grant_port *port;
    struct grant_peer *next;
    uint64_t session;
    uint64_t seq;     /* of its last request */
    uint64_t quiesce; /* of the last that asked for quiet */
    uint64_t look;    /* for what it has said before it went; 0: not yet */
    uint64_t ticked;  /* the tick at which its channel was looked at */
    bool cut;         /* its channel has no other end any more */
    bool held;        /* nobody takes its requests now */
    struct bells *bells;
    struct grant_handout *handout; /* NULL: it was granted nothing */
};

static struct grant_port *of_port(struct port *port)
{
    return (struct grant_port *)port;
}

static struct grant_peer *of(struct peer *peer)
{
    return (struct grant_peer *)peer;
}

static int watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Nobody can come any more.  Who is attached goes on without it. */
static void lose(struct grant_port *port, const char *why)
{
    log_line(&port->log, 4, "%s", why);
    port->port.open = false;
    port->lost = true;
    (void)epoll_ctl(port->port.epoll, EPOLL_CTL_DEL, meet_serve_fd(port->meet),
                    NULL);
}

/* Is there a request that nobody has taken? */
static bool look(struct grant_port *port)
{
    int ret;

    if (port->has_request || port->lost)
        return port->has_request;
    ret = meet_next(port->meet, &port->request);
    switch (ret) {
    case 1:
        port->has_request = true;
        port->latest = port->request.session;
        break;
    case 0:
        break;
    case -ESRCH:
        port->gone = true;
        grant_share_peer_gone(port->share);
        lose(port, "the agent's domain is gone");
        break;
    case -ESTALE:
        lose(port, "another bridge has taken this one's place in xenstore");
        break;
    default:
        lose(port, "xenstore is lost: nobody can attach any more");
    }
    return port->has_request;
}

static struct grant_peer *find(const struct grant_port *port, uint64_t session)
{
    struct grant_peer *peer = port->peers;

    while (peer && peer->session != session)
        peer = peer->next;
    return peer;
}

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static const struct port_ops grant_ops;

static int grant_accept(struct port *any, struct peer **out)
{
    struct grant_port *port = of_port(any);
    struct grant_peer *peer;
    uint64_t count;

    (void)!read(port->again, &count, sizeof(count));
    if (read(port->tick, &count, sizeof(count)) == sizeof(count))
        port->ticks++;
    (void)grant_share_collect(port->share, now_ns());
    if (!look(port))
        return -EAGAIN;
    peer = find(port, port->request.session);
    if (peer) {
        /* It is taken now, or when those before it have been swept. */
        if (!peer->held)
            (void)eventfd_write(port->again, 1);
        return -EAGAIN;
    }
    if (port->request.type != WIRE_PROPOSE) {
        port->has_request = false; /* of somebody who was let go of */
        return -EAGAIN;
    }
    peer = calloc(1, sizeof(*peer));
    if (!peer) {
        port->has_request = false;
        return -ENOMEM;
    }
    /* Nobody else can write there. */
    peer->peer = (struct peer){.ops = &grant_ops, .allowed = true};
    peer->port = port;
    peer->session = port->request.session;
    peer->next = port->peers;
    port->peers = peer;
    *out = &peer->peer;
    return 0;
}

static int grant_send(struct peer *any, uint32_t type, const void *body,
                      size_t len)
{
    struct grant_peer *peer = of(any);
    struct meet_bridge *meet = peer->port->meet;
    struct message_grant message;

    if (peer->port->lost)
        return -EPIPE;
    if (type == WIRE_QUIET)
        return meet_tell_quiet(meet, peer->session, peer->quiesce);
    if (type == WIRE_GRANT) {
        memset(&message, 0, sizeof(message));
        memcpy(&message.grant, body, sizeof(message.grant));
        body = &message;
        len = sizeof(message);
    }
    return meet_reply(meet, peer->session, peer->seq, type, body, len);
}

/* Its request, if there is one. */
static int take(struct grant_peer *peer, uint32_t *type, void *body, size_t max)
{
    struct grant_port *port = peer->port;
    const struct rendezvous_message *request = &port->request;

    if (!port->has_request || request->session != peer->session)
        return -EAGAIN;
    port->has_request = false;
    peer->seq = request->seq;
    if (request->len > max)
        return -EPROTO;
    *type = request->type;
    memcpy(body, request->body.bytes, request->len);
    if (*type == WIRE_QUIESCE)
        peer->quiesce = peer->seq;
    /* These are answered with nothing, or much later. */
    if (*type == WIRE_QUIESCE || *type == WIRE_DRAINED || *type == WIRE_DETACH)
        (void)grant_send(&peer->peer, WIRE_OK, NULL, 0);
    return (int)request->len;
}

/*
 * Has its end of the channel gone, with its domain or with that domain's
 * kernel?  Neither clears a byte in our pages, nor may xenstore tell.
 */
static bool is_cut(struct grant_peer *peer)
{
    const struct grant_port *port = peer->port;

    if (!peer->cut && peer->ticked != port->ticks && port->channels.is_bound) {
        peer->ticked = port->ticks;
        peer->cut = port->channels.is_bound(port->channels.ctx,
                                            bells_port(peer->bells, 0)) == 0;
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
    return peer->port->gone || life == XEN_VM_RING_LIFE_GONE ||
           (life == XEN_VM_RING_LIFE_OFFERED &&
            peer->port->latest != peer->session);
}

static int grant_recv(struct peer *any, uint32_t *type, void *body, size_t max)
{
    struct grant_peer *peer = of(any);
    int ret = take(peer, type, body, max);

    if (ret != -EAGAIN || !grant_gone(any))
        return ret;
    /* It let go after it had said so, if it has: xenstore has a look. */
    if (!peer->look)
        peer->look = meet_look(peer->port->meet);
    if (look(peer->port))
        ret = take(peer, type, body, max);
    else if (!peer->port->lost &&
             !meet_has_looked(peer->port->meet, peer->look))
        return -EAGAIN;
    return ret == -EAGAIN ? -ECONNRESET : ret;
}

/*
 * A domain that lets go of nothing takes dom0's pages and references a session
 * at a time; so does one that says it has let go, up to its other allowance.
 */
static int check_kept(const struct grant_port *port, size_t wanted, char *error,
                      size_t error_len)
{
    size_t kept = grant_share_parked(port->share);

    if (kept > MAX_PARKED + wanted)
        return fail(-ENOSPC, error, error_len,
                    "domain %u keeps %zu pages of sessions that are over: no "
                    "more for it before it lets go of them, or is destroyed",
                    port->domid, kept);
    kept = grant_share_owed(port->share, MAX_OWED);
    if (kept > MAX_OWED)
        return fail(-ENOSPC, error, error_len,
                    "domain %u keeps %zu pages that it says it has let go of, "
                    "or others have been given their references: no more for "
                    "it before they come again, or it is destroyed",
                    port->domid, kept);
    return 0;
}

/* Whoever is attached has it; two are not, but while one is refused. */
static struct xenevtchn_handle *free_handle(const struct grant_port *port)
{
    for (const struct grant_peer *peer = port->peers; peer; peer = peer->next)
        if (peer->bells)
            return NULL;
    return port->evtchn;
}

static int grant_make(struct peer *any, size_t p_len, size_t c_len,
                      uint32_t nr_groups, struct region *p, struct region *c)
{
    struct grant_peer *peer = of(any);
    struct grant_port *port = peer->port;
    char error[256] = "";
    int err = check_kept(port, (p_len + c_len) / XEN_VM_RING_PAGE, error,
                         sizeof(error));

    if (!err)
        err = bells_offer(port->domid, nr_groups, free_handle(port),
                          &peer->bells, error, sizeof(error));
    if (!err) {
        bells_count_with(peer->bells, &peer->peer.rung);
        err = watch(port->port.epoll, bells_fd(peer->bells));
    }
    if (!err)
        err =
            grant_share_make(port->share, p, p_len, true, error, sizeof(error));
    if (!err)
        err = grant_share_make(port->share, c, c_len, false, error,
                               sizeof(error));
    if (err)
        log_line(&port->log, 4, "%s", *error ? error : strerror(-err));
    return err;
}

static int grant_grant(struct peer *any, const struct wire_grant *grant,
                       const struct link_regions *regions)
{
    struct grant_peer *peer = of(any);
    struct grant_offer offer = {
        .p = &regions->p,
        .c = &regions->c,
        .before = regions->before,
        .nr_before = regions->nr_before,
        .epoch = grant->grant.epoch,
        .port = bells_port(peer->bells, 0),
    };
    struct message_grant message;
    char error[256] = "";
    int err;

    memset(&message, 0, sizeof(message));
    message.grant = *grant;
    err = grant_handout_make(peer->port->share, &offer, &peer->handout,
                             &message.directory, error, sizeof(error));
    if (err) {
        log_line(&peer->port->log, 4, "%s", error);
        return err;
    }
    while (message.nr_ports < grant->grant.nr_groups) {
        message.ports[message.nr_ports] =
            bells_port(peer->bells, message.nr_ports);
        message.nr_ports++;
    }
    err = meet_reply(peer->port->meet, peer->session, peer->seq, WIRE_GRANT,
                     &message, sizeof(message));
    if (err)
        log_line(&peer->port->log, 4, "a grant cannot be sent: %s",
                 strerror(-err));
    return err;
}

static bool grant_kick(struct peer *any, uint32_t group)
{
    const struct grant_peer *peer = of(any);

    if (!peer->bells)
        return false;
    bells_ring(peer->bells, group);
    return true;
}

static unsigned int grant_ack(struct peer *any)
{
    const struct grant_peer *peer = of(any);

    return peer->bells
               ? (unsigned int)__builtin_popcountll(bells_ack(peer->bells))
               : 0;
}

static void grant_hold(struct peer *any, bool held)
{
    struct grant_peer *peer = of(any);

    if (peer->held && !held)
        (void)eventfd_write(peer->port->again, 1);
    peer->held = held;
}

static void grant_drop(struct peer *any)
{
    struct grant_peer *peer = of(any);
    struct grant_peer **at = &peer->port->peers;

    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    grant_handout_end(peer->handout);
    bells_close(peer->bells);
    free(peer);
}

static void grant_close(struct port *any)
{
    struct grant_port *port = of_port(any);

    meet_serve_end(port->meet);
    grant_share_close(port->share);
    bells_handle_close(port->evtchn);
    if (port->again >= 0)
        close(port->again);
    if (port->tick >= 0)
        close(port->tick);
    free(port);
}

static const struct port_ops grant_ops = {
    .max_rows = MESSAGE_ROWS,
    .accept = grant_accept,
    .close = grant_close,
    .send = grant_send,
    .recv = grant_recv,
    .make = grant_make,
    .grant = grant_grant,
    .kick = grant_kick,
    .ack = grant_ack,
    .gone = grant_gone,
    .hold = grant_hold,
    .drop = grant_drop,
};

static int start_ticking(struct grant_port *port)
{
    const struct timespec each = {TICK_MS / 1000, TICK_MS % 1000 * 1000000L};
    const struct itimerspec times = {each, each};

    port->tick = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (port->tick < 0 || timerfd_settime(port->tick, 0, &times, NULL) < 0)
        return -errno;
    return watch(port->port.epoll, port->tick);
}

static int set_up(struct grant_port *port, const char *target, char *error,
                  size_t error_len)
{
    int err = grant_share_open(port->domid, &port->share, error, error_len);

    if (!err)
        err = bells_handle(&port->evtchn, error, error_len);
    if (err)
        return err;
    port->again = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (port->again < 0)
        return -errno;
    err = watch(port->port.epoll, port->again);
    if (!err)
        err = start_ticking(port);
    if (!err)
        err = meet_serve(port->domid, target, &port->meet, error, error_len);
    return err ? err : watch(port->port.epoll, meet_serve_fd(port->meet));
}

int grant_serve(int epoll, const struct log *log, const char *where,
                const struct channel_ops *channels, struct port **out)
{
    struct grant_port *port = calloc(1, sizeof(*port));
    char target[RENDEZVOUS_NAME], error[256] = "";
    int err;

    if (!port)
        return -ENOMEM;
    port->port = (struct port){.ops = &grant_ops, .epoll = epoll, .open = true};
    port->log = *log;
    port->channels = *channels;
    port->again = port->tick = -1;
    err = rendezvous_parse(where, &port->domid, target);
    if (!err)
        err = set_up(port, target, error, sizeof(error));
    if (err) {
        log_line(log, 3, "cannot serve grant:%s: %s", where,
                 *error ? error : strerror(-err));
        grant_close(&port->port);
        return err;
    }
    *out = &port->port;
    return 0;
}
