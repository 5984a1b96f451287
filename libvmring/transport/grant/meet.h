/* SPDX-License-Identifier: MIT */
/*
 * meet.h: the rendezvous as the ends of the grant transport use it: as in
 * rendezvous.h, but that nobody waits for xenstored longer than a limit, and
 * once both are there only an agent that sends.  What takes longer counts as
 * xenstore lost.
 */
#ifndef VMRING_TRANSPORT_GRANT_MEET_H
#define VMRING_TRANSPORT_GRANT_MEET_H

#include "../errand.h"
#include "rendezvous.h"

/* --- The bridge's end: only meet_serve() waits --- */
struct meet_bridge;

/* As rendezvous_serve().  -ETIMEDOUT. */
int meet_serve(uint32_t domid, const char *target, struct meet_bridge **meet,
               char *error, size_t error_len);
/* Polls readable when there is something for meet_next(). */
int meet_serve_fd(const struct meet_bridge *meet);
/* As rendezvous_next(): -ESRCH, -ESTALE, -EPIPE are sticky. */
int meet_next(struct meet_bridge *meet, struct rendezvous_message *request);
/*
 * Has xenstore look though nobody has said that there is a request.  The look
 * has been taken, and meet_next() returned what it found, once
 * meet_has_looked() of this number; or xenstore is lost.
 */
uint64_t meet_look(struct meet_bridge *meet);
bool meet_has_looked(const struct meet_bridge *meet, uint64_t number);
/* Begins to answer.  -EINVAL, -ENOMEM, -EPIPE. */
int meet_reply(struct meet_bridge *meet, uint64_t session, uint64_t seq,
               uint32_t type, const void *body, size_t len);
int meet_tell_quiet(struct meet_bridge *meet, uint64_t session, uint64_t seq);
/* Begins to remove the tree.  NULL is fine. */
void meet_serve_end(struct meet_bridge *meet);

/* --- The agent's end --- */
#define MEET_DETACH_MS 1000 /* for a detach, until the bridge has seen it */

struct meet_agent;

/* -EINTR: `patience` was over. */
int meet_open(uint32_t domid, const char *target,
              const struct patience *patience, struct meet_agent **meet,
              char *error, size_t error_len);
/* Polls readable when meet_recv() may have more to say than -EAGAIN. */
int meet_fd(const struct meet_agent *meet);
/*
 * Waits `ms` at most, and as long as there is `patience` (NULL: that is without
 * end); a xenstored that takes longer is lost.
 */
int meet_send(struct meet_agent *meet, uint32_t type, const void *body,
              size_t len, int ms, const struct patience *patience);
/* Never waits: what it looks for it may have the next time. */
int meet_recv(struct meet_agent *meet, uint32_t *type, void *body, size_t max);
bool meet_is_waiting(const struct meet_agent *meet);
void meet_close(struct meet_agent *meet);

#endif /* VMRING_TRANSPORT_GRANT_MEET_H */
