/* SPDX-License-Identifier: MIT */
/*
 * rendezvous.h: where a bridge and an agent's domain meet: xenstore.
 *
 * docs/BINDING-GRANT.md has the tree and who may do what there.  Each end asks
 * xenstored and waits for its answer, a bounded number of times a call, and
 * without a limit to the time: meet.h has that.  For the other end nobody
 * waits.  Where there is `error`, a line is left there
 * on failure.
 */
#ifndef VMRING_TRANSPORT_GRANT_RENDEZVOUS_H
#define VMRING_TRANSPORT_GRANT_RENDEZVOUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

#define RENDEZVOUS_NAME 32 /* of a target, in its path, NUL included */

/* "DOMID/TARGET", behind grant:.  -EINVAL. */
int rendezvous_parse(const char *text, uint32_t *domid,
                     char target[RENDEZVOUS_NAME]);

/* One message of the other end, as in vmring_local.h and message.h. */
struct rendezvous_message {
    uint64_t session; /* which agent: a number of its own choice */
    uint64_t seq;     /* of its requests, from 1 */
    uint32_t type;
    uint32_t len;
    union {
        unsigned char bytes[VMRING_LOCAL_MAX];
        struct message_accept accept;
        struct vmring_local_counts counts;
    } body;
};

/* --- The bridge's end --- */
struct rendezvous_bridge;

/*
 * Makes the tree for agents in domain `domid`; one that a bridge before has
 * left is removed.  -EACCES, -ENOENT: no xenstore here; -ENOMEM...
 */
int rendezvous_serve(uint32_t domid, const char *target,
                     struct rendezvous_bridge **bridge, char *error,
                     size_t error_len);

/* Polls readable when there may be a request. */
int rendezvous_serve_fd(const struct rendezvous_bridge *bridge);

/*
 * The agent's request, if there is one that was not returned before: 1.  0:
 * none.  `anyway`: look though nobody has said that there is one.  -ESRCH: the
 * agent's domain is destroyed; -ESTALE: another bridge serves there now;
 * -EPIPE: xenstore is lost.
 */
int rendezvous_next(struct rendezvous_bridge *bridge, bool anyway,
                    struct rendezvous_message *request);

/* Writes an answer of message_write(); `quiet`: where that is told. */
int rendezvous_tell(struct rendezvous_bridge *bridge, bool quiet,
                    uint64_t session, uint64_t seq, const char *message);

/* Removes the tree.  NULL is fine. */
void rendezvous_serve_end(struct rendezvous_bridge *bridge);

/* --- The agent's end --- */
struct rendezvous_agent;

/*
 * -ENOENT: no bridge serves this domain there; -EACCES, -ENODEV: no xenstore
 * here; -ENOMEM.
 */
int rendezvous_open(uint32_t domid, const char *target,
                    struct rendezvous_agent **agent, char *error,
                    size_t error_len);

/* Polls readable when there may be an answer. */
int rendezvous_fd(const struct rendezvous_agent *agent);

/*
 * Sends a request, after those before it were answered.  -EAGAIN: the bridge
 * does not answer; -ECONNRESET: it has gone; -EINVAL, -ENOMEM, -EPIPE.
 */
int rendezvous_send(struct rendezvous_agent *agent, uint32_t type,
                    const void *body, size_t len);

/*
 * The next message: the body's length, and *type; MESSAGE_OK is not told of.
 * -EAGAIN: none; -ECONNRESET: the bridge has gone; -EPROTO; -EPIPE.
 */
int rendezvous_recv(struct rendezvous_agent *agent, uint32_t *type, void *body,
                    size_t max);

/* Is there perhaps a message, though the descriptor does not say so? */
bool rendezvous_may_have(const struct rendezvous_agent *agent);

/* Is there something that was not answered? */
bool rendezvous_is_waiting(const struct rendezvous_agent *agent);

/* NULL is fine. */
void rendezvous_close(struct rendezvous_agent *agent);

#endif /* VMRING_TRANSPORT_GRANT_RENDEZVOUS_H */
