/* SPDX-License-Identifier: MIT */
/* meet_thread.c: see meet_thread.h. */
#include "meet_thread.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../../base/log.h"
#include "../../base/watch.h"

int meet_lost_ms = 15000;

int meet_thread_start(struct meet_thread *thread, char *error, size_t error_len)
{
    int err = errands_start(&thread->errands);

    return err ? fail(err, error, error_len, "cannot start a thread: %s",
                      strerror(-err))
               : 0;
}

int meet_thread_open(struct meet_thread *thread, struct errand *open,
                     const struct patience *patience, char *error,
                     size_t error_len)
{
    if (errands_do(thread->errands, open, meet_lost_ms, patience))
        return 0;
    if (patience_is_over(patience))
        return fail(-EINTR, error, error_len, "interrupted");
    return fail(-ETIMEDOUT, error, error_len,
                "xenstored does not answer within %d s; look whether it is "
                "stopped",
                meet_lost_ms / 1000);
}

int meet_thread_watch(struct meet_thread *thread, int fd, char *error,
                      size_t error_len)
{
    int err;

    thread->fd = fd;
    thread->epoll = epoll_create1(EPOLL_CLOEXEC);
    err = thread->epoll < 0
              ? -errno
              : watch_add(thread->epoll, errands_fd(thread->errands));
    if (!err)
        err = watch_add(thread->epoll, fd);
    return err ? fail(err, error, error_len, "cannot watch a descriptor: %s",
                      strerror(-err))
               : 0;
}

/* What does not tell is looked at. */
bool meet_thread_is_rung(const struct meet_thread *thread)
{
    struct pollfd pfd = {.fd = thread->fd, .events = POLLIN};

    return poll(&pfd, 1, 0) != 0;
}

void meet_thread_begin_look(struct meet_thread *thread, struct errand *look)
{
    thread->is_looking = true;
    /* Readable it would wake the loop until the look is over. */
    (void)watch_remove(thread->epoll, thread->fd);
    errands_post(thread->errands, look);
}

int meet_thread_end_look(struct meet_thread *thread)
{
    thread->is_looking = false;
    return watch_add(thread->epoll, thread->fd);
}

void meet_thread_end(struct meet_thread *thread, struct errand *last, int ms)
{
    if (thread->errands)
        errands_end(thread->errands, last, ms);
    else
        free(last);
    if (thread->epoll >= 0)
        close(thread->epoll);
}
