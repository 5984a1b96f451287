/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer whose answer is short, long, of another kind or
 * beyond its own limits has broken the protocol, for good.
 */
#include "pair.h"

#include <errno.h>
#include <sys/socket.h>

#include <vmring_local.h>

#include "consumer/told.h"
#include "producer/handle.h"

static struct pair pair;
static char error[256];
static int logged;

static void count_lines(void *ctx, int level, const char *text)
{
    (void)ctx;
    (void)level;
    CHECK_HAS(text, "the producer broke the protocol");
    logged++;
}

/* Attached; the producer answers nothing by itself any more. */
static void attach(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {
        .size = sizeof(ours), .log = count_lines, .timeout_ms = 60000};

    pair_make(&pair, &opts);
    pair_attach(&pair, &ours);
    faults_idle = NULL;
    logged = 0;
    error[0] = '\0';
}

static void say(uint32_t type, const void *body, size_t len)
{
    struct peer *peer = pair.producer->session.peer;

    CHECK_EQ(peer->ops->send(peer, type, body, len), 0);
}

/* The peer is a liar from now on. */
static void is_broken(void)
{
    struct vmring_event event;
    uint64_t mask;

    CHECK_EQ(logged, 1);
    CHECK_EQ(vmring_next(pair.ring, &event), -EPROTO);
    CHECK_EQ(vmring_next(pair.ring, &event), -EPROTO);
    CHECK_EQ(vmring_supported(pair.ring, &mask), -EPROTO);
    CHECK_EQ(vmring_quiesce(pair.ring), -EPROTO);
    pair_end(&pair);
}

static int subscribe(void)
{
    return vmring_subscribe(pair.ring, "cpuid cr3", NULL, error, sizeof(error));
}

static void subscribed(void)
{
    struct vmring_local_subscribed answer = {.nr = 2};

    attach();
    say(VMRING_LOCAL_SUBSCRIBED, &answer, sizeof(answer) - 8);
    CHECK_EQ(subscribe(), -EPROTO);
    CHECK_HAS(error, "malformed");
    is_broken();

    attach();
    answer.nr = 3;
    say(VMRING_LOCAL_SUBSCRIBED, &answer, sizeof(answer));
    CHECK_EQ(subscribe(), -EPROTO);
    is_broken();

    attach(); /* neither results nor a reason */
    answer.nr = 0;
    say(VMRING_LOCAL_SUBSCRIBED, &answer, sizeof(answer));
    CHECK_EQ(subscribe(), -EPROTO);
    is_broken();

    attach(); /* a producer that has another opinion is no liar */
    snprintf(answer.text, sizeof(answer.text), "not today");
    say(VMRING_LOCAL_SUBSCRIBED, &answer, sizeof(answer));
    CHECK_EQ(subscribe(), -EINVAL);
    CHECK_HAS(error, "the producer says: not today");
    CHECK_EQ(logged, 0);
    pair_end(&pair);

    attach(); /* longer than there is room for */
    {
        char much[sizeof(answer) + 1] = {0};

        say(VMRING_LOCAL_SUBSCRIBED, much, sizeof(much));
    }
    CHECK_EQ(subscribe(), -EPROTO);
    is_broken();

    attach(); /* what nobody asked for */
    say(VMRING_LOCAL_ACCEPT, NULL, 0);
    CHECK_EQ(subscribe(), -EPROTO);
    is_broken();
}

static void support(void)
{
    uint64_t mask;

    attach();
    say(VMRING_LOCAL_SUPPORT, "four", 4);
    CHECK_EQ(vmring_supported(pair.ring, &mask), -EPROTO);
    is_broken();
}

static void counts_are_refused(const struct vmring_local_counts *answer,
                               size_t len)
{
    struct vmring_count *rows;

    attach();
    say(VMRING_LOCAL_COUNTS, answer, len);
    CHECK_EQ(vmring_counts(pair.ring, &rows), -EPROTO);
    is_broken();
}

static void counts(void)
{
    size_t head = offsetof(struct vmring_local_counts, rows);
    struct vmring_local_counts answer = {.nr = 0, .next = VMRING_LOCAL_NO_MORE};

    counts_are_refused(&answer, head - 4);
    counts_are_refused(&answer, head + sizeof(answer.rows[0]));
    answer.nr = 1;
    counts_are_refused(&answer, head);
    answer.nr = VMRING_LOCAL_MAX_ROWS + 1;
    counts_are_refused(&answer, head);
    answer.nr = UINT32_MAX;
    counts_are_refused(&answer, head);
    answer.nr = 1;
    answer.rows[0].vcpu = 2; /* 2 vCPUs, no foreign lane */
    counts_are_refused(&answer, head + sizeof(answer.rows[0]));
    answer.rows[0].vcpu = 1;
    answer.rows[0].reason = XEN_VM_RING_NR_REASONS;
    counts_are_refused(&answer, head + sizeof(answer.rows[0]));
    /* Rows without end: the next ones must be further on, and exist. */
    answer.nr = 0;
    answer.next = 0;
    counts_are_refused(&answer, head);
    answer.next = 2 * XEN_VM_RING_NR_REASONS;
    counts_are_refused(&answer, head);
}

/* The second of two rows would replace the first, in one answer or in two. */
static void rows_twice(void)
{
    size_t head = offsetof(struct vmring_local_counts, rows);
    struct vmring_local_counts answer = {
        .nr = 2,
        .next = VMRING_LOCAL_NO_MORE,
        .rows = {{.vcpu = 1, .reason = 1, .requests = 1, .answered = 1},
                 {.vcpu = 1, .reason = 1, .requests = 2, .answered = 2}}};
    struct vmring_count *rows;
    size_t len = head + sizeof(answer.rows[0]);

    counts_are_refused(&answer, len + sizeof(answer.rows[0]));

    attach();
    answer.nr = 1;
    answer.next = 1;
    say(VMRING_LOCAL_COUNTS, &answer, len);
    answer.next = VMRING_LOCAL_NO_MORE;
    say(VMRING_LOCAL_COUNTS, &answer, len);
    CHECK_EQ(vmring_counts(pair.ring, &rows), -EPROTO);
    is_broken();

    /* Asked anew all of them come again. */
    attach();
    for (int i = 0; i < 2; i++) {
        say(VMRING_LOCAL_COUNTS, &answer, len);
        CHECK_EQ(vmring_counts(pair.ring, &rows), 1);
        CHECK_EQ(rows[0].vcpu, 1);
        CHECK_EQ(rows[0].requests, 1);
        CHECK_EQ(rows[0].reserved, 0);
        free(rows);
    }
    pair_end(&pair);
}

/* No answer: its late coming is no lie, for nobody listens any more. */
static void late(void)
{
    struct vmring_local_support answer = {.kinds = 1};
    struct vmring_event event;
    uint64_t mask;

    attach();
    logged = -1;
    pair.ring->log.fn = NULL;
    pair.ring->timeout_ms = 1;
    CHECK_EQ(vmring_supported(pair.ring, &mask), -ETIMEDOUT);
    say(VMRING_LOCAL_SUPPORT, &answer, sizeof(answer));
    CHECK_EQ(vmring_next(pair.ring, &event), -ECONNRESET);
    CHECK_EQ(vmring_supported(pair.ring, &mask), -ECONNRESET);
    CHECK_EQ(vmring_quiesce(pair.ring), -ECONNRESET);
    /* That it broke the protocol outlives that it is gone. */
    pair.ring->core.groups[0].broken = true;
    CHECK_EQ(vmring_next(pair.ring, &event), -EPROTO);
    CHECK_EQ(told_lost(pair.ring, -ECONNRESET), -EPROTO);
    CHECK_EQ(vmring_next(pair.ring, &event), -EPROTO);
    pair_end(&pair);
}

/* It hangs up, before the question or after it. */
static void hung_up(void)
{
    attach();
    pair.ring->log.fn = NULL;
    CHECK_EQ(shutdown(pair.served, SHUT_RDWR), 0);
    CHECK_EQ(vmring_quiesce(pair.ring), -ECONNRESET);
    CHECK_EQ(subscribe(), -ECONNRESET);
    CHECK_HAS(error, "no answer");
    pair_end(&pair);

    attach();
    pair.ring->log.fn = NULL;
    CHECK_EQ(shutdown(pair.served, SHUT_WR), 0);
    CHECK_EQ(subscribe(), -ECONNRESET);
    CHECK_EQ(subscribe(), -ECONNRESET);
    pair_end(&pair);
}

int main(void)
{
    subscribed();
    support();
    counts();
    rows_twice();
    late();
    hung_up();
    return 0;
}
