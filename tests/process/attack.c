/* SPDX-License-Identifier: MIT */
#include "attack.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/local/socket.h"

#define HANG 30000000000ULL

struct witness *attack_scene(pid_t *source)
{
    struct witness *w = witness_make();

    w->seed = (unsigned int)now_ns();
    w->deadline = 5000000;
    w->verdicts = XEN_VM_RING_VERDICT_DENY;
    w->hostile = true;
    prctl(PR_SET_TIMERSLACK, 1000); /* it waits often, and not for long */
    *source = source_start(w);
    CHECK(wait_true(w, &w->ready, "the source"));
    return w;
}

unsigned int attack_end(struct witness *w, pid_t source)
{
    struct conduct last = {.seed = 1, .last = true};
    pid_t consumer = consumer_start(w, &last);
    unsigned int violations;

    wait_true(w, &w->settled, "the last consumer");
    w->stop = 1;
    WITNESS(w, reap(w, consumer) == 0, "the last consumer");
    WITNESS(w, reap(w, source) == 0, "the source");
    check_witness(w);
    violations = w->violations;
    witness_drop(w);
    return violations;
}

static unsigned int all_raised(const struct witness *w)
{
    unsigned int sum = 0;

    for (unsigned int v = 0; v < W_VCPUS; v++)
        sum += w->vcpu[v].raised + w->vcpu[v].pushed;
    return sum;
}

void goes_on(struct witness *w, unsigned int turns)
{
    unsigned long from = w->turns, rounds = w->rounds;
    unsigned int raised = all_raised(w);
    uint64_t until = now_ns() + HANG;

    while (w->turns < from + turns || w->rounds < rounds + turns ||
           all_raised(w) == raised) {
        if (now_ns() > until) {
            WITNESS(w, now_ns() < until, "the producer is held: %lu turns",
                    w->turns - from);
            return;
        }
        sleep_ns(20000);
    }
}

void probe(struct witness *w)
{
    uint64_t until = now_ns() + HANG;

    w->probe = 1;
    while (w->probe && now_ns() < until)
        sleep_ns(20000);
    WITNESS(w, !w->probe, "the producer does not turn");
}

/* ------------------------------------------------------------ a consumer -- */

static void take_frozen(struct hostile *h, const int *fds)
{
    for (unsigned int i = 0; i < XEN_VM_RING_MAX_PREV; i++) {
        uint64_t len = h->accept.prev_p_len[i];
        void *at;

        if (!len)
            break;
        at = mmap(NULL, len, PROT_READ, MAP_SHARED, fds[i], 0);
        CHECK(at != MAP_FAILED);
        check_region(h->w, at, true);
        munmap(at, len);
        close(fds[i]);
    }
    CHECK_EQ(socket_send(h->control, VMRING_LOCAL_DRAINED, NULL, 0, NULL, 0),
             0);
}

static void connect_and_propose(struct hostile *h, uint32_t policy, int *fds,
                                unsigned int *nr)
{
    struct xen_vm_ring_propose propose = wired_propose();
    uint64_t until = now_ns() + HANG;

    propose.policy = policy;
    propose.async_len = W_VCPUS * 4 * 448;
    propose.record_len = 448;
    propose.nr_groups = 2;
    propose.verdicts = h->w->verdicts;
    for (;;) {
        h->control = wired_connect(h->w->path);
        h->accept = wired_ask(h->control, &propose, fds, nr);
        if (h->accept.result != XEN_VM_RING_REFUSED_BUSY || now_ns() > until)
            break;
        close(h->control);
        sleep_ns(20000);
    }
    CHECK_EQ(h->accept.result, XEN_VM_RING_ACCEPTED);
}

void hostile_attach(struct hostile *h, struct witness *w, uint32_t policy)
{
    int fds[VMRING_LOCAL_MAX_FDS];
    unsigned int nr = 0, before = 0;
    uint64_t until = now_ns() + HANG;

    *h = (struct hostile){.w = w, .seed = (unsigned int)now_ns()};
    connect_and_propose(h, policy, fds, &nr);
    while (before < XEN_VM_RING_MAX_PREV && h->accept.prev_p_len[before])
        before++;
    CHECK_EQ(nr, 2 + before + h->accept.nr_groups);
    h->p_fd = fds[0];
    h->c_fd = fds[1];
    h->p = mmap(NULL, h->accept.p_len, PROT_READ, MAP_SHARED, h->p_fd, 0);
    h->c = mmap(NULL, h->accept.c_len, PROT_READ | PROT_WRITE, MAP_SHARED,
                h->c_fd, 0);
    CHECK(h->p != MAP_FAILED && h->c != MAP_FAILED);
    for (unsigned int i = 2 + before; i < nr; i++)
        h->bells[h->nr_bells++] = fds[i];
    CHECK(vmr_geometry_read(&h->geo, (const void *)h->p, h->accept.p_len,
                            h->accept.c_len));
    h->memory = calloc(1, vmr_consumer_size(&h->geo));
    CHECK(h->memory);
    vmr_consumer_init(&h->rx, &h->geo, h->memory, h->p, h->c);
    /* The source's note of the epoch's begin comes just after it accepts. */
    while (w->epochs < h->geo.epoch && now_ns() < until)
        sleep_ns(20000);
    take_frozen(h, fds + 2);
}

void hostile_leave(struct hostile *h)
{
    close(h->control);
    close(h->p_fd);
    close(h->c_fd);
    for (unsigned int i = 0; i < h->nr_bells; i++)
        if (h->bells[i] >= 0)
            close(h->bells[i]);
    munmap((void *)(uintptr_t)h->p, h->accept.p_len);
    munmap(h->c, h->accept.c_len);
    free(h->memory);
}

void hostile_traffic(struct hostile *h, unsigned int events)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    for (unsigned int i = 0; i < events; i++) {
        uint32_t group = i % h->geo.nr_groups;
        struct xen_vm_ring_response response;
        enum vmr_next next = vmr_consumer_next(&h->rx, group, &event, &where);

        /* Records are overwritten under us if our cursor has lied. */
        if (next == VMR_NEXT_BROKEN)
            return;
        if (next != VMR_NEXT_REQUEST)
            continue;
        response = (struct xen_vm_ring_response){.reason = event.reason};
        (void)vmr_consumer_answer(&h->rx, where, event.state, &response);
        if (vmr_consumer_flush(&h->rx, group) && h->bells[group] >= 0)
            doorbell_ring(h->bells[group]);
    }
}

/* --------------------------------------------------------------- attacks -- */

struct again {
    struct hostile *h;
    void (*fn)(struct hostile *h);
    int stop;
};

static void *call_again(void *arg)
{
    struct again *again = arg;

    /* Once at least, even if this thread is the last to run. */
    do
        again->fn(again->h);
    while (!__atomic_load_n(&again->stop, __ATOMIC_RELAXED));
    return NULL;
}

void while_again(struct hostile *h, void (*fn)(struct hostile *h),
                 unsigned int turns)
{
    struct again again = {h, fn, 0};
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, call_again, &again), 0);
    goes_on(h->w, turns);
    __atomic_store_n(&again.stop, 1, __ATOMIC_RELAXED);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* What there is when nobody is attached and all frozen Ps are drained. */
static void check_leaks(struct witness *w, const char *after)
{
    static int fds, maps;
    uint64_t until = now_ns() + HANG;

    /* Whoever has just gone is forgotten in one of its next turns. */
    do
        probe(w);
    while ((w->attached || (fds && (w->fds != fds || w->maps != maps))) &&
           now_ns() < until);
    if (!fds) {
        probe(w);
        probe(w);
        fds = w->fds;
        maps = w->maps;
    }
    WITNESS(w, w->fds == fds, "%s: %d descriptors, not %d", after, w->fds, fds);
    WITNESS(w, w->maps == maps, "%s: %d regions, not %d", after, w->maps, maps);
}

void check_alive(struct witness *w, const char *after)
{
    struct conduct conduct = {.seed = 1, .record_len = 64};
    uint64_t until = now_ns() + HANG;
    struct vmring_stats stats = {.size = sizeof(stats)};
    struct vmring *ring;
    int err, ret = 0;

    while (!(ring = consumer_open(w, &conduct, &err)) && err == -EBUSY &&
           now_ns() < until)
        sleep_ns(20000);
    WITNESS(w, ring, "%s: nobody can attach: %d", after, err);
    if (!ring)
        exit(1);
    w->settled = 0;
    do {
        struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};

        if (!consumer_turn(w, &conduct, ring, &ret) && ret == 0)
            (void)poll(&pfd, 1, 1000);
        CHECK_EQ(vmring_get_stats(ring, &stats), 0);
    } while (ret >= 0 && now_ns() < until &&
             !(stats.responses && stats.records && w->settled));
    WITNESS(w, stats.responses && stats.records, "%s: %d, %llu, %llu", after,
            ret, (unsigned long long)stats.responses,
            (unsigned long long)stats.records);
    vmring_close(ring);
}

void check_after(struct witness *w, const char *after)
{
    check_alive(w, after);
    check_leaks(w, after);
}

/* What must have come of it; what grows may take its time. */
static bool came(struct witness *w, const struct vmring_producer_stats *before,
                 unsigned int expects)
{
    probe(w);
    return (!(expects & FAULTS) ||
            w->stats.lane_faults > before->lane_faults) &&
           (!(expects & IGNORED) || w->stats.ignored > before->ignored) &&
           (!(expects & HANGS_UP) || !w->attached);
}

static void check_outcome(struct witness *w, const struct attack *attack,
                          const struct vmring_producer_stats *before)
{
    uint64_t until = now_ns() + HANG;
    unsigned int expects = attack->expects;

    while (!came(w, before, expects) && now_ns() < until)
        sleep_ns(20000);
    WITNESS(w, came(w, before, expects),
            "%s: %llu faults, %llu ignored, attached %d", attack->name,
            (unsigned long long)w->stats.lane_faults,
            (unsigned long long)w->stats.ignored, w->attached);
    if (expects & NO_FAULT)
        WITNESS(w, w->stats.lane_faults == before->lane_faults, "%s",
                attack->name);
    if (!(expects & HANGS_UP))
        WITNESS(w, w->attached, "%s: was hung up on", attack->name);
    if (expects & NO_ANSWER)
        WITNESS(w, w->stats.answered == before->answered, "%s", attack->name);
}

void attack_perform(struct witness *w, const struct attack *attack)
{
    struct vmring_producer_stats before;
    unsigned int violations = w->violations;
    struct hostile h;

    hostile_attach(&h, w, attack->policy);
    probe(w);
    before = w->stats;
    if (attack->once)
        attack->once(&h);
    if (attack->again)
        while_again(&h, attack->again, 30);
    goes_on(w, 5);
    check_outcome(w, attack, &before);
    hostile_leave(&h);
    check_after(w, attack->name);
    if (w->violations != violations)
        fprintf(stderr, "that was: %s\n", attack->name);
}
