/* SPDX-License-Identifier: MIT */
/*
 * message.h: the control messages of vmring_local.h as text, for xenstore.
 *
 * A word that says what it is, then KEY=VALUE, each behind one space, all of
 * them and in this order; numbers in decimal: see docs/BINDING-GRANT.md.
 * Strict where it reads: the other domain may have written anything.
 */
#ifndef VMRING_TRANSPORT_GRANT_MESSAGE_H
#define VMRING_TRANSPORT_GRANT_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <vmring_local.h>

/*
 * Room for the longest, and its NUL.  A node of xenstore holds 2 KiB, and it
 * names the receiver, too.
 */
#define MESSAGE_MAX 1920

/* Rows of VMRING_LOCAL_COUNTS that are sure to fit. */
#define MESSAGE_ROWS 16

/* Besides these one may have MESSAGE_OK, which has no body: nothing to tell. */
#define MESSAGE_OK 0

/* The text of VMRING_LOCAL_SUBSCRIBE stands in nodes of its own, this much in
 * each. */
#define MESSAGE_PART  1900
#define MESSAGE_PARTS ((VMRING_LOCAL_MAX + MESSAGE_PART - 1) / MESSAGE_PART)
struct message_subscribe {
    uint32_t nr_parts;
};

/* VMRING_LOCAL_ACCEPT, where what is handed over has a number. */
struct message_accept {
    struct vmring_local_accept wire;
    uint32_t directory; /* reference of its first page; 0 if refused */
    uint32_t nr_ports;
    uint32_t ports[XEN_VM_RING_MAX_GROUPS]; /* a doorbell a group */
};

/*
 * Writes a message whose body is as in vmring_local.h, or as above.  Returns
 * its length; -EINVAL: there is no such, or it would not fit.
 */
int message_write(uint32_t type, const void *body, size_t len,
                  char text[MESSAGE_MAX]);

/*
 * Reads one.  Returns the body's length and *type; -EPROTO: it is none.
 * `body` has room for `max` bytes, aligned like any structure here.
 */
int message_read(const char *text, uint32_t *type, void *body, size_t max);

/*
 * What stands before a message, ">" and the message behind it: names and
 * numbers of its writer.  The rest of the text, or NULL: it is none.
 */
const char *message_field(const char *text, const char *key, uint64_t max,
                          uint64_t *value);

#endif /* VMRING_TRANSPORT_GRANT_MESSAGE_H */
