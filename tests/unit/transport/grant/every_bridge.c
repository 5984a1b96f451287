/* SPDX-License-Identifier: MIT */
/*
 * Description: a bridge of another domain that stalls, lies, leaves or says no
 * end at any message costs an agent no time beyond what is documented, in no
 * call, no turns while nothing comes, no page, no port and no descriptor.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "grant_pair.h"
#include "transport/errand.h"
#include "transport/grant/meet.h"

#define MS         1000000ULL
#define TIMEOUT_MS 200
#define SLACK_MS   3000 /* of a machine that has other things to do */
#define PACE_MS    10   /* of one that says no end */
#define MAX_TRIES  5

/* Where it happens; and what. */
enum step {
    AT_PROPOSE,
    AT_SUPPORTED,
    AT_SUBSCRIBE,
    AT_COUNT,
    AT_QUIESCE,
    AT_DETACH,
    NR_STEPS
};
enum deed {
    STALL,
    LEAVE,
    VANISH,
    REPLACED,
    OTHER,
    CUT,
    NOISE,
    OLD,
    AHEAD,
    ENDLESS,
    NR_DEEDS
};

static const char *const steps[] = {"proposal",     "question for support",
                                    "subscription", "count",
                                    "quiesce",      "detach"};
/* What the agent has written then. */
static const char *const asked[] = {" propose ", " supported", " subscribe ",
                                    " count ",   " quiesce",   " detach"};
static const char *const deeds[] = {
    "stalls",      "leaves",          "has no tree any more",
    "is replaced", "says other",      "says a part",
    "says noise",  "says old things", "says what was not asked",
    "says no end"};
/* As long as they are not answered otherwise. */
static const char *const answers[] = {"accept result=0 version=1.0",
                                      "support kinds=1",
                                      "subscribed results=0 text=",
                                      "counts next=none",
                                      "ok",
                                      "ok"};

static struct pair pair;
static enum step step;
static enum deed deed;
static bool done;
static unsigned int idles;
static uint64_t told; /* what it said without end */

static uint64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

static bool is_asked(uint64_t *session, uint64_t *seq)
{
    const char *request = meeting_asked(session, seq);

    return request && strstr(request, asked[step]) == request;
}

static void say(const char *node, uint64_t session, uint64_t seq,
                const char *message)
{
    char text[2048], path[64];

    snprintf(path, sizeof(path), MEETING "/%s", node);
    snprintf(text, sizeof(text), "session=%" PRIu64 " seq=%" PRIu64 " %s",
             session, seq, message);
    CHECK(fake_xenstore_put(0, path, text, SIZE_MAX));
}

/* As long as it is listened to. */
static void say_no_end(uint64_t session, uint64_t seq)
{
    char text[64];

    usleep(PACE_MS * 1000);
    told++;
    if (step == AT_COUNT) {
        snprintf(text, sizeof(text), "counts next=%" PRIu64, told);
        say("reply", session, seq, text);
    } else {
        say("quiet", session, told, "quiet");
    }
}

static void commit(uint64_t session, uint64_t seq)
{
    char noise[256];

    memset(noise, 0xa5, sizeof(noise));
    switch (deed) {
    case LEAVE:
        vmring_producer_close(pair.producer, NULL, NULL);
        pair.producer = NULL;
        break;
    case VANISH:
        CHECK(fake_xenstore_put(0, MEETING, NULL, 0));
        break;
    case REPLACED:
        CHECK(fake_xenstore_put(0, MEETING "/bridge", "12345", SIZE_MAX));
        break;
    case OTHER:
        say("reply", session, seq, "juggle balls=3");
        break;
    case CUT:
        snprintf(noise, sizeof(noise), "%s", answers[step]);
        noise[strlen(noise) / 2] = '\0';
        say("reply", session, seq, noise);
        break;
    case NOISE:
        CHECK(fake_xenstore_put(0, MEETING "/reply", noise, sizeof(noise)));
        break;
    case OLD:
        say("reply", session, seq - 1, answers[step]);
        break;
    case AHEAD:
        say("reply", session, seq + 7, answers[step]);
        break;
    default:
        break;
    }
}

/* The bridge's turn. */
static void idle(void)
{
    uint64_t session, seq;

    idles++;
    if (!is_asked(&session, &seq)) {
        if (pair.producer)
            pair_serve();
    } else if (deed == ENDLESS) {
        say_no_end(session, seq);
    } else if (!done) {
        done = true;
        commit(session, seq);
    }
}

static void begin(void)
{
    struct vmring_producer_opts opts = pair_opts();

    done = false;
    told = 0;
    grant_pair_make(&pair, &opts);
    pair_serve();
    faults_idle = idle;
    fake_xenstore.domid = MEETING_AGENT;
}

/* Within its time; and not more often awake than there is something to see. */
static void in_time(const char *what, uint64_t from, unsigned int before,
                    int limit_ms)
{
    uint64_t took = (now() - from) / MS;

    if (took > (uint64_t)limit_ms + SLACK_MS ||
        idles - before > 20 + took / PACE_MS)
        fprintf(stderr, "%s: %" PRIu64 " ms, %u turns\n", what, took,
                idles - before);
    CHECK(took <= (uint64_t)limit_ms + SLACK_MS);
    CHECK(idles - before <= 20 + took / PACE_MS);
}

#define TIMED(call, ms)                                                        \
    do {                                                                       \
        uint64_t timed_from = now();                                           \
        unsigned int timed_idles = idles;                                      \
                                                                               \
        (void)(call);                                                          \
        in_time(#call, timed_from, timed_idles, ms);                           \
    } while (0)

/* What says that it is quiet, or that it does not. */
static void wait_quiet(struct vmring *ring)
{
    uint64_t until = now() + TIMEOUT_MS * MS;
    struct vmring_event event;
    int ret = 0;

    while (ret >= 0 && now() < until) {
        struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};

        ret = vmring_next(ring, &event);
        if (ret >= 0)
            (void)poll(&pfd, 1, 50);
    }
}

static void session(void)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = TIMEOUT_MS};
    struct vmring_count *counts = NULL;
    struct vmring *ring = NULL;
    uint64_t kinds;

    TIMED(vmring_open("grant:0/5", &opts, &ring), TIMEOUT_MS);
    if (!ring)
        return;
    TIMED(vmring_supported(ring, &kinds), TIMEOUT_MS);
    TIMED(vmring_subscribe(ring, "cpuid", NULL, NULL, 0), TIMEOUT_MS);
    TIMED(vmring_counts(ring, &counts), TIMEOUT_MS);
    free(counts);
    TIMED(vmring_quiesce(ring), TIMEOUT_MS);
    TIMED(wait_quiet(ring), TIMEOUT_MS);
    TIMED(vmring_close(ring), MEET_DETACH_MS);
}

static void meet(void)
{
    struct holding before = faults_holding();
    const struct fault nothing = {deeds[deed], 0};

    fprintf(stderr, "a bridge that %s at a %s\n", deeds[deed], steps[step]);
    begin();
    session();
    faults_idle = NULL;
    if (pair.producer)
        vmring_producer_close(pair.producer, NULL, NULL);
    /* Of one that was replaced its tree is another's. */
    errands_wait_for_ended();
    (void)fake_xenstore_put(0, MEETING_ABOVE, NULL, 0);
    fake_xenstore_check_empty(MEETING_ABOVE);
    fake_xen_check_empty();
    faults_check_holding(&before, &nothing);
}

/*
 * A machine that has other things to do may let a call time out before it comes
 * to the step: then again.
 */
static void meet_there(void)
{
    for (int i = 0; i < MAX_TRIES; i++) {
        meet();
        if (done || told)
            return;
    }
    CHECK(!"it came to the step");
}

int main(void)
{
    meeting_prepare();
    for (step = AT_PROPOSE; step < NR_STEPS; step++)
        for (deed = STALL; deed < NR_DEEDS; deed++)
            meet_there();
    return 0;
}
