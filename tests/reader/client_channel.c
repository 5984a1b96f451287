/* SPDX-License-Identifier: MIT */
/* client_channel.c: messages and doorbells, by docs/BINDING-LOCAL.md. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

struct channel channel = {.control = -1};

void fail(const char *what)
{
    fprintf(stderr, "client: %s\n", what);
    exit(2);
}

void channel_ring(uint32_t group)
{
    /* B21: a full buffer rings already. */
    if (channel.fds[channel.first_bell + group] >= 0)
        (void)!send(channel.fds[channel.first_bell + group], "!", 1,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
}

void channel_say(uint32_t type, const void *what, size_t len)
{
    struct vmring_local_header header = {type,
                                         (uint32_t)(sizeof(header) + len)};
    struct iovec iov[2] = {{&header, sizeof(header)},
                           {(void *)(uintptr_t)what, len}};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};

    if (sendmsg(channel.control, &message, MSG_NOSIGNAL) < 0)
        channel.gone = true;
}

static void keep_fds(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
         c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        channel.nr_fds =
            (unsigned int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(channel.fds, CMSG_DATA(c), channel.nr_fds * sizeof(int));
    }
}

/* The body's length; -1: none is there, or the producer has gone. */
ssize_t channel_hear(uint32_t *type)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(channel.fds))];
    } passed;
    struct vmring_local_header header;
    struct iovec iov[2] = {{&header, sizeof(header)},
                           {channel.body, sizeof(channel.body)}};
    struct msghdr message = {.msg_iov = iov,
                             .msg_iovlen = 2,
                             .msg_control = passed.bytes,
                             .msg_controllen = sizeof(passed)};
    ssize_t len =
        recvmsg(channel.control, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (len <= 0) {
        struct pollfd pfd = {.fd = channel.control};

        channel.gone = channel.gone || len == 0 || poll(&pfd, 1, 0) > 0;
        return -1;
    }
    if ((size_t)len < sizeof(header) || header.length != (size_t)len)
        fail("a message that is none");
    keep_fds(&message);
    *type = header.type;
    return len - (ssize_t)sizeof(header);
}

/* B22: empties it first, and looks afterwards. */
void channel_sleep(int timeout_ms)
{
    struct pollfd pfd[1 + XEN_VM_RING_MAX_GROUPS] = {
        {.fd = channel.control, .events = POLLIN}};
    unsigned int nr = channel.nr_fds - channel.first_bell;

    for (unsigned int g = 0; g < nr; g++) {
        pfd[1 + g].fd = channel.fds[channel.first_bell + g];
        pfd[1 + g].events = POLLIN;
    }
    if (poll(pfd, 1 + nr, timeout_ms) <= 0)
        return;
    for (unsigned int g = 0; g < nr; g++) {
        char bytes[64];
        ssize_t got = 1;

        while (pfd[1 + g].revents && got > 0)
            got = recv(channel.fds[channel.first_bell + g], bytes,
                       sizeof(bytes), MSG_DONTWAIT);
        if (pfd[1 + g].revents && got == 0) { /* B23 */
            close(channel.fds[channel.first_bell + g]);
            channel.fds[channel.first_bell + g] = -1;
        }
    }
}

void channel_connect(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct ucred peer;
    socklen_t len = sizeof(peer);

    channel.control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    strncpy(to.sun_path, path, sizeof(to.sun_path) - 1);
    if (channel.control < 0 ||
        connect(channel.control, (struct sockaddr *)&to, sizeof(to)) < 0)
        fail("cannot connect");
    if (getsockopt(channel.control, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
        (peer.uid != 0 && peer.uid != geteuid())) /* B1 */
        fail("a server of another user");
}
