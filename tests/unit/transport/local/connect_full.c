/* SPDX-License-Identifier: MIT */
/*
 * Description: a socket whose queue of connections is full is waited for, as
 * long as was asked for, and is not said to be served by nobody.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "transport/local/socket.h"
#include "vmring.h"

#define MAX_QUEUE 16

static char uri[80], error[256];
static int queue[MAX_QUEUE];
static int nr;

static int make_socket(struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CHECK(fd >= 0);
    CHECK_EQ(socket_address(uri + sizeof("local:") - 1, addr), 0);
    return fd;
}

static int listen_and_fill(void)
{
    struct sockaddr_un addr;
    int listener = make_socket(&addr);
    int err = 0;

    CHECK_EQ(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    CHECK_EQ(listen(listener, 0), 0);
    while (!err) {
        CHECK(nr < MAX_QUEUE);
        queue[nr] = make_socket(&addr);
        err = connect(queue[nr++], (struct sockaddr *)&addr, sizeof(addr));
    }
    CHECK_EQ(errno, EAGAIN);
    return listener;
}

static bool enough(void *ctx)
{
    (void)ctx;
    return true;
}

static void nothing(int number)
{
    (void)number;
}

static int attach(int timeout_ms, bool (*interrupted)(void *ctx))
{
    struct vmring_opts opts = {.size = sizeof(opts),
                               .timeout_ms = timeout_ms,
                               .interrupted = interrupted,
                               .error = error,
                               .error_len = sizeof(error)};
    struct vmring *ring;

    return vmring_open(uri, &opts, &ring);
}

/* Somebody takes them after a while, and hangs up on all. */
static pid_t take_later(int listener)
{
    pid_t child = fork();

    CHECK(child >= 0);
    if (child)
        return child;
    usleep(100000);
    for (int taken = 0; taken < nr;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            close(fd);
        taken += fd >= 0;
        usleep(1000);
    }
    _exit(0);
}

/* Connected, and there is no answer. */
static void silent(void)
{
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    snprintf(uri, sizeof(uri), "fd:%d", ends[1]);
    CHECK_EQ(attach(60000, enough), -EINTR);
    close(ends[0]);
}

int main(void)
{
    const struct sigaction action = {.sa_handler = nothing};
    /* Again and again, as one may come when nothing waits. */
    const struct itimerval often = {.it_value = {.tv_usec = 50000},
                                    .it_interval = {.tv_usec = 50000}};
    const struct itimerval never = {.it_value = {0}};
    int listener, status;
    pid_t child;

    snprintf(uri, sizeof(uri), "local:/tmp/vmring-test-%d.full", (int)getpid());
    listener = listen_and_fill();
    CHECK_EQ(attach(100, NULL), -ETIMEDOUT);
    CHECK_HAS(error, "was not free to connect to within 100 ms");
    CHECK_EQ(attach(60000, enough), -EINTR);
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    CHECK_EQ(attach(60000, NULL), -EINTR);
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    child = take_later(listener);
    CHECK_EQ(attach(60000, NULL), -ECONNRESET);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(unlink(uri + sizeof("local:") - 1), 0);
    silent();
    return 0;
}
