/* SPDX-License-Identifier: MIT */
/*
 * worker.h: a run's two sides, as pinned threads or as processes; memory that
 * either kind shares; a barrier for their start; the clock.
 */
#ifndef VMRING_BENCH_WORKER_H
#define VMRING_BENCH_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Zeroed memory, whole pages, all of them there, that processes started
 * later share.  NULL: there is not that much.
 */
void *bench_map(size_t len);
void bench_unmap(void *at, size_t len);

struct bench_worker {
    void (*fn)(void *);
    void *arg;
    int cpu;
    pthread_t thread;
    pid_t pid; /* 0: a thread */
};

/*
 * Runs fn(arg) on a CPU of its own, or anywhere if `cpu` is negative.  What a
 * process leaves behind must lie in memory of bench_map().
 */
void bench_start(struct bench_worker *worker, bool process, int cpu,
                 void (*fn)(void *), void *arg);

/* false: a process that did not end well. */
bool bench_join(struct bench_worker *worker);

/* Where `nr` workers meet once; in memory of bench_map(), zeroed. */
struct bench_barrier {
    uint32_t nr, arrived;
};

void bench_meet(struct bench_barrier *barrier);

/*
 * ns that a line takes from one CPU to the other and back, now: of a virtual
 * machine the distance between two CPUs changes while it runs.
 */
double bench_distance(const int cpus[2]);

static inline uint64_t bench_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static inline void bench_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#ifdef __cplusplus
}
#endif

#endif /* VMRING_BENCH_WORKER_H */
