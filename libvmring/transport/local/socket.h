/* SPDX-License-Identifier: MIT */
/* socket.h: unix sockets: messages with descriptors, doorbells, addresses. */
#ifndef VMRING_TRANSPORT_LOCAL_SOCKET_H
#define VMRING_TRANSPORT_LOCAL_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

/* -ENAMETOOLONG, -EINVAL (empty). */
int socket_address(const char *path, struct sockaddr_un *addr);

/*
 * Sends one message with descriptors; never blocks.  -EAGAIN: the peer does
 * not read; -EPIPE or -ECONNRESET: it is gone.
 */
int socket_send(int fd, uint32_t type, const void *body, size_t len,
                const int *fds, unsigned int nr_fds);

/*
 * Receives one message; never blocks.  Returns the body's length and
 * *type; descriptors go to fds, at most max_fds; any more are closed.
 * -EAGAIN: none there; -ECONNRESET: the peer is gone; -EPROTO: malformed;
 * -EMFILE: no room in this process for its descriptors.
 */
int socket_recv(int fd, uint32_t *type, void *body, size_t max, int *fds,
                unsigned int max_fds, unsigned int *nr_fds);

/*
 * Is it what a peer has to hand over, or our starter: a connected unix socket
 * of this type?  0; -EINVAL: it is not; -EBADF.
 */
int socket_check(int fd, int type);

/* Bytes that were sent by it and are not read yet. */
int socket_unread(int fd);

/* 0: readable or hung up; -ETIMEDOUT; -EINTR. */
int socket_wait(int fd, int timeout_ms);

/*
 * A doorbell: both ends of a stream socket pair.  Unlike an eventfd, whose
 * O_NONBLOCK and counter the peer shares, neither end can make the other
 * block (docs/BINDING-LOCAL.md).
 */
int doorbell_make(int ends[2]);
void doorbell_ring(int fd);
/* 1: it was rung; 0: not; -ECONNRESET: the peer closed its end. */
int doorbell_ack(int fd);

#endif /* VMRING_TRANSPORT_LOCAL_SOCKET_H */
