/* SPDX-License-Identifier: MIT */
/*
 * unread.h: connections that are over, whose peer has not read what it was
 * handed.
 *
 * Descriptors on their way count for the user who sent them, until they are
 * read or the reader's socket is gone; when there are as many as a process may
 * have open, no process of that user can send any: no bridge.  So a connection
 * is kept as long as its descriptors are unread, to see when they are read, and
 * a user with unread ones is handed nothing more.
 */
#ifndef VMRING_TRANSPORT_LOCAL_UNREAD_H
#define VMRING_TRANSPORT_LOCAL_UNREAD_H

#include <stdbool.h>
#include <sys/types.h>

/* Of a listener, and of one user. */
#define MAX_UNREAD         4
#define MAX_UNREAD_OF_USER 2

struct unread {
    unsigned int nr;
    struct {
        int fd;
        uid_t uid;
    } of[MAX_UNREAD];
};

/* Closes it, now or when all is read, or the peer is gone. */
void unread_close(struct unread *unread, int fd, uid_t uid);

/* May this user be handed something?  Looks again at what was kept. */
bool unread_allows(struct unread *unread, uid_t uid);

/* Closes all. */
void unread_end(struct unread *unread);

#endif /* VMRING_TRANSPORT_LOCAL_UNREAD_H */
