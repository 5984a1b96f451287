/* SPDX-License-Identifier: MIT */
/* reader.c: a second opening of a file, for reading alone.  See reader.h. */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "../../sandbox/sandbox.h"

/* Its answer takes no time; one that is stopped is done without. */
#define WAIT_MS 200
/* Until it has given up what it does not need, at the start. */
#define START_MS 5000
/* Its end of the socket. */
#define BRIDGE 3

/* One byte, and a descriptor or none (-1). */
static int say(int to, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *cmsg;

        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
    }
    return sendmsg(to, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -errno;
}

/* A descriptor; -ENODATA: there came none with it; -EPIPE: nothing will. */
static int hear(int from, int flags)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    ssize_t len = recvmsg(from, &msg, flags | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *cmsg = len > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
    int fd;

    if (len < 0)
        return -errno;
    if (len == 0)
        return -EPIPE;
    if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
        return -ENODATA;
    memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
    return fd;
}

/* Its whole life: as long as there is a bridge at the other end. */
static void serve(const char *folder)
{
    for (;;) {
        char name[48];
        int fd = hear(BRIDGE, 0), again;

        if (fd == -EINTR || fd == -ENODATA)
            continue;
        if (fd < 0)
            _exit(0);
        snprintf(name, sizeof(name), "%s/%d", folder, fd);
        again = open(name, O_RDONLY | O_CLOEXEC);
        (void)say(BRIDGE, again);
        close(fd);
        if (again >= 0)
            close(again);
    }
}

/* NULL: it cannot, and is of no use. */
static const char *confine(void)
{
    static const struct sandbox_call calls[] = {
        {"openat", "its work", SANDBOX_IF(2, O_RDONLY | O_CLOEXEC)},
    };
    static const char own[] = "/proc/self/fd";
    bool root = geteuid() == 0;
    char error[256];

    if ((root && sandbox_change_root(own, error, sizeof(error))) ||
        sandbox_close_doors(error, sizeof(error)) ||
        sandbox_drop_capabilities(0, error, sizeof(error)) ||
        sandbox_filter(calls, 1, true, error, sizeof(error)))
        return NULL;
    return root ? "" : own;
}

__attribute__((noreturn)) static void live(int bridge, pid_t parent)
{
    const char *folder;

    /* Only the bridge's end is its end: its socket closes, or it dies. */
    for (int number = 1; number <= SIGRTMAX; number++)
        (void)signal(number, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || (bridge != BRIDGE && dup2(bridge, BRIDGE) < 0))
        _exit(1);
    (void)close_range(BRIDGE + 1, ~0U, 0);
    (void)close_range(0, BRIDGE - 1, 0);
    (void)prctl(PR_SET_NAME, "vmring-reader");
    folder = confine();
    if (!folder || say(BRIDGE, -1))
        _exit(1);
    serve(folder);
    _exit(0);
}

static int wait_for(int reader, int ms)
{
    struct pollfd pfd = {reader, POLLIN, 0};

    return poll(&pfd, 1, ms) == 1 ? hear(reader, MSG_DONTWAIT) : -ETIMEDOUT;
}

int bridge_reader_start(void)
{
    pid_t parent = getpid();
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    pid = fork();
    if (pid == 0)
        live(ends[1], parent);
    close(ends[1]);
    if (pid > 0 && wait_for(ends[0], START_MS) == -ENODATA)
        return ends[0];
    close(ends[0]);
    return -1;
}

void bridge_reader_end(int reader)
{
    if (reader >= 0)
        close(reader);
}

int bridge_reader_open(int reader, int fd)
{
    int err;

    if (reader < 0)
        return -ESRCH;
    /* One that was late once is not to be taken for the next. */
    while ((err = hear(reader, MSG_DONTWAIT)) >= 0 || err == -ENODATA)
        if (err >= 0)
            close(err);
    err = say(reader, fd);
    return err ? err : wait_for(reader, WAIT_MS);
}
