/* SPDX-License-Identifier: MIT */
/* writer.c: writing without waiting for the reader. */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS (O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/*
 * A descriptor or -errno.  A terminal of another user's cannot be opened by
 * its name, ours by this.
 */
static int open_own_terminal(int fd)
{
    unsigned int ours, its;
    int own;

    if (ioctl(fd, TIOCGDEV, &its) < 0)
        return -errno;
    own = open("/dev/tty", FLAGS);
    if (own < 0)
        return -errno;
    if (ioctl(own, TIOCGDEV, &ours) < 0 || ours != its) {
        close(own);
        return -ENXIO;
    }
    return own;
}

static int open_again(int fd)
{
    char path[32];
    int own;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    own = open(path, FLAGS);
    return own < 0 ? open_own_terminal(fd) : own;
}

void writer_open(struct writer *writer, int fd)
{
    struct stat st;
    int own, flags = fcntl(fd, F_GETFL);

    *writer = (struct writer){.fd = fd, .given = fd};
    if (fstat(fd, &st) < 0)
        return;
    writer->is_socket = S_ISSOCK(st.st_mode);
    writer->waits = (S_ISFIFO(st.st_mode) || isatty(fd)) &&
                    !(flags >= 0 && (flags & O_NONBLOCK));
    own = writer->waits ? open_again(fd) : -1;
    if (own < 0)
        return;
    writer->fd = own;
    writer->waits = false;
}

/*
 * A pipe of another user's: one that polls writable takes PIPE_BUF bytes
 * without waiting, unless somebody else writes to it as well.
 */
static ssize_t write_shared(int fd, const void *data, size_t len)
{
    struct pollfd pfd = {.fd = fd, .events = POLLOUT};

    if (poll(&pfd, 1, 0) == 0)
        return -EAGAIN;
    return write(fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

ssize_t writer_write(const struct writer *writer, const void *data, size_t len)
{
    ssize_t n;

    do {
        if (writer->is_socket)
            n = send(writer->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        else if (writer->waits)
            n = write_shared(writer->fd, data, len);
        else
            n = write(writer->fd, data, len);
    } while (n == -1 && errno == EINTR);
    return n == -1 ? -errno : n;
}

int writer_close(struct writer *writer)
{
    int err = 0;

    if (writer->given < 0)
        return 0;
    if (writer->fd != writer->given)
        close(writer->fd);
    if (close(writer->given) < 0)
        err = -errno;
    writer->fd = writer->given = -1;
    return err;
}
