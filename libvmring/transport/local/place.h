/* SPDX-License-Identifier: MIT */
/* place.h: the path at which a unix socket is served. */
#ifndef VMRING_TRANSPORT_LOCAL_PLACE_H
#define VMRING_TRANSPORT_LOCAL_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

struct place {
    int folder; /* the socket may be reached by this alone; -1: none */
    char *name; /* of the socket there */
    ino_t inode;
};

/*
 * Binds a socket to the path, with that mode, and has it listen.  One that
 * nobody serves any more is replaced.  -EADDRINUSE: it is served, or somebody
 * has been about to for 2 s; -EACCES, -ENOENT (folder), -ENOMEM...
 */
int place_take(struct place *place, const char *path, unsigned int mode,
               int listener);

/* Removes the socket, if it is still the one that is there. */
void place_leave(struct place *place);

#endif /* VMRING_TRANSPORT_LOCAL_PLACE_H */
