/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

void *bench_map(size_t len)
{
    void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

void bench_unmap(void *at, size_t len)
{
    if (at)
        munmap(at, len);
}

static void pin(int cpu)
{
    cpu_set_t set;

    if (cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set)) {
        fprintf(stderr, "vmring-bench: cannot run on CPU %d: %m\n", cpu);
        _exit(1);
    }
}

static void *work(void *arg)
{
    struct bench_worker *worker = arg;

    pin(worker->cpu);
    worker->fn(worker->arg);
    return NULL;
}

void bench_start(struct bench_worker *worker, bool process, int cpu,
                 void (*fn)(void *), void *arg)
{
    int err;

    *worker = (struct bench_worker){.fn = fn, .arg = arg, .cpu = cpu};
    if (process) {
        fflush(NULL);
        worker->pid = fork();
        if (worker->pid == 0) {
            work(worker);
            _exit(0);
        }
        err = worker->pid < 0 ? -1 : 0;
    } else {
        err = pthread_create(&worker->thread, NULL, work, worker);
    }
    if (err) {
        fprintf(stderr, "vmring-bench: cannot start a worker\n");
        exit(1);
    }
}

bool bench_join(struct bench_worker *worker)
{
    int status;

    if (!worker->pid)
        return pthread_join(worker->thread, NULL) == 0;
    return waitpid(worker->pid, &status, 0) == worker->pid &&
           WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void bench_meet(struct bench_barrier *barrier)
{
    __atomic_add_fetch(&barrier->arrived, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&barrier->arrived, __ATOMIC_ACQUIRE) < barrier->nr)
        sched_yield();
}

#define SET   50
#define TRIPS (6 * SET)

struct ball {
    uint64_t there __attribute__((__aligned__(128)));
    uint64_t back __attribute__((__aligned__(128)));
    uint64_t ns; /* of the quickest set */
    struct bench_barrier start;
};

static void await(const uint64_t *word, uint64_t value)
{
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value)
        ;
}

static void serve(void *arg)
{
    struct ball *ball = arg;
    uint64_t began = 0, now;

    bench_meet(&ball->start);
    for (uint64_t i = 1; i <= TRIPS; i++) {
        if (i % SET == 1)
            began = bench_now();
        __atomic_store_n(&ball->there, i, __ATOMIC_RELEASE);
        await(&ball->back, i);
        if (i % SET == 0) {
            now = bench_now();
            if (!ball->ns || now - began < ball->ns)
                ball->ns = now - began;
        }
    }
}

static void return_it(void *arg)
{
    struct ball *ball = arg;

    bench_meet(&ball->start);
    for (uint64_t i = 1; i <= TRIPS; i++) {
        await(&ball->there, i);
        __atomic_store_n(&ball->back, i, __ATOMIC_RELEASE);
    }
}

double bench_distance(const int cpus[2])
{
    struct ball ball = {.start = {.nr = 2}};
    struct bench_worker one, other;

    bench_start(&one, false, cpus[0], serve, &ball);
    bench_start(&other, false, cpus[1], return_it, &ball);
    bench_join(&one);
    bench_join(&other);
    return (double)ball.ns / SET;
}
