/* SPDX-License-Identifier: MIT */
/*
 * Description: producers are killed at random instants: their consumer gets
 * what they published, whole, and then -ECONNRESET; and head + lost of each
 * lane is what the dead had attempted, by its own notes.
 *
 * usage: crash_producers [KILLS [SEED]]
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "consumer/ring.h"
#include "witness.h"

static unsigned int seed;
static volatile sig_atomic_t victim;
static unsigned long raised, pushed, published, verdicts, in_flight;
static unsigned long unserved, attaching, attached, epochs;

/* A timer: whatever either side is doing just now. */
static void strike(int signal)
{
    (void)signal;
    kill(victim, SIGKILL);
}

static void strike_within(unsigned int us)
{
    struct itimerval timer = {.it_value = {.tv_usec = 1 + roll(&seed, us)}};

    CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void check_notes(struct witness *w, bool complete)
{
    for (unsigned int v = 0; v < W_VCPUS; v++) {
        const struct w_vcpu *vcpu = &w->vcpu[v];

        for (unsigned int i = 1; i <= vcpu->raised; i++) {
            WITNESS(w, vcpu->verdicts[i] <= 1, "%u", i);
            WITNESS(w, !(vcpu->requests[i] & UNMARKED), "%u", i);
            verdicts += vcpu->verdicts[i];
        }
        for (unsigned int i = 1; i <= vcpu->pushed; i++) {
            unsigned char notes = vcpu->records[i];
            bool had =
                notes & SEEN || (w->policy == XEN_VM_RING_POLICY_OVERWRITE &&
                                 (notes & TOLD_LOST));

            WITNESS(w, !complete || !(notes & PUBLISHED) || had,
                    "record %u of vCPU %u is missing", i, v);
            /* Only the last can lack the note that it had gone out. */
            WITNESS(w, (notes & PUBLISHED) || !(notes & SEEN) || i > vcpu->done,
                    "record %u of vCPU %u had found no room", i, v);
            WITNESS(w, !(notes & (UNMARKED | UNCAUSED)), "%u", i);
            published += (notes & PUBLISHED) != 0;
        }
        raised += vcpu->raised;
        pushed += vcpu->pushed;
        in_flight += vcpu->pushed - vcpu->done + vcpu->raised - vcpu->posted;
    }
    epochs += w->epochs;
}

static bool is_dead(struct witness *w)
{
    int status;

    if (waitpid(victim, &status, WNOHANG) != victim)
        return false;
    WITNESS(w, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%d",
            status);
    return true;
}

/* Attaches; NULL: the producer has died meanwhile. */
static struct vmring *attach(struct witness *w, const struct conduct *conduct)
{
    struct vmring *ring;
    int err;

    while (!(ring = consumer_open(w, conduct, &err))) {
        bool dead = is_dead(w);

        /* It does not serve yet, or looks at our last answers. */
        if (err == -ENOENT || err == -ECONNREFUSED)
            unserved += dead;
        else if (err != -EBUSY && err != -EINTR)
            WITNESS(w, err == -ECONNRESET || err == -EPIPE, "%d", err);
        attaching += dead;
        if (dead)
            return NULL;
        sched_yield();
    }
    return ring;
}

/*
 * Takes events until the producer is dead, or enough of them.  What
 * vmring_next() ended with; 0: enough.
 */
static int consume(struct witness *w, const struct conduct *conduct,
                   struct vmring *ring)
{
    unsigned int nr = 0;
    int ret = 0;

    while (!conduct->leave || nr++ < conduct->leave) {
        struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};

        if (consumer_turn(w, conduct, ring, &ret))
            continue;
        if (ret < 0)
            return ret;
        (void)poll(&pfd, 1, -1);
    }
    return 0;
}

static void meet(struct witness *w, const struct conduct *conduct)
{
    static const unsigned int within_us[] = {50, 500, 3000};
    bool early = roll(&seed, 3) == 0;
    struct vmring *ring;
    int ret;

    if (early)
        strike_within(2000);
    do {
        ring = attach(w, conduct);
        if (!ring) {
            check_notes(w, false);
            return;
        }
        if (!early)
            strike_within(within_us[roll(&seed, 3)]);
        early = true;
        ret = consume(w, conduct, ring);
        if (ret) {
            attached++;
            WITNESS(w, ret == -ECONNRESET, "vmring_next: %d", ret);
            while (!is_dead(w))
                sched_yield();
            check_region(w, ring->p.at, false);
            check_notes(w, true);
        }
        vmring_close(ring);
        w->left[w->sessions % W_EPOCHS] = 1;
    } while (!ret);
}

static unsigned int kill_one(unsigned int nr)
{
    struct witness *w = witness_make();
    struct conduct conduct = {
        .seed = roll(&seed, 1u << 24),
        .mute = roll(&seed, 6) == 0,
        .leave = roll(&seed, 2) ? 0 : 1 + roll(&seed, 100),
        .nr_groups = 1 + roll(&seed, W_VCPUS),
        .record_len = roll(&seed, 2) ? 448 : 64,
        .async_len = roll(&seed, 2) ? W_VCPUS * 2 * 448 : 16384,
    };
    unsigned int violations;

    w->seed = roll(&seed, 1u << 24);
    w->policy =
        nr % 2 ? XEN_VM_RING_POLICY_OVERWRITE : XEN_VM_RING_POLICY_DISCARD;
    w->deadline = roll(&seed, 2) ? 1000000 : W_DEADLINE;
    w->verdicts = XEN_VM_RING_VERDICT_DENY;
    victim = source_start(w);
    meet(w, &conduct);
    violations = w->violations;
    witness_drop(w);
    return violations;
}

int main(int argc, char **argv)
{
    unsigned int kills = argc > 1 ? (unsigned int)atoi(argv[1]) : 60;
    unsigned int violations = 0;
    uint64_t began = now_ns();

    seed = argc > 2 ? (unsigned int)atoi(argv[2]) : (unsigned int)now_ns();
    printf("seed %u\n", seed);
    CHECK(signal(SIGALRM, strike) != SIG_ERR);
    for (unsigned int i = 0; i < kills && !violations; i++)
        violations = kill_one(i);
    printf("%u producers killed in %.1f s: %lu before they served, %lu more "
           "while somebody attached, %lu later\n",
           kills, (double)(now_ns() - began) / 1e9, unserved,
           attaching - unserved, attached);
    printf("%lu requests, %lu verdicts; %lu records, %lu published; %lu were "
           "cut short; %lu epochs\n",
           raised, verdicts, pushed, published, in_flight, epochs);
    return violations != 0;
}
