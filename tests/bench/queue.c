/* SPDX-License-Identifier: MIT */
#include "queue.h"

/* Starts all, the consumer on the second CPU, and waits for all. */
static bool work(struct queue_run *run, const struct queue_contestant *queue,
                 const struct bench_env *env)
{
    struct queue_side sides[QUEUE_MAX_PRODUCERS + 1];
    struct bench_worker workers[QUEUE_MAX_PRODUCERS + 1];
    uint32_t nr = run->plan.producers;
    bool good = true;

    run->start.nr = nr + 1;
    for (uint32_t i = 0; i < nr; i++) {
        /* However many, they share one CPU: the consumer has the other. */
        sides[i] = (struct queue_side){run, i};
        bench_start(&workers[i], run->plan.processes, env->cpus[0],
                    queue->produce, &sides[i]);
    }
    sides[nr] = (struct queue_side){run, nr};
    bench_start(&workers[nr], run->plan.processes, env->cpus[1], queue->consume,
                &sides[nr]);
    for (uint32_t i = 0; i <= nr; i++)
        good = bench_join(&workers[i]) && good;
    return good;
}

static enum bench_result judge(const struct queue_run *run,
                               const struct queue_ops *ops,
                               struct bench_sample *sample)
{
    uint64_t attempted = 0, accepted = 0, overwritten = 0;
    uint64_t began = UINT64_MAX, busy = 0;

    for (uint32_t i = 0; i < run->plan.producers; i++) {
        const struct queue_producer *one = &run->producers[i];

        attempted += one->attempted;
        accepted += one->accepted;
        busy += one->ended - one->began;
        if (one->began < began)
            began = one->began;
    }
    if (ops->overwritten)
        overwritten = ops->overwritten(run->queue);
    if (run->wrong && ops->loses_count)
        return bench_skip(
            sample, "%llu of %llu records were torn or out of order",
            (unsigned long long)run->wrong, (unsigned long long)run->delivered);
    if (run->wrong)
        return bench_failed(sample, "%llu records are torn or out of order",
                            (unsigned long long)run->wrong);
    if (!ops->loses_count && run->delivered + overwritten != accepted)
        return bench_failed(
            sample, "%llu accepted, %llu delivered, %llu overwritten",
            (unsigned long long)accepted, (unsigned long long)run->delivered,
            (unsigned long long)overwritten);
    sample->value = (double)run->delivered * 1e9 / (double)(run->ended - began);
    bench_extra(sample, "lost_percent",
                100.0 * (double)(attempted - run->delivered) /
                    (double)attempted);
    bench_extra(sample, "ns_per_attempt", (double)busy / (double)attempted);
    /* Longer than it was told to be, where producers wait for each other. */
    bench_extra(sample, "run_ms", (double)(run->ended - began) / 1e6);
    return BENCH_OK;
}

enum bench_result queue_contest(const struct bench_case *self,
                                const struct bench_env *env,
                                struct bench_sample *sample)
{
    const struct queue_contestant *queue = self->arg;
    struct queue_run *run = bench_map(sizeof(*run));
    enum bench_result result = BENCH_SKIP;

    if (!run)
        return bench_skip(sample, "no memory");
    run->plan = (struct queue_plan){
        .len = self->len,
        .batch = self->batch,
        .producers = self->producers,
        .processes = self->processes,
    };
    run->run_ns = env->run_ns;
    run->queue = queue->ops->make(&run->plan, sample);
    if (run->queue) {
        if (!work(run, queue, env))
            result = bench_failed(sample, "a process has died");
        else
            result = judge(run, queue->ops, sample);
        queue->ops->end(run->queue);
    }
    bench_unmap(run, sizeof(*run));
    return result;
}
