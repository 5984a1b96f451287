/* SPDX-License-Identifier: MIT */
/*
 * Description: a child that closes its parent's handles takes nothing from
 * the parent or the other end, is not kept waiting, and ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "transport/errand.h"
#include "vmring.h"

static char folder[] = "/tmp/vmring-forked-XXXXXX";
static char uri[64], error[256];

static struct vmring_producer *serve(void)
{
    struct vmring_producer_opts opts = {.size = sizeof(opts),
                                        .target = "forked",
                                        .nr_vcpus = 2,
                                        .arch = XEN_VM_RING_ARCH_X86,
                                        .verdicts = XEN_VM_RING_VERDICTS};
    struct vmring_producer *producer;

    CHECK(mkdtemp(folder));
    snprintf(uri, sizeof(uri), "local:%s/s", folder);
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0600), 0);
    return producer;
}

static struct vmring *attached(const char *at)
{
    struct vmring_opts opts = {
        .size = sizeof(opts), .error = error, .error_len = sizeof(error)};
    struct vmring *ring;

    CHECK_EQ(vmring_open(at, &opts, &ring), 0);
    return ring;
}

/* Does all that a child may, and ends as any process does. */
static void child_closes(struct vmring_producer *producer, struct vmring *ring,
                         struct vmring_worker *worker)
{
    pid_t child = fork();
    int status;

    CHECK(child >= 0);
    if (!child) {
        alarm(20);
        vmring_worker_close(worker);
        vmring_close(ring);
        vmring_producer_close(producer, NULL, NULL);
        exit(7);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static int next(struct vmring *ring, struct vmring_worker *worker,
                struct vmring_event *event)
{
    return worker ? vmring_worker_next(worker, event)
                  : vmring_next(ring, event);
}

static void takes_events(struct vmring *ring, struct vmring_worker *worker)
{
    struct vmring_event event;
    unsigned int nr = 0;
    int ret = 0;

    for (int i = 0; i < 20000 && nr < 50 && ret >= 0; i++) {
        ret = next(ring, worker, &event);
        nr += ret > 0;
        if (ret == 0)
            usleep(1000);
    }
    CHECK_EQ(nr, 50);
}

static void consumers(void)
{
    struct vmring *ring = attached("sim:vcpus=2,count=0,rate=1000");
    struct vmring_worker *worker;

    CHECK_EQ(vmring_subscribe(ring, "cr3:async", NULL, error, sizeof(error)),
             1);
    takes_events(ring, NULL);
    child_closes(NULL, ring, NULL);
    takes_events(ring, NULL);
    CHECK_EQ(vmring_worker_open(ring, 0, &worker), 0);
    child_closes(NULL, ring, worker);
    takes_events(ring, worker);
    vmring_worker_close(worker);
    vmring_close(ring);
}

static void producers(void)
{
    struct vmring_producer *producer = serve();
    pid_t agent;
    int status, turns = 0;

    child_closes(producer, NULL, NULL);
    agent = fork();
    CHECK(agent >= 0);
    if (!agent) {
        struct vmring *ring = attached(uri);

        vmring_close(ring);
        _exit(0);
    }
    while (waitpid(agent, &status, WNOHANG) == 0 && turns++ < 20000) {
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
        usleep(1000);
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    vmring_producer_close(producer, NULL, NULL);
    CHECK_EQ(access(uri + sizeof("local:") - 1, F_OK), -1);
    CHECK_EQ(rmdir(folder), 0);
}

static void run(struct errand *errand)
{
    (void)errand;
    usleep(200000);
}

/* What the end of this process is put off for is no matter of a child's. */
static void errands(void)
{
    struct errand *errand = calloc(1, sizeof(*errand));
    struct errands *errands;

    CHECK(errand);
    errand->run = run;
    CHECK_EQ(errands_start(&errands), 0);
    errands_end(errands, errand, 3600 * 1000);
    child_closes(NULL, NULL, NULL);
    errands_wait_for_ended();
}

int main(void)
{
    consumers();
    producers();
    errands();
    return 0;
}
