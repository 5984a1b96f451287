/* SPDX-License-Identifier: MIT */
/*
 * Description: a stopped consumer holds each vCPU for a deadline at most, and
 * goes on when it is continued.
 */
#include <errno.h>
#include <signal.h>

#include "source.h"

static unsigned int verdicts(const struct scene *scene)
{
    unsigned int sum = 0;

    for (unsigned int v = 0; v < VCPUS; v++)
        sum += *(volatile const unsigned int *)&scene->raised[v];
    return sum;
}

int main(void)
{
    struct vmring_opts opts = {.size = sizeof(opts)};
    struct scene *scene;
    pid_t producer, consumer;
    unsigned int before, after;
    unsigned long answered;

    scene = scene_make(50, 1, &producer);
    consumer = consumer_start(scene, &opts, ANSWER, -ESRCH);
    wait_for(&scene->settled, "the consumer");
    sleep_us(50000);
    kill(consumer, SIGSTOP);
    sleep_us(200000);
    before = verdicts(scene);
    sleep_us(1000000);
    after = verdicts(scene);
    printf("%u requests of %u vCPUs in 1 s at a deadline of 50 ms\n",
           after - before, VCPUS);
    /* 20 a second and vCPU; not faster, and not much slower. */
    CHECK(after - before >= VCPUS * 8);
    CHECK(after - before <= VCPUS * 21);
    answered = scene->by[VMRING_BY_CONSUMER];
    kill(consumer, SIGCONT);
    sleep_us(300000);
    CHECK(*(volatile unsigned long *)&scene->by[VMRING_BY_CONSUMER] >
          answered + VCPUS);
    scene->stop = 1;
    CHECK_EQ(reap(consumer), 0);
    CHECK_EQ(reap(producer), 0);
    check_requests(scene);
    check_records(scene);
    scene_drop(scene);
    return 0;
}
