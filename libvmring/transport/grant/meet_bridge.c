/* SPDX-License-Identifier: MIT */
/* meet_bridge.c: a bridge's rendezvous, which its loop never waits for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/log.h"
#include "meet.h"
#include "meet_thread.h"

/* What errands work on; theirs alone, but before and between them. */
struct place {
    uint32_t domid;
    char target[RENDEZVOUS_NAME];
    struct rendezvous_bridge *bridge; /* NULL: it cannot be served */
};

struct meet_bridge {
    struct meet_thread thread;
    struct place *place;
    int lost;              /* sticky */
    uint64_t asked, taken; /* looks, anyway */
};

/* ------------------------------------------------------------- errands -- */

struct serve {
    struct errand errand;
    struct place *place;
    int err;
    char error[256];
};

static void run_serve(struct errand *errand)
{
    struct serve *serve = (struct serve *)errand;
    struct place *place = serve->place;

    serve->err = rendezvous_serve(place->domid, place->target, &place->bridge,
                                  serve->error, sizeof(serve->error));
}

struct look {
    struct errand errand;
    struct place *place;
    uint64_t number; /* looks that were asked for before */
    bool anyway;
    int ret;
    struct rendezvous_message request;
};

static void run_look(struct errand *errand)
{
    struct look *look = (struct look *)errand;

    look->ret =
        rendezvous_next(look->place->bridge, look->anyway, &look->request);
}

struct answer {
    struct errand errand;
    struct place *place;
    bool is_quiet;
    uint64_t session, seq;
    int ret;
    char message[MESSAGE_MAX];
};

static void run_answer(struct errand *errand)
{
    struct answer *answer = (struct answer *)errand;

    answer->ret =
        rendezvous_tell(answer->place->bridge, answer->is_quiet,
                        answer->session, answer->seq, answer->message);
}

struct leave {
    struct errand errand;
    struct place *place;
};

static void run_leave(struct errand *errand)
{
    struct leave *leave = (struct leave *)errand;

    rendezvous_serve_end(leave->place->bridge);
    free(leave->place);
}

/* ------------------------------------------------------------- the loop -- */

static void lose(struct meet_bridge *meet, int err)
{
    if (!meet->lost)
        meet->lost = err;
}

/* A look is over.  1: it has brought a request. */
static int take_look(struct meet_bridge *meet, const struct look *look,
                     struct rendezvous_message *request)
{
    int err = meet_thread_end_look(&meet->thread);

    meet->taken = look->number;
    if (look->ret < 0)
        lose(meet, look->ret);
    else if (err)
        lose(meet, -EPIPE);
    if (look->ret == 1)
        *request = look->request;
    return look->ret == 1;
}

/* Of all that was done up to a request, and not of what is behind it. */
static int take_done(struct meet_bridge *meet,
                     struct rendezvous_message *request)
{
    struct errand *errand;
    int found = 0;

    while (!found && (errand = errands_done(meet->thread.errands)) != NULL) {
        if (errand->run == run_look)
            found = take_look(meet, (const struct look *)errand, request);
        else if (((const struct answer *)errand)->ret == -EPIPE)
            lose(meet, -EPIPE);
        free(errand);
    }
    return found;
}

static void begin_look(struct meet_bridge *meet)
{
    struct look *look = calloc(1, sizeof(*look));

    if (!look)
        return; /* the next time */
    look->errand.run = run_look;
    look->place = meet->place;
    look->number = meet->asked;
    look->anyway = meet->asked != meet->taken;
    meet_thread_begin_look(&meet->thread, &look->errand);
}

int meet_next(struct meet_bridge *meet, struct rendezvous_message *request)
{
    if (meet->lost)
        return meet->lost;
    if (take_done(meet, request))
        return 1;
    if (!meet->lost && errands_late(meet->thread.errands) > meet_lost_ms)
        lose(meet, -EPIPE);
    if (!meet->lost && !meet->thread.is_looking &&
        (meet->asked != meet->taken || meet_thread_is_rung(&meet->thread)))
        begin_look(meet);
    return meet->lost;
}

uint64_t meet_look(struct meet_bridge *meet)
{
    return ++meet->asked;
}

bool meet_has_looked(const struct meet_bridge *meet, uint64_t number)
{
    return meet->lost || meet->taken >= number;
}

int meet_serve_fd(const struct meet_bridge *meet)
{
    return meet->thread.epoll;
}

static int begin_answer(struct meet_bridge *meet, struct answer *answer)
{
    if (meet->lost) {
        free(answer);
        return -EPIPE;
    }
    answer->errand.run = run_answer;
    answer->place = meet->place;
    errands_post(meet->thread.errands, &answer->errand);
    return 0;
}

int meet_reply(struct meet_bridge *meet, uint64_t session, uint64_t seq,
               uint32_t type, const void *body, size_t len)
{
    struct answer *answer = calloc(1, sizeof(*answer));
    int ret;

    if (!answer)
        return -ENOMEM;
    ret = message_write(type, body, len, answer->message);
    if (ret < 0) {
        free(answer);
        return ret;
    }
    answer->session = session;
    answer->seq = seq;
    return begin_answer(meet, answer);
}

int meet_tell_quiet(struct meet_bridge *meet, uint64_t session, uint64_t seq)
{
    struct answer *answer = calloc(1, sizeof(*answer));

    if (!answer)
        return -ENOMEM;
    answer->is_quiet = true;
    answer->session = session;
    answer->seq = seq;
    snprintf(answer->message, sizeof(answer->message), "quiet");
    return begin_answer(meet, answer);
}

/* --------------------------------------------------- beginning and end -- */

void meet_serve_end(struct meet_bridge *meet)
{
    struct leave *leave;

    if (!meet)
        return;
    leave = calloc(1, sizeof(*leave));
    if (leave) {
        leave->errand.run = run_leave;
        leave->place = meet->place;
    }
    /* Without memory the tree is left to the next bridge. */
    if (!meet->thread.errands)
        free(meet->place);
    meet_thread_end(&meet->thread, leave ? &leave->errand : NULL, MEET_END_MS);
    free(meet);
}

static int serve_in_time(struct meet_bridge *meet, char *error,
                         size_t error_len)
{
    struct serve *serve = calloc(1, sizeof(*serve));
    int err;

    if (!serve)
        return fail(-ENOMEM, error, error_len, "no memory");
    serve->errand.run = run_serve;
    serve->place = meet->place;
    err =
        meet_thread_open(&meet->thread, &serve->errand, NULL, error, error_len);
    if (err)
        return err;
    err = serve->err;
    if (err)
        explain(error, error_len, "%s", serve->error);
    free(serve);
    return err;
}

static int set_up(struct meet_bridge *meet, uint32_t domid, const char *target,
                  char *error, size_t error_len)
{
    int err;

    meet->place = calloc(1, sizeof(*meet->place));
    if (!meet->place)
        return fail(-ENOMEM, error, error_len, "no memory");
    meet->place->domid = domid;
    snprintf(meet->place->target, sizeof(meet->place->target), "%s", target);
    err = meet_thread_start(&meet->thread, error, error_len);
    if (!err)
        err = serve_in_time(meet, error, error_len);
    return err ? err
               : meet_thread_watch(&meet->thread,
                                   rendezvous_serve_fd(meet->place->bridge),
                                   error, error_len);
}

int meet_serve(uint32_t domid, const char *target, struct meet_bridge **out,
               char *error, size_t error_len)
{
    struct meet_bridge *meet = calloc(1, sizeof(*meet));
    int err;

    if (!meet)
        return fail(-ENOMEM, error, error_len, "no memory");
    meet->thread.epoll = -1;
    err = set_up(meet, domid, target, error, error_len);
    if (err)
        meet_serve_end(meet);
    else
        *out = meet;
    return err;
}
