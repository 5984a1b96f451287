/* SPDX-License-Identifier: MIT */
/* xenstore.h: bounded reads, and watches, of libxenstore. */
#ifndef VMRING_TRANSPORT_GRANT_XENSTORE_H
#define VMRING_TRANSPORT_GRANT_XENSTORE_H

#include <stdbool.h>
#include <stddef.h>

#include <xenstore.h>

#include "../../base/log.h"

#define XENSTORE_BASE 64   /* of a tree */
#define XENSTORE_PATH 128  /* of a node in it */
#define XENSTORE_TEXT 2050 /* of a node, the space before it and a NUL */

/* Events of watches that are taken at once, at most. */
#define XENSTORE_EVENTS 1024

struct xs_handle *xenstore_open(char *error, size_t error_len, int *err);

/*
 * A node as text, with a space before it, as message_field() takes it.
 * -EPROTO: it is too long or has a NUL in it.
 */
int xenstore_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
                  char text[XENSTORE_TEXT]);

int xenstore_write(struct xs_handle *xs, const char *path, const char *text);

/* An error that says nothing about the node, but that nobody is there. */
bool xenstore_is_lost(int err);

/*
 * Takes events of watches.  Returns how many; *seen: one had this token.
 * -EPIPE: xenstore is lost.
 */
int xenstore_drain(struct xs_handle *xs, const char *token, bool *seen);

#endif /* VMRING_TRANSPORT_GRANT_XENSTORE_H */
