/* SPDX-License-Identifier: MIT */
/* meet_agent.c: an agent's rendezvous: what waits for it, and how long. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/log.h"
#include "meet.h"
#include "meet_thread.h"

/* The thread's, but between errands, until xenstored was too late. */
struct place {
    uint32_t domid;
    char target[RENDEZVOUS_NAME];
    struct rendezvous_agent *agent; /* NULL: there is no bridge */
};

struct meet_agent {
    struct meet_thread thread;
    struct place *place;
    bool is_lost; /* if xenstored was too late, `place` is out of reach */
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
        unsigned char bytes[VMRING_LOCAL_MAX];
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

int meet_send(struct meet_agent *meet, uint32_t type, const void *body,
              size_t len, int ms, const struct patience *patience)
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
    if (type == VMRING_LOCAL_DRAINED) {
        /* Said amid events, and nobody minds if it is not heard. */
        errands_leave(meet->thread.errands, &call->errand);
        return 0;
    }
    meet->is_lost =
        !errands_do(meet->thread.errands, &call->errand,
                    ms < meet_lost_ms ? ms : meet_lost_ms, patience);
    if (meet->is_lost)
        return -EPIPE; /* and so is the call */
    ret = call->ret;
    free(call);
    return ret;
}

/* Something that was left to it is on its way, and `place` is the thread's. */
static bool is_busy(const struct meet_agent *meet)
{
    return errands_late(meet->thread.errands) > 0;
}

/* If there may be something. */
static int begin_look(struct meet_agent *meet)
{
    struct call *call;

    if (!is_busy(meet) && !rendezvous_may_have(meet->place->agent) &&
        !meet_thread_is_rung(&meet->thread))
        return 0;
    call = make(meet, run_recv);
    if (!call)
        return -ENOMEM;
    call->len = sizeof(call->body);
    meet_thread_begin_look(&meet->thread, &call->errand);
    return 0;
}

static int take_look(struct meet_agent *meet, struct call *call, uint32_t *type,
                     void *body, size_t max)
{
    int ret = call->ret;

    if (meet_thread_end_look(&meet->thread)) {
        meet->is_lost = true;
        ret = -EPIPE;
    }
    if (ret > 0 && (size_t)ret > max)
        ret = -EPROTO;
    *type = call->type;
    if (ret > 0)
        memcpy(body, call->body.bytes, (size_t)ret);
    free(call);
    return ret;
}

int meet_recv(struct meet_agent *meet, uint32_t *type, void *body, size_t max)
{
    struct meet_thread *thread = &meet->thread;
    struct errand *done;
    int err = 0;

    if (meet->is_lost)
        return -EPIPE;
    if (!thread->is_looking)
        err = begin_look(meet);
    if (err || !thread->is_looking)
        return err ? err : -EAGAIN;
    done = errands_done(thread->errands);
    if (done)
        return take_look(meet, (struct call *)done, type, body, max);
    meet->is_lost = errands_late(thread->errands) > meet_lost_ms;
    return meet->is_lost ? -EPIPE : -EAGAIN;
}

int meet_fd(const struct meet_agent *meet)
{
    return meet->thread.epoll;
}

bool meet_is_waiting(const struct meet_agent *meet)
{
    return !meet->is_lost && (meet->thread.is_looking || is_busy(meet) ||
                              rendezvous_is_waiting(meet->place->agent));
}

void meet_close(struct meet_agent *meet)
{
    struct call *call;
    bool is_stuck;

    if (!meet)
        return;
    is_stuck = meet->is_lost && errands_late(meet->thread.errands);
    call = make(meet, run_close);
    if (!meet->thread.errands)
        free(meet->place);
    /* Of an agent nothing is left in xenstore that it would have to wait for.
     */
    meet_thread_end(&meet->thread, call ? &call->errand : NULL,
                    is_stuck ? 0 : MEET_END_MS);
    free(meet);
}

static int open_in_time(struct meet_agent *meet,
                        const struct patience *patience, char *error,
                        size_t error_len)
{
    struct call *call = make(meet, run_open);
    int err;

    if (!call)
        return fail(-ENOMEM, error, error_len, "no memory");
    err = meet_thread_open(&meet->thread, &call->errand, patience, error,
                           error_len);
    if (err) {
        meet->is_lost = true;
        return err;
    }
    err = call->ret;
    if (err)
        explain(error, error_len, "%s", call->error);
    free(call);
    return err;
}

static int set_up(struct meet_agent *meet, uint32_t domid, const char *target,
                  const struct patience *patience, char *error,
                  size_t error_len)
{
    int err;

    meet->place = calloc(1, sizeof(*meet->place));
    if (!meet->place)
        return fail(-ENOMEM, error, error_len, "no memory");
    meet->place->domid = domid;
    snprintf(meet->place->target, sizeof(meet->place->target), "%s", target);
    err = meet_thread_start(&meet->thread, error, error_len);
    if (!err)
        err = open_in_time(meet, patience, error, error_len);
    return err ? err
               : meet_thread_watch(&meet->thread,
                                   rendezvous_fd(meet->place->agent), error,
                                   error_len);
}

int meet_open(uint32_t domid, const char *target,
              const struct patience *patience, struct meet_agent **out,
              char *error, size_t error_len)
{
    struct meet_agent *meet = calloc(1, sizeof(*meet));
    int err;

    if (!meet)
        return fail(-ENOMEM, error, error_len, "no memory");
    meet->thread.epoll = -1;
    err = set_up(meet, domid, target, patience, error, error_len);
    if (err)
        meet_close(meet);
    else
        *out = meet;
    return err;
}
