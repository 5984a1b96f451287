/* SPDX-License-Identifier: MIT */
/*
 * Description: consumers are killed at random, successors attach: every
 * request gets one verdict, every record is delivered or refused, and what
 * comes twice says so.
 *
 * usage: consumer_killed [ROUNDS]
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "source.h"

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 30;
    struct vmring_opts opts = {
        .size = sizeof(opts), .record_len = 64, .async_len = 16384};
    unsigned int seed = (unsigned int)now_us();
    pid_t producer, consumer;
    unsigned long raised = 0, pushed = 0;
    struct scene *scene;

    printf("seed %u\n", seed);
    srandom(seed);
    scene = scene_make(200, 1, &producer);
    for (int i = 0; i < rounds; i++) {
        int status;

        opts.nr_groups = 1 + (uint32_t)random() % 3;
        consumer = consumer_start(scene, &opts, ANSWER, -ESRCH);
        wait_for(&scene->settled, "the consumer");
        sleep_us((unsigned int)random() % 150000);
        kill(consumer, SIGKILL);
        status = reap(consumer);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        if (random() % 4 == 0)
            sleep_us((unsigned int)random() % 300000);
    }
    consumer = consumer_start(scene, &opts, ANSWER, -ESRCH);
    wait_for(&scene->settled, "the consumer");
    sleep_us(50000);
    scene->stop = 1;
    CHECK_EQ(reap(consumer), 0);
    CHECK_EQ(reap(producer), 0);
    for (unsigned int v = 0; v < VCPUS; v++) {
        raised += scene->raised[v];
        pushed += scene->pushed[v];
    }
    printf("%lu requests: %lu answered, %lu at the deadline; %lu records: "
           "%lu found no room\n",
           raised, scene->by[VMRING_BY_CONSUMER], scene->by[VMRING_BY_DEADLINE],
           pushed, (unsigned long)scene->stats.discarded);
    check_requests(scene);
    check_records(scene);
    CHECK_EQ(scene->stats.epochs, rounds + 1);
    CHECK_EQ(scene->stats.lane_faults, 0);
    CHECK_EQ(scene->by[VMRING_BY_OVERFLOW], 0);
    CHECK(scene->by[VMRING_BY_CONSUMER] > 0);
    scene_drop(scene);
    return 0;
}
