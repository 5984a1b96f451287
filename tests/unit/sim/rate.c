/* SPDX-License-Identifier: MIT */
/* Description: rate=N is kept on average, and waited for, not spun for. */
#include "check.h"
#include "sim/guest.h"
#include "stub_producer.h"

#include <poll.h>
#include <time.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    struct vmring_producer p = {0};
    unsigned int calls = 0;
    struct sim *sim;
    char error[256];
    double began;
    int next;

    CHECK_EQ(sim_open("vcpus=4,count=100,rate=1000", &sim, error, 256), 0);
    sim_start(sim, &p);
    stub_arm(sim, "cr3:async");
    began = now();
    while ((next = sim_run(sim)) != SIM_ENDED) {
        CHECK(next >= 0);
        CHECK(next <= 2);
        /* Never more than a tenth of a second's at once. */
        CHECK(p.nr <= (now() - began) * 1000 + 102);
        if (next)
            poll(NULL, 0, next);
        calls++;
    }
    CHECK_EQ(p.nr, 400);
    CHECK(now() - began > 0.295); /* 400 ms, less one catching up */
    CHECK(calls < 2000);
    sim_close(sim);
    stub_free(&p);
    return 0;
}
