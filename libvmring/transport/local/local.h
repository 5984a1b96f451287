/* SPDX-License-Identifier: MIT */
/* local.h: the transport over unix sockets; scheme.c registers it. */
#ifndef VMRING_TRANSPORT_LOCAL_LOCAL_H
#define VMRING_TRANSPORT_LOCAL_LOCAL_H

#include "../scheme.h"

/*
 * Connects to a unix socket.  -ENOENT, -ECONNREFUSED, -EACCES (also when its
 * server is neither root nor this user), -ENAMETOOLONG, -EINVAL;
 * -EAGAIN: more have connected than the server takes at once.
 */
int local_connect(const char *path, struct link **link);

/* Uses a connected socket; takes it over, also on failure. */
int local_adopt(int fd, struct link **link);

/* A listener of unix sockets, with nobody to come yet.  -ENOMEM. */
int local_listener(const struct listening *how, struct listener **listener);

/*
 * Consumers may come to a socket at this path, by its mode and by their
 * credentials.  -EADDRINUSE, -EACCES, -ENAMETOOLONG; -EINVAL, also if they may
 * come elsewhere already, or the listener is another transport's.
 */
int local_listen(struct listener *listener, const char *path,
                 unsigned int mode);

#endif /* VMRING_TRANSPORT_LOCAL_LOCAL_H */
