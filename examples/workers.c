/* SPDX-License-Identifier: MIT */
/*
 * cc -o workers workers.c $(pkg-config --cflags --libs vmring) -lpthread
 *
 * workers ENDPOINT EVENTS: counts what the vCPUs do until the target ends, in
 * two threads, each with the vCPUs of one doorbell group.
 *
 *   workers sim:vcpus=4,count=1000 'cpuid cr3:async'
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <vmring.h>

#define WORKERS 2

/* Of one thread alone. */
struct work {
    pthread_t thread;
    struct vmring_worker *worker;
    unsigned long events;
};

static void wait_for(int fd)
{
    struct pollfd bell = {.fd = fd, .events = POLLIN};

    poll(&bell, 1, -1);
}

static void *work(void *arg)
{
    struct xen_vm_ring_response response;
    struct vmring_event event;
    struct work *mine = arg;
    int ret;

    while ((ret = vmring_worker_next(mine->worker, &event)) >= 0) {
        if (ret == 0) {
            wait_for(vmring_worker_fd(mine->worker));
            continue;
        }
        if (event.seq) {
            vmring_neutral(&event, &response);
            (void)vmring_worker_respond(mine->worker, &event, &response);
            vmring_worker_flush(mine->worker);
        }
        mine->events++;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct vmring_opts opts = {.size = sizeof(opts), .nr_groups = WORKERS};
    struct work works[WORKERS] = {{.events = 0}};
    struct vmring_event event;
    struct vmring *ring;
    char error[256] = "";
    int ret;

    if (argc != 3)
        errx(2, "usage: workers ENDPOINT EVENTS");
    ret = vmring_open(argv[1], &opts, &ring);
    if (!ret)
        ret = vmring_subscribe(ring, argv[2], NULL, error, sizeof(error));
    /* All of them first: no thread runs while one is opened. */
    for (unsigned int i = 0; ret >= 0 && i < WORKERS; i++)
        ret = vmring_worker_open(ring, i, &works[i].worker);
    if (ret < 0)
        errx(1, "%s: %s", argv[1], error[0] ? error : strerror(-ret));
    for (unsigned int i = 0; i < WORKERS; i++)
        if (pthread_create(&works[i].thread, NULL, work, &works[i]))
            errx(1, "no thread");
    /*
     * What is left for this one: records of a consumer before, which are not
     * counted here, and the end, which comes after theirs.
     */
    while ((ret = vmring_next(ring, &event)) >= 0)
        if (ret == 0)
            wait_for(vmring_fd(ring));
    for (unsigned int i = 0; i < WORKERS; i++) {
        pthread_join(works[i].thread, NULL);
        printf("worker %u: %lu events\n", i, works[i].events);
    }
    vmring_close(ring);
    if (ret != -ESRCH)
        errx(1, "lost the producer: %s", strerror(-ret));
    return 0;
}
