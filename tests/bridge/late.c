/* SPDX-License-Identifier: MIT */
/*
 * late.c: loaded before the C library, it takes its time between two calls,
 * as a busy machine may.
 *
 *   LATE_LISTEN=FIFO   listen() waits until that can be opened
 *   LATE_SWAP=FILE     after bind() the socket is moved away, and a symbolic
 *                      link to FILE is where it was
 *   LATE_MEMORY=US     a MiB of a file's memory takes so many microseconds
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* As the C library has them. */
int bind(int fd, const struct sockaddr *addr, socklen_t len);
int listen(int fd, int backlog);
int posix_fallocate(int fd, off_t at, off_t len);

__attribute__((visibility("default"))) int
bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    int (*real)(int, const struct sockaddr *, socklen_t);
    const char *to = getenv("LATE_SWAP");
    const char *path = ((const struct sockaddr_un *)addr)->sun_path;
    char moved[128];
    int ret;

    *(void **)&real = dlsym(RTLD_NEXT, "bind");
    ret = real(fd, addr, len);
    if (ret == 0 && to) {
        snprintf(moved, sizeof(moved), "%s.moved", path);
        if (rename(path, moved) < 0 || symlink(to, path) < 0)
            abort();
    }
    return ret;
}

__attribute__((visibility("default"))) int listen(int fd, int backlog)
{
    int (*real)(int, int);
    const char *fifo = getenv("LATE_LISTEN");

    *(void **)&real = dlsym(RTLD_NEXT, "listen");
    if (fifo)
        close(open(fifo, O_WRONLY));
    return real(fd, backlog);
}

/* Less of it comes sooner; it has no CPU meanwhile. */
__attribute__((visibility("default"))) int posix_fallocate(int fd, off_t at,
                                                           off_t len)
{
    int (*real)(int, off_t, off_t);
    const char *us = getenv("LATE_MEMORY");

    *(void **)&real = dlsym(RTLD_NEXT, "posix_fallocate");
    if (us)
        usleep((useconds_t)(len * strtol(us, NULL, 10) / (1 << 20)));
    return real(fd, at, len);
}
