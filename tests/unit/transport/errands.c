/* SPDX-License-Identifier: MIT */
/*
 * Description: errands are done one after the other and given back in their
 * order; who waits too long has none; the end waits for them, and not for ever.
 */
#include "transport/errand.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int gate[2];
static char order[8];
static unsigned int nr_done;

struct job {
    struct errand errand;
    char name;
};

static void run_job(struct errand *errand)
{
    order[nr_done++] = ((struct job *)errand)->name;
}

/* Until somebody lets it. */
static void run_held(struct errand *errand)
{
    char byte;

    CHECK_EQ(read(gate[0], &byte, 1), 1);
    run_job(errand);
}

static struct errand *job(char name, void (*run)(struct errand *errand))
{
    struct job *job = calloc(1, sizeof(*job));

    CHECK(job);
    job->errand.run = run;
    job->name = name;
    return &job->errand;
}

static void let_go(void)
{
    CHECK_EQ(write(gate[1], "", 1), 1);
}

static bool is_told(const struct errands *errands, int ms)
{
    struct pollfd pfd = {errands_fd(errands), POLLIN, 0};

    return poll(&pfd, 1, ms) == 1;
}

static bool go_on(void *ctx)
{
    (void)ctx;
    return false;
}

static void in_order(void)
{
    struct errands *errands;
    struct errand *done, *late = job('f', run_job);

    CHECK_EQ(errands_start(&errands), 0);
    CHECK(!errands_late(errands));
    CHECK(!errands_done(errands));
    errands_post(errands, job('a', run_held));
    errands_post(errands, job('b', run_job));
    errands_post(errands, job('c', run_job));
    CHECK(errands_late(errands) >= 1);
    CHECK(!is_told(errands, 0));
    /* The thread's from now on: it is freed there. */
    CHECK(!errands_do(errands, late, 20, &(struct patience){go_on, NULL}));
    let_go();
    done = job('d', run_job);
    CHECK(errands_do(errands, done, 60000, NULL)); /* behind all of them */
    free(done);
    CHECK_STR(order, "abcfd");
    for (int i = 0; i < 3; i++) {
        CHECK(is_told(errands, 0));
        done = errands_done(errands);
        CHECK(done);
        CHECK_EQ(((struct job *)done)->name, "abc"[i]);
        free(done);
    }
    CHECK(!is_told(errands, 0));
    CHECK(!errands_done(errands));
    errands_post(errands, job('e', run_job));
    errands_end(errands, NULL, 60000);
    errands_wait_for_ended();
    CHECK_STR(order, "abcfde");
}

static void ends(void)
{
    struct errands *errands;
    struct timespec before, after;

    nr_done = 0;
    memset(order, 0, sizeof(order));
    errands_end(NULL, NULL, 60000);
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK_EQ(errands_start(&errands), 0);
    errands_post(errands, job('a', run_held));
    errands_post(errands, job('b', run_job));
    errands_end(errands, job('c', run_job), 100);
    errands_wait_for_ended(); /* not for what is held longer */
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK_STR(order, "");
    CHECK((after.tv_sec - before.tv_sec) * 1000 +
              (after.tv_nsec - before.tv_nsec) / 1000000 >=
          99);
    /* It waits as long as the longest that was ended wants. */
    let_go();
    CHECK_EQ(errands_start(&errands), 0);
    errands_end(errands, NULL, 60000);
    errands_wait_for_ended();
    CHECK_STR(order, "abc");
}

int main(void)
{
    CHECK_EQ(pipe(gate), 0);
    in_order();
    ends();
    return 0;
}
