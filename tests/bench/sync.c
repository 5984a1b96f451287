/* SPDX-License-Identifier: MIT */
/* sync.c: the contest of round trips, and its cases. */
#include "sync.h"

#include "tables.h"
#include "worker.h"

/* A run, shared by its sides. */
struct run {
    const struct sync_contest *contest;
    void *state, *wake;
    uint64_t run_ns;
    uint64_t pad[16];
    struct bench_barrier start;
    uint64_t pad2[16];
    uint32_t done;
    uint64_t pad3[16];
    uint64_t calls, wrong, ns;
};

static void call_all(void *arg)
{
    struct run *run = arg;
    const struct sync_contest *contest = run->contest;
    uint32_t first = contest->slots - contest->active, slot = first;
    uint64_t number = 0, wrong = 0, began, now, before;

    bench_meet(&run->start);
    /* Each slot once before it counts. */
    for (uint32_t i = 0; i < contest->active + 64; i++) {
        wrong += !contest->ops->call(run->state, slot, ++number);
        slot = slot + 1 == contest->slots ? first : slot + 1;
    }
    before = number;
    began = bench_now();
    do {
        for (int i = 0; i < 32; i++) {
            wrong += !contest->ops->call(run->state, slot, ++number);
            slot = slot + 1 == contest->slots ? first : slot + 1;
        }
        now = bench_now();
    } while (now - began < run->run_ns);
    run->calls = number - before;
    run->ns = now - began;
    run->wrong = wrong;
    __atomic_store_n(&run->done, 1, __ATOMIC_RELEASE);
    if (contest->wake)
        contest->wake->wake(run->wake, SYNC_SERVER);
}

static void serve_all(void *arg)
{
    struct run *run = arg;

    bench_meet(&run->start);
    run->contest->ops->serve(run->state, &run->done);
}

static bool contest_of(struct run *run, const struct bench_case *self,
                       const struct bench_env *env)
{
    int cpu = env->cpus[run->contest->one_cpu ? 0 : 1];
    struct bench_worker caller, server;
    bool well;

    bench_start(&server, self->processes, cpu, serve_all, run);
    bench_start(&caller, self->processes, env->cpus[0], call_all, run);
    well = bench_join(&caller);
    return bench_join(&server) && well;
}

static enum bench_result result_of(const struct run *run, bool well,
                                   struct bench_sample *sample)
{
    if (!well || run->wrong || !run->calls)
        return bench_failed(sample, "%llu of %llu answers are wrong",
                            (unsigned long long)run->wrong,
                            (unsigned long long)run->calls);
    sample->value = (double)run->ns / (double)run->calls;
    return BENCH_OK;
}

enum bench_result sync_run(const struct bench_case *self,
                           const struct bench_env *env,
                           struct bench_sample *sample)
{
    const struct sync_contest *contest = self->arg;
    enum bench_result result = bench_skip(sample, "no memory or descriptors");
    struct run *run = bench_map(sizeof(*run));

    if (!run)
        return result;
    run->contest = contest;
    run->run_ns = env->run_ns;
    run->start.nr = 2;
    run->wake = contest->wake ? contest->wake->make() : NULL;
    if (!contest->wake || run->wake)
        run->state = contest->ops->make(contest, run->wake);
    if (run->state)
        result = result_of(run, contest_of(run, self, env), sample);
    if (run->state)
        contest->ops->end(run->state);
    if (run->wake)
        contest->wake->end(run->wake);
    bench_unmap(run, sizeof(*run));
    return result;
}

/* Both sides spin: the round trip of one slot. */
static const struct sync_contest spin_handoff = {&sync_handoff, NULL, 1, 1,
                                                 false};
static const struct sync_contest spin_apart = {&sync_handoff_apart, NULL, 1, 1,
                                               false};
static const struct sync_contest spin_bits = {&sync_handoff_bits, NULL, 1, 1,
                                              false};
static const struct sync_contest spin_vmring = {&sync_vmring, NULL, 1, 1,
                                                false};

/* The last slot of many, and all of many in turn. */
#define SLOTS(n)                                                               \
    static const struct sync_contest one_##n = {&sync_vmring, NULL, n, 1,      \
                                                false};                        \
    static const struct sync_contest all_##n = {&sync_vmring, NULL, n, n,      \
                                                false};                        \
    static const struct sync_contest limit_##n = {&sync_handoff, NULL, n, n,   \
                                                  false}
SLOTS(64);
SLOTS(512);
SLOTS(4096);

/* Both sides sleep, on CPUs of their own or on the same. */
#define SLEEP(kind)                                                            \
    static const struct sync_contest two_##kind[] = {                          \
        {&sync_handoff, &sync_##kind, 1, 1, false},                            \
        {&sync_vmring, &sync_##kind, 1, 1, false},                             \
    };                                                                         \
    static const struct sync_contest one_##kind[] = {                          \
        {&sync_handoff, &sync_##kind, 1, 1, true},                             \
        {&sync_vmring, &sync_##kind, 1, 1, true},                              \
    }
SLEEP(futex);
SLEEP(eventfd);
SLEEP(socketpair);
SLEEP(socketpair_poll);

#define CASE(group, name, what, flags, processes, contest)                     \
    {                                                                          \
        group, name, "ns", what, sync_run, BENCH_LESS | (flags), 408, 1, 1,    \
            processes, contest                                                 \
    }

#define HANDOFF "limit: a flag and the words, handed there and back"
#define APART   "limit: the same, the flag on a line of its own"
#define BITS    "limit: the same, and a bit each way that tells of it"
#define VMRING  "this ring: post, take, answer, collect"

#define SPIN(group, processes)                                                 \
    CASE(group, "hand-off", HANDOFF, BENCH_REFERENCE, processes,               \
         &spin_handoff),                                                       \
        CASE(group, "hand-off apart", APART, 0, processes, &spin_apart),       \
        CASE(group, "hand-off, bits", BITS, 0, processes, &spin_bits),         \
        CASE(group, "vmring", VMRING, 0, processes, &spin_vmring)

#define BOTH(group, contests)                                                  \
    CASE(group, "hand-off", HANDOFF ", and a wake-up", BENCH_REFERENCE, true,  \
         &(contests)[0]),                                                      \
        CASE(group, "vmring", VMRING ", doorbells", 0, true, &(contests)[1])

static const struct bench_case cases[] = {
    SPIN("sync-threads", false),
    SPIN("sync-processes", true),
    CASE("sync-slots-one", "vmring 64", "the last of 64 vCPUs asks",
         BENCH_REFERENCE, false, &one_64),
    CASE("sync-slots-one", "vmring 512", "the last of 512 vCPUs asks", 0, false,
         &one_512),
    CASE("sync-slots-one", "vmring 4096", "the last of 4096 vCPUs asks", 0,
         false, &one_4096),
    CASE("sync-slots-all", "vmring 64", "64 vCPUs ask in turn", BENCH_REFERENCE,
         false, &all_64),
    CASE("sync-slots-all", "vmring 512", "512 vCPUs ask in turn", 0, false,
         &all_512),
    CASE("sync-slots-all", "vmring 4096", "4096 vCPUs ask in turn", 0, false,
         &all_4096),
    CASE("sync-slots-all", "hand-off 64", "limit: 64 hand-offs in turn", 0,
         false, &limit_64),
    CASE("sync-slots-all", "hand-off 512", "limit: 512 hand-offs in turn", 0,
         false, &limit_512),
    CASE("sync-slots-all", "hand-off 4096", "limit: 4096 hand-offs in turn", 0,
         false, &limit_4096),
    BOTH("sync-futex", two_futex),
    BOTH("sync-eventfd", two_eventfd),
    BOTH("sync-socketpair", two_socketpair),
    BOTH("sync-socketpair-poll", two_socketpair_poll),
    BOTH("sync-futex-one-cpu", one_futex),
    BOTH("sync-eventfd-one-cpu", one_eventfd),
    BOTH("sync-socketpair-one-cpu", one_socketpair),
    BOTH("sync-socketpair-poll-one-cpu", one_socketpair_poll),
};

const struct bench_table sync_cases = {cases, sizeof(cases) / sizeof(cases[0])};
