/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include "guest.h"
#include "sim.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/thread.h"

/* After it has started, only the thread touches sim and producer. */
struct sim_endpoint {
    struct sim *sim;
    struct vmring_producer *producer;
    pthread_t thread;
    bool ended; /* and the consumer has been told */
};

static void drain(void *ctx, const struct vmring_verdict *verdict)
{
    sim_verdict(ctx, verdict);
}

static void collect(struct sim_endpoint *ep)
{
    struct vmring_verdict verdict;

    while (vmring_producer_collect(ep->producer, &verdict) > 0)
        sim_verdict(ep->sim, &verdict);
}

/* ms until the guest or a deadline needs attention; -1: neither. */
static int timeout(const struct sim_endpoint *ep, int guest)
{
    int deadline = vmring_producer_timeout(ep->producer);

    if (guest < 0)
        return deadline;
    return deadline >= 0 && deadline < guest ? deadline : guest;
}

/* Lets the guest go on.  Returns as sim_run(). */
static int run(struct sim_endpoint *ep)
{
    int next = sim_run(ep->sim);

    if (next == SIM_ENDED && !ep->ended) {
        ep->ended = true;
        vmring_producer_set_target_state(ep->producer,
                                         XEN_VM_RING_TARGET_SHUTDOWN, 0);
        vmring_producer_flush(ep->producer);
    }
    return next;
}

/* Has the one consumer gone?  What it leaves would not wake us. */
static bool was_left(const struct sim_endpoint *ep)
{
    struct vmring_producer_stats stats = {.size = sizeof(stats)};

    return !vmring_producer_attached(ep->producer) &&
           !vmring_producer_get_stats(ep->producer, &stats) && stats.epochs;
}

static void *serve(void *ctx)
{
    struct sim_endpoint *ep = ctx;

    while (vmring_producer_dispatch(ep->producer) >= 0) {
        struct pollfd wait = {
            .fd = vmring_producer_fd(ep->producer),
            .events = POLLIN,
        };
        int next;

        collect(ep);
        next = run(ep);
        if (next && !was_left(ep))
            poll(&wait, 1, timeout(ep, next));
    }
    sim_start(ep->sim, NULL);
    vmring_producer_close(ep->producer, drain, ep->sim);
    return NULL;
}

static int open_producer(const struct sim_params *params, struct sim *sim,
                         struct vmring_producer **producer)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .ops = &sim_producer_ops,
        .ops_ctx = sim,
        .target = sim_name(sim),
        .nr_vcpus = sim_nr_vcpus(sim),
        .arch = XEN_VM_RING_ARCH_X86,
        .source = XEN_VM_RING_SOURCE_SIMULATED,
        .verdicts = params->verdicts,
        .deadline_ns = params->deadline_ms * 1000000,
        .on_deadline = params->on_deadline,
        .max_async_len = params->max_async,
    };

    return vmring_producer_open(&opts, producer);
}

static int serve_pair(struct sim_endpoint *ep, int *fd)
{
    int pair[2], err;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -errno;
    err = vmring_producer_serve_fd(ep->producer, pair[0]);
    if (!err) {
        sim_start(ep->sim, ep->producer);
        err = thread_start(&ep->thread, serve, ep);
    }
    if (err) {
        close(pair[1]);
        return err;
    }
    *fd = pair[1];
    return 0;
}

static int start(const struct sim_params *params, struct sim_endpoint *ep,
                 int *fd)
{
    int err = open_producer(params, ep->sim, &ep->producer);

    if (!err)
        err = serve_pair(ep, fd);
    return err;
}

/* What to do about a limit of this process. */
static const char *remedy(int err)
{
    switch (err) {
    case -ENOMEM:
        return "; raise the limit of memory (ulimit -v)";
    case -EAGAIN:
        return "; raise the limits of memory and threads (ulimit -v, -u)";
    case -EMFILE:
        return "; raise the limit of open files (ulimit -n)";
    }
    return "";
}

static int fail(int err, char *error, size_t error_len)
{
    if (error && error_len)
        snprintf(error, error_len, "cannot start the simulated guest: %s%s",
                 strerror(-err), remedy(err));
    return err;
}

/* Its own error, as it is none of the endpoint; but for want of something. */
static int fail_truth(int err, char *error, size_t error_len)
{
    if (error && error_len)
        snprintf(error, error_len, "cannot write the file of truth=: %s; %s",
                 strerror(-err),
                 err == -ENOENT ? "create its folder, or name another file"
                                : "name a file that can be written");
    return *remedy(err) ? err : -EIO;
}

int sim_endpoint_start(const char *text, struct sim_endpoint **out, int *fd,
                       char *error, size_t error_len)
{
    struct sim_endpoint *ep;
    struct sim_params params;
    int err = sim_params_parse(text, true, &params, error, error_len);
    int truth = 0;

    if (err)
        return err;
    ep = calloc(1, sizeof(*ep));
    err = ep ? sim_create(&params, &ep->sim) : -ENOMEM;
    if (!err)
        truth = sim_open_truth(ep->sim);
    if (!err && !truth)
        err = start(&params, ep, fd);
    if (!err && !truth) {
        *out = ep;
        return 0;
    }
    if (ep) {
        vmring_producer_close(ep->producer, NULL, NULL);
        sim_close(ep->sim);
        free(ep);
    }
    return truth ? fail_truth(truth, error, error_len)
                 : fail(err, error, error_len);
}

int vmring_sim_help(unsigned int i, char text[VMRING_LINE])
{
    return sim_params_help(true, i, text);
}

int sim_endpoint_stop(struct sim_endpoint *ep)
{
    int err;

    pthread_join(ep->thread, NULL);
    err = sim_write_truth(ep->sim);
    sim_close(ep->sim);
    free(ep);
    return err;
}
