/* SPDX-License-Identifier: MIT */
/* watch.h: descriptors in a set of epoll(7), each as its own data. */
#ifndef VMRING_BASE_WATCH_H
#define VMRING_BASE_WATCH_H

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>

static inline int watch_control(int epoll, int how, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.fd = fd}};

    return epoll_ctl(epoll, how, fd, &event) < 0 ? -errno : 0;
}

/* It makes `epoll` readable, when it is.  -EPERM: it cannot; -ENOSPC... */
static inline int watch_add(int epoll, int fd)
{
    return watch_control(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
}

/* From now on for these events; it is in any case if it has hung up. */
static inline int watch_change(int epoll, int fd, uint32_t events)
{
    return watch_control(epoll, EPOLL_CTL_MOD, fd, events);
}

/*
 * No more.  Before it is closed: a set keeps what somebody else has open, too,
 * and whoever has it can let it poll readable for ever.
 */
static inline int watch_remove(int epoll, int fd)
{
    return watch_control(epoll, EPOLL_CTL_DEL, fd, 0);
}

#endif /* VMRING_BASE_WATCH_H */
