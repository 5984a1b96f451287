/* SPDX-License-Identifier: MIT */
#include "socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vmring_local.h>

int socket_address(const char *path, struct sockaddr_un *addr)
{
    size_t len = strlen(path);

    if (len == 0)
        return -EINVAL;
    if (len >= sizeof(addr->sun_path))
        return -ENAMETOOLONG;
    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    memcpy(addr->sun_path, path, len + 1);
    return 0;
}

int socket_send(int fd, uint32_t type, const void *body, size_t len,
                const int *fds, unsigned int nr_fds)
{
    struct vmring_local_header header = {type,
                                         (uint32_t)(sizeof(header) + len)};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(VMRING_LOCAL_MAX_FDS * sizeof(int))];
    } control;
    struct iovec iov[2] = {
        {&header, sizeof(header)},
        /* sendmsg() does not write through it. */
        {(void *)(uintptr_t)body, len},
    };
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = len ? 2 : 1};

    if (nr_fds) {
        struct cmsghdr *cmsg;

        memset(&control, 0, sizeof(control));
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, nr_fds * sizeof(int));
    }
    if (sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return -errno;
    return 0;
}

static unsigned int take_fds(struct msghdr *msg, int *fds, unsigned int max)
{
    unsigned int nr = 0;

    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg;
         cmsg = CMSG_NXTHDR(msg, cmsg)) {
        unsigned int there;

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
            continue;
        there = (unsigned int)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (unsigned int i = 0; i < there; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
            if (nr < max)
                fds[nr++] = fd;
            else
                close(fd);
        }
    }
    return nr;
}

int socket_recv(int fd, uint32_t *type, void *body, size_t max, int *fds,
                unsigned int max_fds, unsigned int *nr_fds)
{
    struct vmring_local_header header;
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(VMRING_LOCAL_MAX_FDS * sizeof(int))];
    } control;
    struct iovec iov[2] = {{&header, sizeof(header)}, {body, max}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    unsigned int nr = 0;
    ssize_t len;
    int err = 0;

    /* Without a control buffer the kernel drops what the peer passes. */
    if (max_fds) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
    }
    len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    /* It closed without reading all: told once, and before what it sent. */
    if (len < 0 && errno == ECONNRESET)
        len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    if (max_fds)
        nr = take_fds(&msg, fds, max_fds);
    if (nr_fds)
        *nr_fds = nr;
    if (len == 0)
        return -ECONNRESET;
    if ((size_t)len < sizeof(header) || (msg.msg_flags & MSG_TRUNC) ||
        header.length != (size_t)len)
        err = -EPROTO;
    else if (max_fds && nr < max_fds && (msg.msg_flags & MSG_CTRUNC))
        err = -EMFILE; /* there was room for more, and none in the process */
    if (err) {
        while (nr)
            close(fds[--nr]);
        if (nr_fds)
            *nr_fds = 0;
        return err;
    }
    *type = header.type;
    return (int)((size_t)len - sizeof(header));
}

static int option_of(int fd, int option)
{
    socklen_t len = sizeof(int);
    int value;

    if (getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0)
        return errno == ENOTSOCK ? -EINVAL : -errno;
    return value;
}

int socket_check(int fd, int type)
{
    /* Neither a datagram nor a listening socket ever comes to an end. */
    const struct {
        int option, value;
    } is[] = {{SO_DOMAIN, AF_UNIX}, {SO_TYPE, type}, {SO_ACCEPTCONN, 0}};
    struct sockaddr_un peer;
    socklen_t len = sizeof(peer);

    for (unsigned int i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
        int value = option_of(fd, is[i].option);

        if (value != is[i].value)
            return value < 0 ? value : -EINVAL;
    }
    if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0)
        return errno == ENOTCONN ? -EINVAL : -errno;
    return 0;
}

int socket_unread(int fd)
{
    int bytes;

    return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? 0 : bytes;
}

int socket_wait(int fd, int timeout_ms)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    int ready = poll(&pfd, 1, timeout_ms);

    if (ready < 0)
        return -errno;
    return ready ? 0 : -ETIMEDOUT;
}

int doorbell_make(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   ends) < 0)
        return -errno;
    return 0;
}

void doorbell_ring(int fd)
{
    /* A full buffer is a doorbell that rings already. */
    (void)!send(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int doorbell_ack(int fd)
{
    char rung[4096];
    ssize_t len = recv(fd, rung, sizeof(rung), MSG_DONTWAIT);

    if (len == 0)
        return -ECONNRESET;
    if (len < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -ECONNRESET;
    return 1;
}
