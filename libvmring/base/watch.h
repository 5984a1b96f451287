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

/* Changes the events it is polled for; a hang-up is always among them. */
static inline int watch_change(int epoll, int fd, uint32_t events)
{
    return watch_control(epoll, EPOLL_CTL_MOD, fd, events);
}

/*
 * Removes a descriptor from the set; to be called before it is closed.  A set
 * keeps a file that another process has open, too, and that process could make
 * it poll readable for ever.
 */
static inline int watch_remove(int epoll, int fd)
{
    return watch_control(epoll, EPOLL_CTL_DEL, fd, 0);
}

#endif /* VMRING_BASE_WATCH_H */
