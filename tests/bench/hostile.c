/* SPDX-License-Identifier: MIT */
/*
 * hostile.c: how long a producer is held by one operation, whatever its
 * consumer does.
 *
 * Each operation is timed by itself.  A run times a ring without a consumer's
 * process first, and so knows the unloaded median that its 99.9th percentile
 * is to be compared with, then the same ring with the consumer of the case.
 */
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "pair.h"
#include "tables.h"
#include "worker.h"

#include "core/atomic.h"

enum op { PUSH, PUSH_FLUSH, REQUEST, NOTHING };

/* What the consumer does while the producer is timed. */
enum peer {
    NONE,     /* there is none; the producer's thread drains in between */
    LIVE,     /* drains as fast as it can */
    STOPPED,  /* did so, and was stopped in the middle */
    DEAD,     /* did so, and was killed */
    READS,    /* reads all of P, again and again */
    SCRIBBLES /* writes all of C, again and again */
};

struct subject {
    enum op op;
    enum peer peer;
    uint32_t policy;
};

#define LANE_BYTES (64 * 1024) /* what a ring has by default */
#define BUCKETS    (1 << 16)   /* of one tick of the clock each */

struct distribution {
    uint64_t nr, above;
    uint32_t count[BUCKETS];
};

struct run {
    const struct subject *subject;
    struct pair *pair;
    uint32_t nr_ops;
    struct distribution floor; /* of timing nothing */
    struct distribution quiet, loaded;
    uint64_t ticks, ns; /* of all, to convert */
    int cpu;            /* the consumer's */
    bool wrong;
    uint64_t pad[16];
    uint32_t go; /* the consumer has begun */
};

/* Ordered: neither what is before nor what is after slips across. */
static inline uint64_t ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    uint64_t now;

    __builtin_ia32_lfence();
    now = __builtin_ia32_rdtsc();
    __builtin_ia32_lfence();
    return now;
#else
    return bench_now();
#endif
}

static void note(struct distribution *to, uint64_t took)
{
    to->nr++;
    if (took < BUCKETS)
        to->count[took]++;
    else
        to->above++;
}

/* In ticks; beyond the buckets their end. */
static double quantile(const struct distribution *of, double q)
{
    uint64_t want = (uint64_t)((double)of->nr * q), seen = 0;

    for (uint32_t i = 0; i < BUCKETS; i++) {
        seen += of->count[i];
        if (seen > want)
            return i;
    }
    return BUCKETS;
}

static bool request(struct vmr_producer *tx, uint64_t now)
{
    struct vmr_request request;
    struct vmr_verdict verdict;
    uint32_t verdicts = 0;
    bool posted;

    memset(&request, 0, sizeof(request));
    request.event.reason = XEN_VM_RING_REASON_CPUID;
    request.event.length = XEN_VM_RING_EVENT_FULL;
    request.deadline = now;
    posted = vmr_producer_post(tx, &request);
    (void)vmr_producer_flush(tx);
    /* Its deadline passes at once: no consumer is as fast as that. */
    while (vmr_producer_collect(tx, now, &verdict))
        verdicts++;
    return posted && verdicts == 1;
}

static void time_one(struct run *run, enum op op,
                     struct xen_vm_ring_event *event, struct distribution *to)
{
    struct vmr_producer *tx = &run->pair->tx;
    uint64_t began;

    event->u.words[0]++;
    began = ticks();
    switch (op) {
    case PUSH:
        (void)vmr_producer_push(tx, 0, event);
        break;
    case PUSH_FLUSH:
        (void)vmr_producer_push(tx, 0, event);
        (void)vmr_producer_flush(tx);
        break;
    case REQUEST:
        run->wrong |= !request(tx, event->u.words[0]);
        break;
    case NOTHING:
        break;
    }
    note(to, ticks() - began);
}

static void drain(struct pair *pair)
{
    struct xen_vm_ring_event event;
    enum vmr_next next;
    uint32_t where;

    do
        next = vmr_consumer_next(&pair->rx, 0, &event, &where);
    while (next != VMR_NEXT_NONE && next != VMR_NEXT_BROKEN);
}

/* What is done in between is not timed. */
static void time_all(struct run *run, enum op op, struct distribution *to,
                     bool alone)
{
    struct xen_vm_ring_event event;

    memset(&event, 0, sizeof(event));
    event.reason = XEN_VM_RING_REASON_MOV_TO_MSR;
    event.length = XEN_VM_RING_EVENT_HEAD;
    for (uint32_t i = 0; i < run->nr_ops; i++) {
        time_one(run, op, &event, to);
        if (op == PUSH)
            (void)(i % 64 == 63 && vmr_producer_flush(&run->pair->tx));
        if (alone && i % 512 == 511)
            drain(run->pair);
    }
}

/* The consumer has begun; it does not outlive who started it. */
static void begin(struct run *run)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    __atomic_store_n(&run->go, 1, __ATOMIC_RELEASE);
}

static void consume(void *arg)
{
    struct run *run = arg;

    begin(run);
    for (;;) {
        drain(run->pair);
        bench_relax();
    }
}

static void read_all(void *arg)
{
    struct run *run = arg;
    const xen_vm_ring_u64 *p = (const void *)run->pair->p;
    uint64_t nr = run->pair->geo.p_len / 8;

    begin(run);
    for (;;)
        for (uint64_t i = 0; i < nr; i += 8)
            (void)vmr_load_relaxed(&p[i]); /* atomic: it is not left out */
}

/* Mostly the few lines that a producer looks at, and each word of them. */
static void scribble(void *arg)
{
    struct run *run = arg;
    const struct vmr_geometry *geo = &run->pair->geo;
    unsigned char *c = run->pair->c;
    uint64_t nr = geo->c_len / 8, seed = 1;

    begin(run);
    for (;;) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        vmr_store_relaxed((void *)(c + seed % nr * 8), seed);
        vmr_store_relaxed((void *)(c + geo->cursor_off), seed >> 32);
        vmr_store_relaxed((void *)(c + geo->c_group_off), seed & 1);
        vmr_store_relaxed((void *)(c + geo->c_group_off + geo->attn_lane_off),
                          0);
    }
}

static void start_peer(struct run *run, struct bench_worker *peer)
{
    void (*fn)(void *) = consume;

    if (run->subject->peer == NONE)
        return;
    if (run->subject->peer == READS)
        fn = read_all;
    if (run->subject->peer == SCRIBBLES)
        fn = scribble;
    bench_start(peer, true, run->cpu, fn, run);
    while (!__atomic_load_n(&run->go, __ATOMIC_ACQUIRE))
        sched_yield();
    if (run->subject->peer == STOPPED)
        kill(peer->pid, SIGSTOP);
    if (run->subject->peer == DEAD)
        kill(peer->pid, SIGKILL);
}

static void stop_peer(const struct run *run, struct bench_worker *peer)
{
    if (run->subject->peer == NONE)
        return;
    kill(peer->pid, SIGKILL);
    (void)bench_join(peer);
}

static void produce(void *arg)
{
    struct run *run = arg;
    enum op op = run->subject->op;
    uint64_t began_ns = bench_now(), began = ticks();
    struct bench_worker peer; /* not shared: the child writes to its own */

    time_all(run, NOTHING, &run->floor, true);
    time_all(run, op, &run->quiet, true);
    start_peer(run, &peer);
    time_all(run, op, &run->loaded, run->subject->peer == NONE);
    stop_peer(run, &peer);
    run->ticks = ticks() - began;
    run->ns = bench_now() - began_ns;
}

/* The time of timing itself is taken off. */
static void sum_up(const struct run *run, struct bench_sample *sample)
{
    double ns = (double)run->ns / (double)run->ticks;
    double floor = quantile(&run->floor, 0.5);
    double quiet = (quantile(&run->quiet, 0.5) - floor) * ns;

    sample->value = (quantile(&run->loaded, 0.999) - floor) * ns;
    bench_extra(sample, "p50", (quantile(&run->loaded, 0.5) - floor) * ns);
    bench_extra(sample, "p99", (quantile(&run->loaded, 0.99) - floor) * ns);
    bench_extra(sample, "unloaded-p50", quiet);
    if (quiet > 0)
        bench_extra(sample, "times", sample->value / quiet);
    bench_extra(sample, "noise-p99.9",
                (quantile(&run->floor, 0.999) - floor) * ns);
}

static enum bench_result run_subject(const struct bench_case *self,
                                     const struct bench_env *env,
                                     struct bench_sample *sample)
{
    const struct subject *subject = self->arg;
    struct pair_plan plan = {.nr_vcpus = 1,
                             .policy = subject->policy,
                             .record_len = XEN_VM_RING_MIN_RECORD,
                             .async_len = LANE_BYTES};
    struct run *run = bench_map(sizeof(*run));
    struct bench_worker producer;
    enum bench_result result = BENCH_OK;

    if (!run || !(run->pair = pair_make(&plan))) {
        bench_unmap(run, sizeof(*run));
        return bench_skip(sample, "no memory");
    }
    run->subject = subject;
    run->cpu = env->cpus[1];
    run->nr_ops = env->quick ? 4000 : 100000;
    bench_start(&producer, false, env->cpus[0], produce, run);
    bench_join(&producer);
    if (run->wrong)
        result = bench_failed(sample, "a request had no verdict in time");
    else
        sum_up(run, sample);
    pair_end(run->pair);
    bench_unmap(run, sizeof(*run));
    return result;
}

#define SUBJECTS(name, op, policy)                                             \
    static const struct subject name[] = {                                     \
        {op, NONE, policy}, {op, LIVE, policy},  {op, STOPPED, policy},        \
        {op, DEAD, policy}, {op, READS, policy}, {op, SCRIBBLES, policy},      \
    }
SUBJECTS(discard, PUSH, XEN_VM_RING_POLICY_DISCARD);
SUBJECTS(overwrite, PUSH, XEN_VM_RING_POLICY_OVERWRITE);
SUBJECTS(flush, PUSH_FLUSH, XEN_VM_RING_POLICY_DISCARD);
SUBJECTS(requests, REQUEST, XEN_VM_RING_POLICY_DISCARD);

#define CASE(group, name, what, flags, subject)                                \
    {                                                                          \
        group, name, "ns", "99.9th percentile: " what, run_subject,            \
            BENCH_LESS | (flags), 64, 1, 1, true, subject                      \
    }

#define CASES(group, subjects)                                                 \
    CASE(group, "no other process", "drained by the producer itself",          \
         BENCH_REFERENCE, &(subjects)[NONE]),                                  \
        CASE(group, "live", "a consumer that keeps up", 0, &(subjects)[LIVE]), \
        CASE(group, "stopped", "SIGSTOP in the middle", 0,                     \
             &(subjects)[STOPPED]),                                            \
        CASE(group, "dead", "SIGKILL in the middle", 0, &(subjects)[DEAD]),    \
        CASE(group, "reads all", "it reads all of P without end", 0,           \
             &(subjects)[READS]),                                              \
        CASE(group, "scribbles", "it writes all of C without end", 0,          \
             &(subjects)[SCRIBBLES])

static const struct bench_case cases[] = {
    CASES("hostile-push", discard),
    CASES("hostile-push-overwrite", overwrite),
    CASES("hostile-push-flush", flush),
    CASES("hostile-request", requests),
};

const struct bench_table hostile_cases = {cases,
                                          sizeof(cases) / sizeof(cases[0])};
