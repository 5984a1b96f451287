/* SPDX-License-Identifier: MIT */
/*
 * Description: a descriptor that has come to its end wakes nobody any more,
 * also if whoever handed it over, or started us with it, has kept it open.
 */
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wired.h"

/* Far more than a loop that sleeps makes, far fewer than one that spins. */
#define FEW 100

/* What a child does, for its parent to see. */
struct seen {
    volatile unsigned long turns;
    volatile int ready;
};

static struct seen *seen;
static char path[96], uri[128];

static pid_t start(void (*child)(int arg), int arg)
{
    pid_t pid;

    seen->turns = 0;
    seen->ready = 0;
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        child(arg);
        exit(0);
    }
    return pid;
}

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* It has seen what there is to see: now it sleeps. */
static void check_sleeps(const char *what, pid_t pid)
{
    unsigned long from;

    pause_ms(200);
    from = seen->turns;
    pause_ms(300);
    if (seen->turns - from > FEW)
        fprintf(stderr, "%s: %lu turns in 300 ms\n", what, seen->turns - from);
    CHECK(seen->turns - from <= FEW);
    CHECK_EQ(kill(pid, 0), 0);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

static void ready(void)
{
    seen->ready = 1;
}

static void wait_ready(void)
{
    for (int i = 0; !seen->ready; i++) {
        CHECK(i < 30000);
        pause_ms(1);
    }
}

/* ---------------------------------------------------- doorbells handed over */

static void consume(int with_worker)
{
    struct vmring_opts opts = {
        .size = sizeof(opts), .timeout_ms = 30000, .nr_groups = 1};
    struct vmring_worker *worker = NULL;
    struct vmring_event event;
    struct vmring *ring;
    struct pollfd pfd;

    CHECK_EQ(vmring_open(uri, &opts, &ring), 0);
    if (with_worker)
        CHECK_EQ(vmring_worker_open(ring, 0, &worker), 0);
    while ((worker ? vmring_worker_next(worker, &event)
                   : vmring_next(ring, &event)) == 0) {
        ready();
        pfd = (struct pollfd){
            worker ? vmring_worker_fd(worker) : vmring_fd(ring), POLLIN, 0};
        (void)poll(&pfd, 1, 1000);
        seen->turns++;
    }
}

/* The other end is shut: `theirs` is at its end, and stays open here. */
static void doorbell_at_end(int with_worker)
{
    struct wired_producer producer;
    pid_t pid;

    wired_listen(&producer, path);
    pid = start(consume, with_worker);
    wired_accept(&producer);
    wired_hand_over(&producer, 1);
    wait_ready();
    close(producer.bells[0]);
    producer.bells[0] = -1;
    check_sleeps(with_worker ? "a worker's doorbell" : "a doorbell", pid);
    wired_hang_up(&producer);
    wired_unlisten(&producer, path);
}

/* ------------------------------------------- a connection started with ---- */

static void serve(int fd)
{
    struct vmring_producer_opts opts = wired_opts();
    struct vmring_producer *producer;

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    CHECK_EQ(vmring_producer_serve_fd(producer, fd), 0);
    ready();
    for (;;) {
        struct pollfd pfd = {vmring_producer_fd(producer), POLLIN, 0};
        struct vmring_verdict verdict;

        (void)poll(&pfd, 1, 1000);
        seen->turns++;
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
        while (vmring_producer_collect(producer, &verdict) == 1)
            ;
    }
}

static void connection_at_end(bool attached)
{
    struct xen_vm_ring_propose propose = wired_propose();
    int ends[2];
    pid_t pid;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    pid = start(serve, ends[0]);
    wait_ready();
    if (attached)
        CHECK_EQ(wired_ask(ends[1], &propose, NULL, NULL).result,
                 XEN_VM_RING_ACCEPTED);
    /* The child has a copy of this end, too: its peer's end is shut. */
    CHECK_EQ(shutdown(ends[1], SHUT_RDWR), 0);
    close(ends[1]);
    check_sleeps(attached ? "a consumer's connection" : "a connection", pid);
    close(ends[0]);
    unlink(path);
}

int main(void)
{
    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(seen != MAP_FAILED);
    wired_path(path);
    snprintf(uri, sizeof(uri), "local:%s", path);
    doorbell_at_end(0);
    doorbell_at_end(1);
    connection_at_end(false);
    connection_at_end(true);
    place_drop(path);
    return 0;
}
