/* SPDX-License-Identifier: MIT */
/*
 * Description: an agent of another domain that stalls, lies, leaves or says no
 * end at any message costs the bridge a bounded number of turns and of calls
 * of xenstored, no deadline, no page, no port and no node; its successor is
 * served.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "consumer/ring.h"
#include "grant_pair.h"
#include "transport/grant/pages.h"

#define MS        1000000ULL
#define MANY      100 /* of those without end */
#define MAX_TURNS 16  /* for one thing that it does */
/* Two looks of a turn, and what is answered. */
#define MAX_CALLS (2 * (4 + MESSAGE_PARTS) + 4)

/* Where it happens; and what. */
enum step {
    AT_PROPOSE,
    AT_SUPPORTED,
    AT_SUBSCRIBE,
    AT_COUNT,
    AT_QUIESCE,
    AT_DRAINED,
    AT_DETACH,
    NR_STEPS
};
enum deed { STALL, LEAVE, OTHER, CUT, NOISE, OLD, ENDLESS, REMOVE, NR_DEEDS };

static const char *const steps[] = {
    "proposal", "question for support", "subscription", "count",
    "quiesce",  "end of draining",      "detach"};
static const char *const deeds[] = {
    "stalls",     "leaves",          "says other",  "says a part",
    "says noise", "says old things", "says no end", "removes its nodes"};

static struct pair pair;
static struct vmring *evil; /* NULL: it has not attached, or has left */
static uint64_t session, seq;

static uint64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

/* Not poll(), which serves when it waits. */
static bool is_readable(void)
{
    struct pollfd pfd = {vmring_producer_fd(pair.producer), POLLIN, 0};

    return ppoll(&pfd, 1, &(struct timespec){0}, NULL) == 1;
}

static void turn(void)
{
    unsigned int before = fake_xenstore.calls;
    struct vmring_verdict verdict;

    (void)vmring_producer_dispatch(pair.producer);
    CHECK(fake_xenstore.calls - before <= MAX_CALLS);
    while (vmring_producer_collect(pair.producer, &verdict) == 1)
        ;
}

/* Until nothing wakes it, but for what looks twice a second. */
static void turns(void)
{
    uint64_t from = now();
    unsigned int nr = 0;

    while (is_readable()) {
        turn();
        CHECK(++nr <= MAX_TURNS + (now() - from) / (500 * MS));
    }
}

static void begin(void)
{
    struct vmring_producer_opts opts = pair_opts();

    opts.deadline_ns = MS;
    grant_pair_make(&pair, &opts);
    turns();
}

static int attach(struct vmring **ring)
{
    fake_xenstore.domid = MEETING_AGENT;
    return vmring_open("grant:0/5", NULL, ring);
}

/* What a kill leaves: the kernel unmaps, closes; nobody says anything. */
static void leave(void)
{
    void *kept;

    if (!evil)
        return;
    kept = evil->core_memory;
    evil->core_memory = NULL; /* then it does not detach */
    vmring_close(evil);
    free(kept);
    evil = NULL;
}

/* Those before the step, as one should. */
static void ask_until(enum step step)
{
    struct vmring_count *counts = NULL;
    uint64_t kinds;

    session = 77;
    seq = 0;
    if (step == AT_PROPOSE)
        return;
    CHECK_EQ(attach(&evil), 0);
    if (step > AT_SUPPORTED)
        CHECK_EQ(vmring_supported(evil, &kinds), 0);
    if (step > AT_SUBSCRIBE)
        CHECK_EQ(vmring_subscribe(evil, "cpuid", NULL, NULL, 0), 1);
    if (step > AT_COUNT)
        CHECK(vmring_counts(evil, &counts) >= 0);
    free(counts);
    if (step > AT_QUIESCE)
        CHECK_EQ(vmring_quiesce(evil), 0);
    turns();
    CHECK(meeting_asked(&session, &seq) != NULL);
}

static size_t write_message(enum step step, char text[MESSAGE_MAX])
{
    static const struct xen_vm_ring_propose propose = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(propose),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .async_len = 65536,
        .record_len = 64,
        .nr_groups = 1,
    };
    static const struct message_subscribe subscribe = {1};
    static const struct vmring_local_count from;
    static const struct {
        uint32_t type;
        const void *body;
        size_t len;
    } messages[] = {
        [AT_PROPOSE] = {VMRING_LOCAL_PROPOSE, &propose, sizeof(propose)},
        [AT_SUPPORTED] = {VMRING_LOCAL_SUPPORTED, NULL, 0},
        [AT_SUBSCRIBE] = {VMRING_LOCAL_SUBSCRIBE, &subscribe,
                          sizeof(subscribe)},
        [AT_COUNT] = {VMRING_LOCAL_COUNT, &from, sizeof(from)},
        [AT_QUIESCE] = {VMRING_LOCAL_QUIESCE, NULL, 0},
        [AT_DRAINED] = {VMRING_LOCAL_DRAINED, NULL, 0},
        [AT_DETACH] = {VMRING_LOCAL_DETACH, NULL, 0},
    };
    int len = message_write(messages[step].type, messages[step].body,
                            messages[step].len, text);

    CHECK(len > 0);
    CHECK(fake_xenstore_put(MEETING_AGENT, MEETING "/agent/events/0", "cpuid",
                            SIZE_MAX));
    return (size_t)len;
}

static void put(const void *text, size_t len)
{
    CHECK(
        fake_xenstore_put(MEETING_AGENT, MEETING "/agent/request", text, len));
}

static void put_message(const char *message)
{
    char text[MESSAGE_MAX + 128];

    snprintf(text, sizeof(text),
             "bridge=%s session=%" PRIu64 " seq=%" PRIu64 " %s",
             fake_xenstore_get(0, MEETING "/bridge"), session, seq, message);
    put(text, strlen(text));
}

/* A message, or each time another one, or another agent; and its doorbell. */
static void say_no_end(const char *message)
{
    for (int i = 0; i < MANY; i++) {
        if (!evil)
            session++;
        seq++;
        put_message(message);
        if (evil)
            evil->link->ops->kick(evil->link, 0);
        turns();
    }
}

static void commit(enum step step, enum deed deed)
{
    char message[MESSAGE_MAX], noise[256];
    size_t len = write_message(step, message);

    memset(noise, 0xa5, sizeof(noise));
    seq += deed != OLD && deed != ENDLESS;
    switch (deed) {
    case LEAVE:
        put_message(message);
        leave();
        break;
    case OTHER:
        put_message("juggle balls=3");
        break;
    case CUT:
        message[len / 2] = '\0';
        put_message(message);
        break;
    case NOISE:
        put(noise, sizeof(noise));
        break;
    case OLD:
        put_message(message);
        break;
    case ENDLESS:
        say_no_end(message);
        break;
    case REMOVE:
        CHECK(fake_xenstore_put(MEETING_AGENT, MEETING "/agent", NULL, 0));
        break;
    default:
        break;
    }
}

/* The guest waits for nobody longer than it is said. */
static void keeps_deadline(void)
{
    struct xen_vm_ring_event cr4 = pair_event(4, 0);
    struct vmring_verdict verdict;
    unsigned int nr = 0;

    CHECK_EQ(vmring_producer_post(pair.producer, &cr4, 77), 0);
    vmring_producer_flush(pair.producer);
    while (vmring_producer_collect(pair.producer, &verdict) == 0) {
        usleep(1000);
        (void)vmring_producer_dispatch(pair.producer);
        CHECK(++nr < 100);
    }
    CHECK_EQ(verdict.cookie, 77);
}

/* While it is there another is refused; and once it has gone, served. */
static void successor(bool is_there)
{
    struct vmring *ring = NULL;
    uint64_t kinds;
    int err = attach(&ring);

    if (is_there) {
        CHECK_EQ(err, -EBUSY);
        return;
    }
    CHECK_EQ(err, 0);
    CHECK_EQ(vmring_supported(ring, &kinds), 0);
    vmring_close(ring);
    turns();
    CHECK(!vmring_producer_attached(pair.producer));
}

static void meet(enum step step, enum deed deed)
{
    struct holding before = faults_holding();
    const struct fault nothing = {deeds[deed], 0};

    fprintf(stderr, "an agent that %s at a %s\n", deeds[deed], steps[step]);
    begin();
    ask_until(step);
    commit(step, deed);
    turns();
    if (vmring_producer_attached(pair.producer))
        keeps_deadline();
    if (deed != REMOVE && evil && vmring_producer_attached(pair.producer))
        successor(true);
    leave();
    turns();
    if (deed != REMOVE)
        successor(false);
    usleep(GRANT_GRACE_NS / 1000 + 1000);
    turn();
    turns();
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    fake_xenstore_check_empty(MEETING_ABOVE);
    fake_xen_check_empty();
    faults_check_holding(&before, &nothing);
}

int main(void)
{
    meeting_prepare();
    for (enum step step = AT_PROPOSE; step < NR_STEPS; step++)
        for (enum deed deed = STALL; deed < NR_DEEDS; deed++)
            meet(step, deed);
    CHECK_EQ(fake_xen.deferred_ever, 0);
    return 0;
}
