/* SPDX-License-Identifier: MIT */
/*
 * Description: xenstored is stopped right after an agent has asked something,
 * and stays so: the bridge's turns stay short, a deadline is kept, and closing
 * waits for nobody; after a time it counts as lost.  That the agent's domain
 * has gone meanwhile is learnt from Xen.  An agent that comes then is told
 * within that time.
 */
#include <errno.h>
#include <unistd.h>

#include "consumer/ring.h"
#include "fake_xen.h"
#include "meeting.h"
#include "pair.h"
#include "transport/errand.h"
#include "transport/transport.h"
#include "xenstored.h"

static struct pair pair;
static char line[200];
static int bound = 1;
static unsigned int asked;

static void keep_line(void *ctx, int level, const char *text)
{
    (void)ctx;
    if (level < 6)
        snprintf(line, sizeof(line), "%s", text);
}

static int channel_is_bound(void *ctx, uint32_t port)
{
    CHECK(ctx == &pair);
    CHECK(port > 0);
    asked++;
    return bound;
}

static void begin(void)
{
    static const struct vmring_producer_ops ops = {
        .size = sizeof(ops),
        .channel_is_bound = channel_is_bound,
    };
    struct vmring_producer_opts opts = pair_opts();

    opts.log = keep_line;
    opts.ops = &ops;
    opts.ops_ctx = &pair;
    opts.deadline_ns = UINT64_C(200000000);
    line[0] = '\0';
    bound = 1;
    pair_make(&pair, &opts);
    pair.of_domain = true;
    fake_xenstore_become(0);
    CHECK_EQ(vmring_producer_serve(pair.producer, "grant:7/5", 0), 0);
    pair_serve();
}

static void attach(void)
{
    struct vmring_event event;

    fake_xenstore_become(MEETING_AGENT);
    CHECK_EQ(vmring_open("grant:0/5", NULL, &pair.ring), 0);
    CHECK(vmring_producer_attached(pair.producer));
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
}

/* One turn of a bridge's loop; it never takes long. */
static void turn(void)
{
    int64_t before = now_ms();

    (void)vmring_producer_dispatch(pair.producer);
    CHECK(now_ms() - before < TURN_MS);
    usleep(1000);
}

/* A request that nobody answers is over at its deadline. */
static void keeps_deadline(void)
{
    struct xen_vm_ring_event cr4 = pair_event(4, 0);
    struct vmring_verdict verdict;
    int64_t before = now_ms();

    CHECK_EQ(vmring_producer_post(pair.producer, &cr4, 77), 0);
    vmring_producer_flush(pair.producer);
    while (vmring_producer_collect(pair.producer, &verdict) == 0) {
        turn();
        CHECK(now_ms() - before < 200 + TURN_MS);
    }
    CHECK_EQ(verdict.by, VMRING_BY_DEADLINE);
    CHECK_EQ(verdict.cookie, 77);
}

static void turns_for(int ms)
{
    int64_t end = now_ms() + ms;

    while (now_ms() < end)
        turn();
}

/* What an agent writes, and then xenstored is stopped. */
static void ask_and_stop(void)
{
    char node[128];

    snprintf(node, sizeof(node), "%s", MEETING "/agent/request");
    CHECK(fake_xenstore_put(MEETING_AGENT, node, "nonsense", SIZE_MAX));
    xenstored_stop();
}

static void close_ring(void)
{
    struct vmring *ring = pair.ring;

    pair.ring = NULL;
    vmring_close(ring);
}

static void ends_at_once(void)
{
    int64_t before;

    begin();
    attach();
    ask_and_stop();
    keeps_deadline();
    before = now_ms();
    vmring_producer_close(pair.producer, NULL, NULL);
    CHECK(now_ms() - before < TURN_MS);
    pair.producer = NULL;
    faults_idle = NULL;
    /* It goes on: the tree is removed even so. */
    xenstored_go_on();
    close_ring();
    fake_xenstore_check_empty(MEETING_ABOVE);
    fake_xen_check_empty();
}

static void counts_as_lost(void)
{
    struct vmring_verdict verdict;
    int64_t before;

    begin();
    attach();
    ask_and_stop();
    before = now_ms();
    while (!*line) {
        turn();
        CHECK(now_ms() - before < meet_lost_ms + 10000);
    }
    CHECK(now_ms() - before >= meet_lost_ms);
    CHECK_HAS(line, "xenstore is lost");
    /* The ring goes on. */
    CHECK(vmring_producer_attached(pair.producer));
    keeps_deadline();
    /* Until Xen says that there is nobody at its other end. */
    asked = 0;
    turns_for(1200);
    CHECK(vmring_producer_attached(pair.producer));
    CHECK(asked > 0 && asked <= 4);
    bound = -1; /* it does not know */
    turns_for(1200);
    CHECK(vmring_producer_attached(pair.producer));
    bound = 0;
    before = now_ms();
    while (vmring_producer_attached(pair.producer)) {
        turn();
        CHECK(now_ms() - before < 10000);
    }
    CHECK_HAS(line, "gone without a word");
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 0);
    CHECK_EQ(vmring_producer_dispatch(pair.producer), -EBADF);
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    xenstored_go_on();
    close_ring();
    fake_xenstore_check_empty(MEETING_ABOVE);
}

/* By a channel that has no other end alone: xenstore is there. */
static void domain_reset(void)
{
    int64_t before;

    begin();
    attach();
    bound = 0;
    before = now_ms();
    while (vmring_producer_attached(pair.producer)) {
        turn();
        CHECK(now_ms() - before < 10000);
    }
    close_ring();
    /* Who comes next is served. */
    bound = 1;
    attach();
    close_ring();
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    fake_xenstore_check_empty(MEETING_ABOVE);
}

/* It says so, and goes: the pages tell the bridge. */
static void detaches_from_a_stopped_one(void)
{
    struct errands *errands;
    int64_t before;

    begin();
    attach();
    xenstored_stop();
    meet_lost_ms = 20 * TURN_MS;
    before = now_ms();
    close_ring();
    CHECK(now_ms() - before < 5 * TURN_MS);
    xenstored_go_on();
    /* This xenstore has one transaction at a time: its own thread's first. */
    CHECK_EQ(errands_start(&errands), 0);
    errands_end(errands, NULL, 60000);
    errands_wait_for_ended();
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    fake_xenstore_check_empty(MEETING_ABOVE);
}

static void comes_to_a_stopped_one(void)
{
    struct vmring_opts opts = {.size = sizeof(opts)};
    char error[256] = "";
    struct vmring *ring;
    int64_t before;

    opts.error = error;
    opts.error_len = sizeof(error);
    begin();
    xenstored_stop();
    before = now_ms();
    fake_xenstore_become(MEETING_AGENT);
    CHECK_EQ(vmring_open("grant:0/5", &opts, &ring), -ETIMEDOUT);
    CHECK(now_ms() - before < 2 * meet_lost_ms);
    CHECK_HAS(error, "xenstored does not answer within 2 s");
    xenstored_go_on();
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    fake_xenstore_check_empty(MEETING_ABOVE);
}

/* What a ring is to take is taken in its time, and the rest goes on. */
static void keeps_its_timeout(void)
{
    const int timeout_ms = 200;
    struct xen_vm_ring_event cpuid = pair_event(10, 1);
    struct vmring_event event;
    int64_t before;

    begin();
    meet_lost_ms = PATIENT_MS;
    attach();
    /* It was to come however busy this machine is; from now on it is that. */
    pair.ring->timeout_ms = pair.ring->link->timeout_ms = timeout_ms;
    /* Something is told, and cannot be read. */
    CHECK(fake_xenstore_put(0, MEETING "/quiet", "quiet", SIZE_MAX));
    fake_xenstore_stop(true);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &cpuid), 1);
    vmring_producer_flush(pair.producer);
    before = now_ms();
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    CHECK(now_ms() - before < TURN_MS);
    /* As vmring_next() says when it has drained what was frozen. */
    CHECK_EQ(pair.ring->link->ops->send(pair.ring->link, VMRING_LOCAL_DRAINED,
                                        NULL, 0),
             0);
    CHECK(now_ms() - before < TURN_MS);
    CHECK_EQ(vmring_quiesce(pair.ring), -ECONNRESET);
    CHECK(now_ms() - before < timeout_ms + TURN_MS);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &cpuid), 1);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    before = now_ms();
    close_ring();
    CHECK(now_ms() - before < TURN_MS);
    fake_xenstore_stop(false);
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    fake_xenstore_check_empty(MEETING_ABOVE);
}

static bool enough(void *ctx)
{
    (void)ctx;
    return true;
}

/* Nor does a consumer wait that is to end. */
static void gives_up(void)
{
    struct vmring_opts opts = {.size = sizeof(opts), .interrupted = enough};
    struct vmring *none;
    char error[128];
    int64_t before;

    begin();
    meet_lost_ms = PATIENT_MS;
    attach();
    pair.ring->timeout_ms = pair.ring->link->timeout_ms = PATIENT_MS;
    pair.ring->interrupted = pair.ring->link->patience.enough = enough;
    fake_xenstore_stop(true);
    before = now_ms();
    CHECK_EQ(vmring_subscribe(pair.ring, "cpuid", NULL, error, sizeof(error)),
             -EINTR);
    CHECK_EQ(vmring_open("grant:0/5", &opts, &none), -EINTR);
    CHECK(now_ms() - before < TURN_MS);
    fake_xenstore_stop(false);
    close_ring();
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    fake_xenstore_check_empty(MEETING_ABOVE);
}

int main(void)
{
    meet_lost_ms = PATIENT_MS;
    meeting_prepare();
    ends_at_once();
    counts_as_lost();
    domain_reset();
    detaches_from_a_stopped_one();
    comes_to_a_stopped_one();
    keeps_its_timeout();
    gives_up();
    return 0;
}
