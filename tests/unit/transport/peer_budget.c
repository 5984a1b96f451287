/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that rings or asks without end, over a socket, is
 * heard a bounded number of times, and nothing it says is lost; one that
 * answers what it was asked is heard each time; one that leaves while it is not
 * heard is seen to be gone.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <vmring_local.h>

#include "base/clock.h"
#include "by_hand.h"
#include "consumer/ring.h"
#include "pair.h"
#include "transport/budget.h"
#include "transport/local/socket.h"

#define SECOND  1000000000ULL
#define WAIT_MS 10000

static struct pair pair;

/* Not poll(), which serves when it waits. */
static bool is_readable(int ms)
{
    struct pollfd pfd = {vmring_producer_fd(pair.producer), POLLIN, 0};
    const struct timespec wait = {ms / 1000, ms % 1000 * 1000000L};

    return ppoll(&pfd, 1, &wait, NULL) == 1;
}

static void begin(void)
{
    struct vmring_producer_opts opts = pair_opts();

    pair_make(&pair, &opts);
}

static uint64_t heard(void)
{
    struct vmring_producer_stats stats = {.size = sizeof(stats)};

    CHECK_EQ(vmring_producer_get_stats(pair.producer, &stats), 0);
    return stats.doorbells_received;
}

/* So often, since then, and what each of two bells may be heard beyond. */
static uint64_t most(uint64_t from, uint64_t burst, uint64_t rate)
{
    return burst + 2 + rate * (clock_ns() - from) / SECOND;
}

static void at_the_rate(uint64_t (*spend)(struct budget *, uint64_t),
                        unsigned int burst, uint64_t each)
{
    struct budget budget = {0};

    for (unsigned int i = 0; i < burst; i++)
        CHECK_EQ(spend(&budget, SECOND), 0);
    CHECK_EQ(spend(&budget, SECOND), each);
    CHECK_EQ(spend(&budget, SECOND), 2 * each);
    /* What was waited is paid; a burst is there again after as long. */
    CHECK_EQ(spend(&budget, SECOND + 3 * each), 0);
    CHECK_EQ(spend(&budget, SECOND + 3 * each), each);
    for (unsigned int i = 0; i < burst; i++)
        CHECK_EQ(spend(&budget, 10 * SECOND), 0);
    CHECK_EQ(spend(&budget, 10 * SECOND), each);
}

/* A burst of them at most, and no time adds to it. */
static void earned(void)
{
    struct budget budget = {0};

    for (unsigned int i = 0; i < 3 * BELLS_BURST; i++)
        budget_earn(&budget);
    for (unsigned int i = 0; i < 2 * BELLS_BURST; i++)
        CHECK_EQ(budget_ring(&budget, SECOND), 0);
    CHECK(budget_ring(&budget, SECOND) > 0);
    budget_earn(&budget);
    CHECK_EQ(budget_ring(&budget, SECOND), 0);
    CHECK(budget_ring(&budget, SECOND) > 0);
}

static void pauses(void)
{
    int timer = pause_open();
    struct pollfd pfd = {timer, POLLIN, 0};
    uint64_t before = clock_ns();

    CHECK(timer >= 0);
    CHECK(!pause_is_over(timer));
    pause_begin(timer, 1);
    CHECK_EQ(poll(&pfd, 1, WAIT_MS), 1);
    CHECK(clock_ns() - before >= SECOND / 1000);
    CHECK(pause_is_over(timer));
    CHECK(!pause_is_over(timer));
    pause_begin(timer, SECOND / 100);
    pause_begin(timer, 3600 * SECOND);
    before = clock_ns();
    CHECK_EQ(poll(&pfd, 1, WAIT_MS), 1);
    CHECK(pause_is_over(timer));
    CHECK(clock_ns() - before < WAIT_MS / 1000 * SECOND);
    close(timer);
}

/* Until nothing wakes it; how many turns that took. */
static unsigned int turns(unsigned int limit)
{
    unsigned int nr = 0;

    while (is_readable(0)) {
        CHECK(nr++ < limit);
        pair_serve();
    }
    return nr;
}

/* As often as it is listened to: turns are what it costs. */
static void rings_without_end(void)
{
    uint64_t from = clock_ns(), nr = 0;
    uint64_t before;

    begin();
    pair_attach(&pair, &(struct vmring_opts){.size = sizeof(struct vmring_opts),
                                             .nr_groups = 2});
    for (int i = 0; i < 20 * BELLS_BURST; i++) {
        pair.ring->link->ops->kick(pair.ring->link, 0);
        pair.ring->link->ops->kick(pair.ring->link, 1);
        nr += turns(100);
    }
    /* And a turn for each time that it is listened to again. */
    CHECK(nr <= most(from, BELLS_BURST, BELLS_PER_SECOND + 1000));
    CHECK(heard() <= most(from, BELLS_BURST, BELLS_PER_SECOND));
    CHECK(heard() >= BELLS_BURST);
    /* It has been quiet; what it rings then is heard. */
    while (is_readable(200))
        pair_serve();
    before = heard();
    pair.ring->link->ops->kick(pair.ring->link, 1);
    while (heard() == before) {
        CHECK(is_readable(WAIT_MS));
        pair_serve();
    }
    pair_end(&pair);
}

/* Each ring tells of an answer: it does not wait, though it is many. */
static void answers(void)
{
    uint64_t before;

    begin();
    pair_attach(&pair,
                &(struct vmring_opts){.size = sizeof(struct vmring_opts),
                                      .verdicts = XEN_VM_RING_VERDICT_DENY});
    pair_serve();
    before = heard();
    for (int i = 0; i < 8 * BELLS_BURST; i++) {
        struct xen_vm_ring_event cr4 = pair_event(4, 0);
        struct xen_vm_ring_response response;
        struct vmring_event event;

        CHECK_EQ(vmring_producer_post(pair.producer, &cr4, 77), 0);
        pair_serve();
        CHECK_EQ(vmring_next(pair.ring, &event), 1);
        vmring_neutral(&event, &response);
        CHECK_EQ(vmring_respond(pair.ring, &event, &response), 0);
        vmring_flush(pair.ring);
        CHECK(is_readable(0));
        pair_serve();
    }
    CHECK_EQ(heard() - before, 8 * BELLS_BURST);
    pair_end(&pair);
}

static unsigned int answers_to(int control)
{
    unsigned char body[VMRING_LOCAL_MAX];
    unsigned int nr = 0;
    uint32_t type;

    while (socket_recv(control, &type, body, sizeof(body) - 8, NULL, 0, NULL) >=
           0)
        nr++;
    return nr;
}

static void ask(int control)
{
    CHECK_EQ(socket_send(control, VMRING_LOCAL_SUPPORTED, NULL, 0, NULL, 0), 0);
}

static int attach_by_hand(void)
{
    int control = pair_connect(&pair);

    by_hand_propose(control, 0, 1);
    pair_serve();
    CHECK(vmring_producer_attached(pair.producer));
    CHECK_EQ(answers_to(control), 1);
    return control;
}

/* Asks whenever it was answered. */
static void asks_without_end(void)
{
    uint64_t from = clock_ns();
    unsigned int nr = 0, asked = 1;
    int control;

    begin();
    control = attach_by_hand();
    ask(control);
    for (int i = 0; i < 8 * MESSAGES_BURST; i++) {
        unsigned int more;

        (void)turns(100);
        more = answers_to(control);
        for (nr += more; more; more--, asked++)
            ask(control);
    }
    CHECK(nr >= MESSAGES_BURST - 2);
    CHECK(nr <= most(from, MESSAGES_BURST, MESSAGES_PER_SECOND));
    while (nr < asked) {
        CHECK(is_readable(WAIT_MS));
        pair_serve();
        nr += answers_to(control);
    }
    CHECK_EQ(nr, asked);
    close(control);
    while (is_readable(0))
        pair_serve();
    CHECK(!vmring_producer_attached(pair.producer));
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
}

/* With more on its way than it may say: it is taken, and the end is seen. */
static void leaves_unheard(void)
{
    begin();
    pair_attach(&pair, NULL);
    for (int i = 0; i < 8 * MESSAGES_BURST; i++) {
        (void)pair.ring->link->ops->send(pair.ring->link, VMRING_LOCAL_DRAINED,
                                         NULL, 0);
        pair.ring->link->ops->kick(pair.ring->link, 0);
        (void)turns(100);
    }
    for (int i = 0; i < 8 * BELLS_BURST; i++) {
        pair.ring->link->ops->kick(pair.ring->link, 0);
        (void)turns(100);
    }
    vmring_close(pair.ring);
    pair.ring = NULL;
    (void)turns(1000);
    CHECK(!vmring_producer_attached(pair.producer));
    /* Nothing is left of it that the end of the pause could meet. */
    pair_attach(&pair, NULL);
    while (is_readable(200))
        pair_serve();
    pair_end(&pair);
}

int main(void)
{
    at_the_rate(budget_ring, BELLS_BURST, SECOND / BELLS_PER_SECOND);
    at_the_rate(budget_ask, MESSAGES_BURST, SECOND / MESSAGES_PER_SECOND);
    earned();
    pauses();
    rings_without_end();
    answers();
    asks_without_end();
    leaves_unheard();
    return 0;
}
