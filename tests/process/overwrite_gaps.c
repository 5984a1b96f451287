/* SPDX-License-Identifier: MIT */
/*
 * Description: overwrite oldest between two processes: delivered + lost is
 * what was pushed, by vCPU, and the losses are told where they are.
 */
#include <errno.h>
#include <signal.h>

#include "source.h"

int main(void)
{
    struct vmring_opts opts = {.size = sizeof(opts),
                               .record_len = 64,
                               .async_len = 4096,
                               .loss_policy = XEN_VM_RING_POLICY_OVERWRITE};
    struct scene *scene;
    pid_t producer, consumer;
    unsigned long lost = 0;

    scene = scene_make(1000, 1, &producer);
    scene->hold = 1;
    consumer = consumer_start(scene, &opts, ANSWER, -ESRCH);
    wait_for(&scene->settled, "the consumer");
    /* What was raised before anybody was attached is nobody's. */
    sleep_us(20000);
    memset(scene->pushed, 0, sizeof(scene->pushed));
    memset(scene->records, 0, sizeof(scene->records));
    memset(scene->lost_before, 0, sizeof(scene->lost_before));
    scene->hold = 0;
    for (int i = 0; i < 10; i++) {
        sleep_us(50000);
        kill(consumer, SIGSTOP);
        sleep_us(50000);
        kill(consumer, SIGCONT);
    }
    scene->stop = 1;
    CHECK_EQ(reap(consumer), 0);
    CHECK_EQ(reap(producer), 0);
    check_requests(scene);
    for (unsigned int v = 0; v < VCPUS; v++) {
        unsigned long seen = 0;

        for (unsigned int i = 1; i <= scene->pushed[v]; i++)
            seen += scene->records[v][i] & SEEN_TIMES;
        CHECK_EQ(seen + scene->lost_before[v], scene->pushed[v]);
        lost += scene->lost_before[v];
    }
    printf("%lu lost\n", lost);
    CHECK(lost > 0);
    scene_drop(scene);
    return 0;
}
