/* SPDX-License-Identifier: MIT */
/* rendezvous_agent.c: what an agent writes into the tree, and finds there. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../../text/word.h"
#include "rendezvous.h"
#include "xenstore.h"

/* Requests that wait until those before them are answered. */
#define MAX_QUEUED 8

struct request {
    uint32_t type;
    char *events;              /* of VMRING_LOCAL_SUBSCRIBE */
    char message[MESSAGE_MAX]; /* of all others */
};

struct rendezvous_agent {
    struct xs_handle *xs;
    char base[XENSTORE_BASE];
    uint64_t instance; /* of the bridge */
    uint64_t session;
    uint64_t seq;      /* of the last request that was written */
    uint64_t answered; /* of the last that was answered */
    uint64_t quiet;    /* told of, by the request that asked for it */
    uint32_t nr_parts; /* nodes of events that are there */
    bool look;         /* there may be more than was told of */
    int lost;          /* -ECONNRESET, -EPIPE or -EPROTO; sticky */
    unsigned int nr_queued;
    struct request *queue[MAX_QUEUED];
    struct rendezvous_message message; /* the last that was read */
};

static void path_of(const struct rendezvous_agent *agent, const char *node,
                    char path[XENSTORE_PATH])
{
    snprintf(path, XENSTORE_PATH, "%s/%s", agent->base, node);
}

/* The bridge that is there now: a number; another one after each start. */
static int read_instance(struct rendezvous_agent *agent, uint64_t *instance)
{
    char path[XENSTORE_PATH], text[XENSTORE_TEXT];
    struct word word;
    int err;

    path_of(agent, "bridge", path);
    err = xenstore_read(agent->xs, XBT_NULL, path, text);
    if (err)
        return err;
    word = (struct word){text + 1, strlen(text + 1)};
    return word_number(word, UINT64_MAX, instance) ? -EPROTO : 0;
}

static int find_bridge(struct rendezvous_agent *agent, uint32_t domid,
                       const char *target, char *error, size_t error_len)
{
    char path[XENSTORE_PATH], text[XENSTORE_TEXT];
    int err = read_instance(agent, &agent->instance);

    if (err == -ENOENT || err == -EACCES)
        return fail(-ENOENT, error, error_len,
                    "no bridge in domain %u serves '%s' to this domain; start "
                    "'vmring-bridge --to' with this domain's id there",
                    domid, target);
    path_of(agent, "version", path);
    if (!err)
        err = xenstore_read(agent->xs, XBT_NULL, path, text);
    if (err)
        return fail(err, error, error_len, "cannot read %s in xenstore: %s",
                    agent->base, strerror(-err));
    if (strcmp(text, " 1"))
        return fail(-EOPNOTSUPP, error, error_len,
                    "the bridge's tree in xenstore has another version than "
                    "1; update the older of the two");
    return 0;
}

int rendezvous_open(uint32_t domid, const char *target,
                    struct rendezvous_agent **out, char *error,
                    size_t error_len)
{
    struct rendezvous_agent *agent = calloc(1, sizeof(*agent));
    int err;

    if (!agent)
        return fail(-ENOMEM, error, error_len, "no memory");
    snprintf(agent->base, sizeof(agent->base), "/local/domain/%u/vmring/%s",
             domid, target);
    agent->xs = xenstore_open(error, error_len, &err);
    if (!err)
        err = find_bridge(agent, domid, target, error, error_len);
    if (!err && (getrandom(&agent->session, sizeof(agent->session), 0) < 0 ||
                 !xs_watch(agent->xs, agent->base, "bridge")))
        err = fail(-errno, error, error_len, "cannot watch %s in xenstore: %s",
                   agent->base, strerror(errno));
    if (err) {
        rendezvous_close(agent);
        return err;
    }
    *out = agent;
    return 0;
}

int rendezvous_fd(const struct rendezvous_agent *agent)
{
    return xs_fileno(agent->xs);
}

static void free_request(struct request *request)
{
    free(request->events);
    free(request);
}

static int lose(struct rendezvous_agent *agent, int err)
{
    if (!agent->lost)
        agent->lost = err;
    return agent->lost;
}

/* The bridge reads them after the request, which says how many there are. */
static int write_parts(struct rendezvous_agent *agent, const char *events,
                       struct message_subscribe *subscribe)
{
    size_t len = strlen(events);
    int err = 0;

    subscribe->nr_parts = 0;
    while (len && !err) {
        char path[XENSTORE_PATH], node[24], part[MESSAGE_PART + 1];
        size_t now = len < MESSAGE_PART ? len : MESSAGE_PART;

        memcpy(part, events, now);
        part[now] = '\0';
        snprintf(node, sizeof(node), "agent/events/%" PRIu32,
                 subscribe->nr_parts++);
        path_of(agent, node, path);
        err = xenstore_write(agent->xs, path, part);
        events += now;
        len -= now;
    }
    agent->nr_parts = subscribe->nr_parts;
    return err;
}

/* Writes one: now it is the bridge's turn. */
static int ask(struct rendezvous_agent *agent, struct request *request)
{
    char path[XENSTORE_PATH], text[XENSTORE_TEXT];
    struct message_subscribe subscribe;
    int err = 0;

    if (request->events) {
        err = write_parts(agent, request->events, &subscribe);
        (void)message_write(VMRING_LOCAL_SUBSCRIBE, &subscribe,
                            sizeof(subscribe), request->message);
    }
    path_of(agent, "agent/request", path);
    snprintf(text, sizeof(text),
             "bridge=%" PRIu64 " session=%" PRIu64 " seq=%" PRIu64 " %s",
             agent->instance, agent->session, ++agent->seq, request->message);
    return err ? err : xenstore_write(agent->xs, path, text);
}

static int ask_next(struct rendezvous_agent *agent)
{
    struct request *request = agent->queue[0];
    int err;

    if (!agent->nr_queued || agent->answered != agent->seq)
        return 0;
    memmove(agent->queue, agent->queue + 1,
            --agent->nr_queued * sizeof(struct request *));
    err = ask(agent, request);
    free_request(request);
    /* A tree that has gone is a bridge that has. */
    return err ? lose(agent,
                      err == -ENOENT || err == -EACCES ? -ECONNRESET : err)
               : 0;
}

int rendezvous_send(struct rendezvous_agent *agent, uint32_t type,
                    const void *body, size_t len)
{
    struct request *request;
    int ret = 0;

    if (agent->lost)
        return agent->lost;
    /* What it leaves unread does not matter to one that is let go of. */
    if (agent->nr_queued == MAX_QUEUED)
        return -EAGAIN;
    request = calloc(1, sizeof(*request));
    if (!request)
        return -ENOMEM;
    request->type = type;
    if (type == VMRING_LOCAL_SUBSCRIBE) {
        request->events = len < VMRING_LOCAL_MAX ? strndup(body, len) : NULL;
        ret = request->events ? 0 : len < VMRING_LOCAL_MAX ? -ENOMEM : -EINVAL;
    } else {
        ret = message_write(type, body, len, request->message);
    }
    if (ret < 0) {
        free_request(request);
        return ret;
    }
    agent->queue[agent->nr_queued++] = request;
    return ask_next(agent);
}

/*
 * A message to us, of this node: 1, its seq, and *rest the message.  0, -errno:
 * none, which is seq 0 and empty.
 */
static int read_node(struct rendezvous_agent *agent, const char *node,
                     char text[XENSTORE_TEXT], uint64_t *seq, const char **rest)
{
    char path[XENSTORE_PATH];
    uint64_t session;
    int err;

    *seq = 0;
    *rest = "";
    path_of(agent, node, path);
    err = xenstore_read(agent->xs, XBT_NULL, path, text);
    if (err == -ENOENT || err == -EACCES)
        return 0;
    if (err)
        return err;
    *rest = message_field(text, "session", UINT64_MAX, &session);
    if (*rest)
        *rest = message_field(*rest, "seq", UINT64_MAX, seq);
    if (!*rest || **rest != ' ')
        return -EPROTO;
    (*rest)++;
    return session == agent->session;
}

static int read_reply(struct rendezvous_agent *agent, uint32_t *type,
                      void *body, size_t max)
{
    char text[XENSTORE_TEXT];
    const char *rest;
    uint64_t seq;
    int ret = read_node(agent, "reply", text, &seq, &rest);

    if (ret <= 0 || seq <= agent->answered)
        return ret < 0 ? ret : -EAGAIN;
    if (seq != agent->seq)
        return -EPROTO;
    ret = message_read(rest, type, agent->message.body.bytes,
                       sizeof(agent->message.body));
    if (ret < 0 || (size_t)ret > max)
        return -EPROTO;
    memcpy(body, agent->message.body.bytes, (size_t)ret);
    agent->answered = seq;
    return ret;
}

static int read_quiet(struct rendezvous_agent *agent, uint32_t *type)
{
    char text[XENSTORE_TEXT];
    const char *rest;
    uint64_t seq;
    int ret = read_node(agent, "quiet", text, &seq, &rest);

    if (ret <= 0 || seq <= agent->quiet)
        return ret < 0 ? ret : -EAGAIN;
    agent->quiet = seq;
    *type = VMRING_LOCAL_QUIET;
    return 0;
}

/* What the bridge has written since; once it was all seen nobody looks. */
static int look(struct rendezvous_agent *agent, uint32_t *type, void *body,
                size_t max)
{
    uint64_t instance;
    int ret = read_instance(agent, &instance);

    if (!ret && instance != agent->instance)
        ret = -ENOENT;
    if (ret)
        return ret == -ENOENT || ret == -EACCES ? -ECONNRESET : ret;
    ret = read_reply(agent, type, body, max);
    if (ret >= 0 && *type == MESSAGE_OK)
        ret = ask_next(agent) ? agent->lost : -EAGAIN;
    if (ret == -EAGAIN) {
        agent->look = false;
        ret = read_quiet(agent, type);
    }
    return ret;
}

int rendezvous_recv(struct rendezvous_agent *agent, uint32_t *type, void *body,
                    size_t max)
{
    bool seen = false;
    int ret;

    if (agent->lost)
        return agent->lost;
    ret = xenstore_drain(agent->xs, "", &seen);
    if (ret > 0)
        agent->look = true;
    if (ret >= 0)
        ret = agent->look ? look(agent, type, body, max) : -EAGAIN;
    if (ret >= 0 && ask_next(agent))
        ret = agent->lost;
    return ret < 0 && ret != -EAGAIN ? lose(agent, ret) : ret;
}

bool rendezvous_may_have(const struct rendezvous_agent *agent)
{
    return agent->look || agent->lost;
}

bool rendezvous_is_waiting(const struct rendezvous_agent *agent)
{
    return !agent->lost && (agent->nr_queued || agent->answered != agent->seq);
}

void rendezvous_close(struct rendezvous_agent *agent)
{
    if (!agent)
        return;
    while (agent->nr_queued)
        free_request(agent->queue[--agent->nr_queued]);
    if (agent->xs)
        xs_close(agent->xs);
    free(agent);
}
