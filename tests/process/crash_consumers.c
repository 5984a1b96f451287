/* SPDX-License-Identifier: MIT */
/*
 * Description: consumers are killed at random instants, their successors too:
 * each event is delivered or counted, each request has one verdict in time,
 * what comes twice says so, and no wake-up is lost.
 *
 * usage: crash_consumers [KILLS [SEED]]
 */
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "witness.h"

#define A_SCENE 50 /* kills of one source's consumers */

static unsigned int seed;
static unsigned long died_in[NR_PHASES];
static unsigned long raised, pushed, by[8], unpublished, drained, reposted,
    twice, steps, frozen_checked, armings, doorbells, detached;

static const char *const phases[NR_PHASES] = {
    "started", "attaching", "draining",  "holding a request", "having answered",
    "reading", "asleep",    "detaching", "detached",
};

/* Every scene is another mix. */
static struct witness *scene_make(unsigned int nr)
{
    static const uint64_t deadlines[] = {200000, 2000000, 20000000, W_DEADLINE};
    struct witness *w = witness_make();

    w->seed = roll(&seed, 1u << 24);
    w->policy =
        nr % 2 ? XEN_VM_RING_POLICY_OVERWRITE : XEN_VM_RING_POLICY_DISCARD;
    w->lockstep = nr % 3 == 2;
    w->deadline = w->lockstep ? W_DEADLINE : deadlines[roll(&seed, 4)];
    w->pause = w->deadline != W_DEADLINE && roll(&seed, 3) == 0;
    w->verdicts = roll(&seed, 2) ? XEN_VM_RING_VERDICT_DENY : 0;
    return w;
}

static struct conduct conduct_make(const struct witness *w)
{
    static const uint64_t lens[] = {W_VCPUS * 2 * 448, 16384, 65536};
    struct conduct conduct = {
        .seed = roll(&seed, 1u << 24),
        .mute = !w->lockstep && roll(&seed, 6) == 0,
        .leave = roll(&seed, 3) ? 0 : 1 + roll(&seed, 100),
        .nr_groups = 1 + roll(&seed, W_VCPUS),
        .record_len = roll(&seed, 2) ? 448 : 64,
        .async_len = lens[roll(&seed, 3)],
    };

    return conduct;
}

/* Until it is where it is to die, or has not come there for a while. */
static void await_phase(struct witness *w, int phase)
{
    uint64_t until = now_ns() + 4000000;

    while (w->phase != phase && now_ns() < until)
        sched_yield();
}

/* Short ones awake: a sleep takes longer than what is to be hit. */
static void wait_up_to(unsigned int us)
{
    uint64_t ns = roll(&seed, us * 1000), until = now_ns() + ns;

    if (us > 50)
        sleep_ns(ns);
    while (now_ns() < until)
        ;
}

/*
 * A consumer that has slept through a wake-up is not to be saved by its death:
 * in lockstep it gets on, alive.
 */
static void await_steps(struct witness *w)
{
    unsigned long from = w->rounds;
    uint64_t until = now_ns() + 30000000000ULL;

    while (w->rounds < from + 50 && now_ns() < until)
        sleep_ns(50000);
    WITNESS(w, w->rounds >= from + 50, "%lu steps in 30 s", w->rounds - from);
}

static void kill_one(struct witness *w, unsigned int nr)
{
    static const unsigned int within_us[] = {1, 5, 30, 500};
    struct conduct conduct = conduct_make(w);
    pid_t pid = consumer_start(w, &conduct);
    int status;

    /* Too many deaths in a row while draining, and records are given up. */
    if (nr % 4 == 3)
        wait_true(w, &w->settled, "a consumer to have drained");
    if (nr % 4 == 3 && w->lockstep)
        await_steps(w);
    await_phase(w, (int)roll(&seed, NR_PHASES));
    wait_up_to(within_us[roll(&seed, 4)]);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid);
    WITNESS(w, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%d",
            status);
    died_in[w->phase % NR_PHASES]++;
    /* For a while nobody is there: deadlines pass and lanes fill. */
    if (roll(&seed, 4) == 0)
        sleep_ns(roll(&seed, 3000000));
}

static void add_up(const struct witness *w)
{
    for (unsigned int v = 0; v < W_VCPUS; v++) {
        raised += w->vcpu[v].raised;
        pushed += w->vcpu[v].pushed;
    }
    for (unsigned int i = 0; i < 8; i++)
        by[i] += w->by[i];
    for (unsigned int e = 0; e <= w->epochs; e++) {
        armings += w->to_consumer[e].armed + w->to_source[e].armed;
        doorbells += w->to_consumer[e].rung + w->to_source[e].rung;
    }
    for (unsigned int i = 0; i <= w->sessions; i++)
        detached += w->left[i];
    unpublished += w->stats.discarded;
    drained += w->drained;
    reposted += w->reposted;
    twice += w->twice;
    steps += w->lockstep ? w->rounds : 0;
    frozen_checked += w->frozen_checked;
}

static unsigned int run_scene(unsigned int nr, unsigned int kills)
{
    struct witness *w = scene_make(nr);
    struct conduct last = {.seed = 1, .last = true};
    pid_t source, consumer;
    unsigned int violations;

    source = source_start(w);
    wait_true(w, &w->ready, "the source");
    for (unsigned int i = 0; i < kills && !w->violations; i++)
        kill_one(w, i);
    consumer = consumer_start(w, &last);
    wait_true(w, &w->settled, "the last consumer");
    w->stop = 1;
    WITNESS(w, reap(w, consumer) == 0, "the last consumer");
    WITNESS(w, reap(w, source) == 0, "the source");
    check_witness(w);
    add_up(w);
    violations = w->violations;
    if (violations)
        fprintf(stderr, "scene %u: policy %u, %s, deadline %llu ns%s\n", nr,
                w->policy, w->lockstep ? "in steps" : "at full speed",
                (unsigned long long)w->deadline, w->pause ? ", pausing" : "");
    witness_drop(w);
    return violations;
}

int main(int argc, char **argv)
{
    unsigned int kills = argc > 1 ? (unsigned int)atoi(argv[1]) : 60;
    unsigned int done = 0, violations = 0;
    uint64_t began = now_ns();

    seed = argc > 2 ? (unsigned int)atoi(argv[2]) : (unsigned int)now_ns();
    printf("seed %u\n", seed);
    for (unsigned int nr = 0; done < kills && !violations; nr++) {
        unsigned int now = kills - done < A_SCENE ? kills - done : A_SCENE;

        violations = run_scene(nr, now);
        done += now;
    }
    printf("%u consumers killed, %lu detached, in %.1f s\nkilled while", done,
           detached, (double)(now_ns() - began) / 1e9);
    for (int i = 0; i < NR_PHASES; i++)
        printf("%s %s %lu", i ? "," : "", phases[i], died_in[i]);
    printf("\n%lu requests: %lu answered, %lu by deadline, %lu by detach, %lu "
           "by overflow; %lu reposted, %lu overdue\n",
           raised, by[VMRING_BY_CONSUMER], by[VMRING_BY_DEADLINE],
           by[VMRING_BY_DETACH], by[VMRING_BY_OVERFLOW], reposted,
           by[VMRING_OVERDUE]);
    printf("%lu records: %lu lost; %lu drained of %lu frozen Ps; %lu events "
           "came twice\n",
           pushed, unpublished, drained, frozen_checked, twice);
    printf("%lu steps in lockstep; %lu armings, %lu doorbells\n", steps,
           armings, doorbells);
    return violations != 0;
}
