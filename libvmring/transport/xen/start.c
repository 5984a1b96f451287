/* SPDX-License-Identifier: MIT */
/*
 * start.c: the keeper as a process that nothing of the program hangs on.
 *
 * It is no child of the program: whoever waits for its children does not meet
 * it, and nobody has to wait for it.  It has one descriptor, the socket, so
 * that it holds no connection, pipe or terminal of the program open; what the
 * program had mapped shared stays mapped in it, and is not used.  And all
 * signals are blocked in it, so that none of the program's handlers runs there,
 * and what ends a service or a session's processes does not end it before its
 * consumer.  It goes when the other end of the socket closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xen.h"

/* What it has the socket at; 0, 1 and 2 lead nowhere. */
#define SOCKET 3

static void keep_only(int socket)
{
    int null;

    if (socket != SOCKET && dup2(socket, SOCKET) < 0)
        _exit(1);
    closefrom(SOCKET + 1);
    for (int fd = 0; fd < SOCKET; fd++)
        (void)close(fd);
    null = open("/dev/null", O_RDWR);
    if (null == 0) {
        (void)dup2(null, 1);
        (void)dup2(null, 2);
    }
}

__attribute__((noreturn)) static void live(uint32_t domid, int socket)
{
    keep_only(socket);
    (void)setsid();
    if (chdir("/") < 0)
        _exit(1);
    (void)prctl(PR_SET_NAME, "vmring-keeper");
    /* A copy of the program's memory: no cores, no debuggers. */
    (void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
    xen_keeper(domid, SOCKET);
    _exit(0);
}

/* In between is a process that only forks, and is waited for. */
static int fork_twice(uint32_t domid, int socket)
{
    int status = 0;
    pid_t pid = fork();

    if (pid < 0)
        return -errno;
    if (pid == 0) {
        pid = fork();
        if (pid == 0)
            live(domid, socket);
        _exit(pid < 0 ? errno : 0);
    }
    /* -ECHILD: the program has waited for it, or wants to know of none. */
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 0;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EAGAIN;
}

int xen_keeper_start(uint32_t domid, int *fd)
{
    sigset_t all, before;
    int ends[2], err;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    err = fork_twice(domid, ends[1]);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (err)
        close(ends[0]);
    else
        *fd = ends[0];
    return err;
}
