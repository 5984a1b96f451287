/* SPDX-License-Identifier: MIT */
/*
 * Description: records that a consumer left behind survive a successor that
 * dies while it drains them; one that has drained them ends that; and of
 * those that too many deaths make the producer give up, none goes uncounted.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/check.h"
#include "vmring.h"

#define RECORDS 10

static char uri[80];

/* ----------------------------------------------------------- producer -- */

static struct vmring_producer *producer;

/* Each subscription gives as many records. */
static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    struct xen_vm_ring_event event = {
        .reason = XEN_VM_RING_REASON_WRITE_CTRLREG,
        .length = XEN_VM_RING_EVENT_HEAD,
    };

    (void)ctx;
    (void)specs;
    (void)error;
    (void)error_len;
    if (nr)
        results[0] = VMRING_SPEC_ARMED;
    for (int i = 0; nr && i < RECORDS; i++)
        CHECK_EQ(vmring_producer_push(producer, 0, &event), 1);
    vmring_producer_flush(producer);
}

static uint64_t given_up(void)
{
    struct vmring_producer_stats stats = {.size = sizeof(stats)};

    CHECK_EQ(vmring_producer_get_stats(producer, &stats), 0);
    return stats.discarded;
}

static void produce(int ready, int report)
{
    static const struct vmring_producer_ops ops = {.size = sizeof(ops),
                                                   .subscribe = subscribe};
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .ops = &ops,
        .nr_vcpus = 1,
        .arch = XEN_VM_RING_ARCH_X86,
    };
    struct pollfd pfd = {.events = POLLIN};
    struct vmring_verdict verdict;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    CHECK_EQ(write(ready, "", 1), 1);
    pfd.fd = vmring_producer_fd(producer);
    for (;;) {
        uint64_t lost;

        (void)vmring_producer_dispatch(producer);
        while (vmring_producer_collect(producer, &verdict) == 1)
            ;
        lost = given_up();
        CHECK_EQ(pwrite(report, &lost, sizeof(lost), 0), sizeof(lost));
        (void)poll(&pfd, 1, 100);
    }
}

/* ----------------------------------------------------------- consumers -- */

/* Takes at most `most` records of epochs before; dies without a word. */
static int drain(unsigned int most, int subscribes)
{
    struct vmring_event event;
    struct vmring *ring;
    unsigned int nr = 0;
    char error[200];

    CHECK_EQ(vmring_open(uri, NULL, &ring), 0);
    while (nr < most && vmring_next(ring, &event) == 1) {
        CHECK_EQ(event.epoch_mark, 1);
        CHECK(event.rec.flags & XEN_VM_RING_FLAG_REPOSTED);
        nr++;
    }
    if (subscribes)
        CHECK_EQ(
            vmring_subscribe(ring, "cr3:async", NULL, error, sizeof(error)), 1);
    return (int)nr;
}

/* In a process of its own; returns how many it was given. */
static int die_after(unsigned int most, int subscribes)
{
    pid_t pid = fork();
    int status;

    CHECK(pid >= 0);
    if (pid == 0)
        _exit(drain(most, subscribes));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(void)
{
    FILE *report = tmpfile();
    int ready[2];
    uint64_t lost = 0;
    char byte;
    pid_t pid;

    CHECK(report != NULL);
    CHECK_EQ(pipe(ready), 0);
    snprintf(uri, sizeof(uri), "local:/tmp/vmring-test-%d.sock", (int)getpid());
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        produce(ready[1], fileno(report));
    CHECK_EQ(read(ready[0], &byte, 1), 1);

    CHECK_EQ(die_after(0, 1), 0);
    CHECK_EQ(die_after(3, 0), 3);
    CHECK_EQ(die_after(3, 0), 3); /* the same three */
    CHECK_EQ(die_after(200, 0), RECORDS);
    CHECK_EQ(die_after(200, 0), 0);

    /* More deaths than frozen Ps are kept: the first is given up. */
    for (int i = 0; i < XEN_VM_RING_MAX_PREV + 1; i++)
        CHECK_EQ(die_after(0, 1), 0);
    CHECK_EQ(die_after(200, 0), XEN_VM_RING_MAX_PREV * RECORDS);
    CHECK_EQ(die_after(200, 0), 0);
    CHECK_EQ(pread(fileno(report), &lost, sizeof(lost), 0), sizeof(lost));
    CHECK_EQ(lost, RECORDS);

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(uri + strlen("local:"));
    return 0;
}
