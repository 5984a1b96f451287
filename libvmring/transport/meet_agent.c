/* SPDX-License-Identifier: MIT */
/* meet_agent.c: an agent's rendezvous, and the limit to each call of it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../options.h"
#include "errand.h"
#include "meet.h"

int meet_lost_ms = 15000;

/* The thread's, but between errands, until xenstored was too late. */
struct place {
    uint32_t domid;
    char target[RENDEZVOUS_NAME];
    struct rendezvous_agent *agent; /* NULL: there is no bridge */
};

struct meet_agent {
    struct errands *errands;
    struct place *place;
    int fd;
    bool is_lost; /* xenstored was too late: `place` is out of reach */
};

/* All that an errand is given, and gives back. */
struct call {
    struct errand errand;
    struct place *place;
    int ret;
    uint32_t type;
    size_t len; /* or how long it may be */
    char error[256];
    union {
        unsigned char bytes[WIRE_MAX];
        uint64_t aligned;
    } body;
};

static void run_open(struct errand *errand)
{
    struct call *call = (struct call *)errand;
    struct place *place = call->place;

    call->ret = rendezvous_open(place->domid, place->target, &place->agent,
                                call->error, sizeof(call->error));
}

static void run_send(struct errand *errand)
{
    struct call *call = (struct call *)errand;

    call->ret = rendezvous_send(call->place->agent, call->type,
                                call->body.bytes, call->len);
}

static void run_recv(struct errand *errand)
{
    struct call *call = (struct call *)errand;

    call->ret = rendezvous_recv(call->place->agent, &call->type,
                                call->body.bytes, call->len);
}

static void run_close(struct errand *errand)
{
    struct call *call = (struct call *)errand;

    rendezvous_close(call->place->agent);
    free(call->place);
}

static struct call *make(struct meet_agent *meet,
                         void (*run)(struct errand *errand))
{
    struct call *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    call->errand.run = run;
    call->place = meet->place;
    return call;
}

/* false: it is lost, and so is the call. */
static bool is_in_time(struct meet_agent *meet, struct call *call)
{
    /* Who detaches has nothing to wait for but that. */
    int ms = call->type == WIRE_DETACH ? MEET_DETACH_MS : meet_lost_ms;

    meet->is_lost = !errands_do(meet->errands, &call->errand, ms);
    return !meet->is_lost;
}

int meet_send(struct meet_agent *meet, uint32_t type, const void *body,
              size_t len)
{
    struct call *call;
    int ret;

    if (meet->is_lost)
        return -EPIPE;
    if (len > sizeof(call->body))
        return -EINVAL;
    call = make(meet, run_send);
    if (!call)
        return -ENOMEM;
    call->type = type;
    call->len = len;
    if (len)
        memcpy(call->body.bytes, body, len);
    if (!is_in_time(meet, call))
        return -EPIPE;
    ret = call->ret;
    free(call);
    return ret;
}

/* What does not tell is looked at. */
static bool is_readable(int fd)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};

    return poll(&pfd, 1, 0) != 0;
}

int meet_recv(struct meet_agent *meet, uint32_t *type, void *body, size_t max)
{
    struct call *call;
    int ret;

    if (meet->is_lost)
        return -EPIPE;
    if (!rendezvous_may_have(meet->place->agent) && !is_readable(meet->fd))
        return -EAGAIN;
    call = make(meet, run_recv);
    if (!call)
        return -ENOMEM;
    call->len = max < sizeof(call->body) ? max : sizeof(call->body);
    if (!is_in_time(meet, call))
        return -EPIPE;
    ret = call->ret;
    *type = call->type;
    if (ret > 0)
        memcpy(body, call->body.bytes, (size_t)ret);
    free(call);
    return ret;
}

int meet_fd(const struct meet_agent *meet)
{
    return meet->fd;
}

bool meet_is_waiting(const struct meet_agent *meet)
{
    return !meet->is_lost && rendezvous_is_waiting(meet->place->agent);
}

void meet_close(struct meet_agent *meet)
{
    struct call *call;

    if (!meet)
        return;
    call = make(meet, run_close);
    /* Of an agent nothing is left in xenstore that it would have to wait for.
     */
    errands_end(meet->errands, call ? &call->errand : NULL,
                meet->is_lost ? 0 : MEET_END_MS);
    if (!meet->errands) {
        free(meet->place);
        free(call);
    }
    free(meet);
}

static int open_in_time(struct meet_agent *meet, char *error, size_t error_len)
{
    struct call *call = make(meet, run_open);
    int err;

    if (!call)
        return fail(-ENOMEM, error, error_len, "no memory");
    if (!is_in_time(meet, call))
        return fail(-ETIMEDOUT, error, error_len,
                    "xenstored does not answer within %d s; look whether it "
                    "is stopped",
                    meet_lost_ms / 1000);
    err = call->ret;
    if (err)
        explain(error, error_len, "%s", call->error);
    else
        meet->fd = rendezvous_fd(meet->place->agent);
    free(call);
    return err;
}

static int set_up(struct meet_agent *meet, uint32_t domid, const char *target,
                  char *error, size_t error_len)
{
    int err;

    meet->place = calloc(1, sizeof(*meet->place));
    if (!meet->place)
        return fail(-ENOMEM, error, error_len, "no memory");
    meet->place->domid = domid;
    snprintf(meet->place->target, sizeof(meet->place->target), "%s", target);
    err = errands_start(&meet->errands);
    if (err)
        return fail(err, error, error_len, "cannot start a thread: %s",
                    strerror(-err));
    return open_in_time(meet, error, error_len);
}

int meet_open(uint32_t domid, const char *target, struct meet_agent **out,
              char *error, size_t error_len)
{
    struct meet_agent *meet = calloc(1, sizeof(*meet));
    int err;

    if (!meet)
        return fail(-ENOMEM, error, error_len, "no memory");
    err = set_up(meet, domid, target, error, error_len);
    if (err)
        meet_close(meet);
    else
        *out = meet;
    return err;
}
