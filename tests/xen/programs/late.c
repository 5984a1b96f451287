/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-late: how long a CPU of dom0 has been away: in the kernel, or in
 * Xen, where nothing wakes anybody.
 *
 *   vmring-lab-late CPU
 *
 * Sleeps there for 10 ms at a time, before all others. SIGTERM ends it, and it
 * says "late N ms", how much longer the longest of these was.
 */
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TURN 10000000 /* ns */

static volatile sig_atomic_t ended;

static void end(int signal)
{
    (void)signal;
    ended = 1;
}

static long long now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void settle_on(int cpu)
{
    struct sched_param first = {.sched_priority = 1};
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        err(1, "CPU %d", cpu);
    if (sched_setscheduler(0, SCHED_FIFO, &first))
        err(1, "before all others");
}

int main(int argc, char **argv)
{
    long long longest = 0;

    if (argc != 2)
        errx(2, "which CPU?");
    settle_on(atoi(argv[1]));
    signal(SIGTERM, end);
    while (!ended) {
        struct timespec turn = {.tv_nsec = TURN};
        long long begun = now(), late;

        nanosleep(&turn, NULL);
        late = now() - begun - TURN;
        if (late > longest)
            longest = late;
    }
    printf("late %lld ms\n", longest / 1000000);
    return 0;
}
