/* SPDX-License-Identifier: MIT */
/* unread.c: connections that are over, and not read.  See unread.h. */
#include "unread.h"

#include <sys/socket.h>
#include <unistd.h>

#include "socket.h"

static void look(struct unread *unread)
{
    unsigned int left = 0;

    for (unsigned int i = 0; i < unread->nr; i++) {
        if (socket_unread(unread->of[i].fd))
            unread->of[left++] = unread->of[i];
        else
            close(unread->of[i].fd);
    }
    unread->nr = left;
}

void unread_close(struct unread *unread, int fd, uid_t uid)
{
    look(unread);
    /* It has none of these if there is no room: see unread_allows(). */
    if (!socket_unread(fd) || unread->nr == MAX_UNREAD) {
        close(fd);
        return;
    }
    /* When it has read that, it reads the end. */
    (void)shutdown(fd, SHUT_RDWR);
    unread->of[unread->nr].fd = fd;
    unread->of[unread->nr++].uid = uid;
}

bool unread_allows(struct unread *unread, uid_t uid)
{
    unsigned int theirs = 0;

    look(unread);
    for (unsigned int i = 0; i < unread->nr; i++)
        theirs += unread->of[i].uid == uid;
    /* One more may come of what is handed over now. */
    return unread->nr < MAX_UNREAD && theirs < MAX_UNREAD_OF_USER;
}

void unread_end(struct unread *unread)
{
    while (unread->nr)
        close(unread->of[--unread->nr].fd);
}
