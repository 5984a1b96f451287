/* SPDX-License-Identifier: MIT */
/*
 * Description: when the producer is killed its consumer gets every record
 * that was published, and then -ECONNRESET.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "source.h"

int main(void)
{
    struct vmring_opts opts = {.size = sizeof(opts), .record_len = 64};

    for (int round = 0; round < 8; round++) {
        struct scene *scene;
        pid_t producer, consumer;
        unsigned long published = 0, attempts = 0;

        scene = scene_make(1000, 1, &producer);
        consumer = consumer_start(scene, &opts, ANSWER, -ECONNRESET);
        wait_for(&scene->settled, "the consumer");
        /* It sleeps through the end: all is drained after it. */
        sleep_us(20000 + (unsigned int)round * 5000);
        if (round & 1)
            kill(consumer, SIGSTOP);
        sleep_us(10000);
        kill(producer, SIGKILL);
        CHECK(WIFSIGNALED(reap(producer)));
        if (round & 1)
            kill(consumer, SIGCONT);
        CHECK_EQ(reap(consumer), 0);
        for (unsigned int v = 0; v < VCPUS; v++) {
            for (unsigned int i = 1; i <= scene->pushed[v]; i++) {
                unsigned char seen = scene->records[v][i];

                /* The very last may lack the note that it went out. */
                if (i < scene->pushed[v])
                    CHECK_EQ(!!(seen & PUBLISHED), seen & SEEN_TIMES);
                published += !!(seen & PUBLISHED);
                attempts++;
            }
        }
        printf("%lu of %lu records were published\n", published, attempts);
        CHECK(published > 0);
        scene_drop(scene);
    }
    return 0;
}
