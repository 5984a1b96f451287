/* SPDX-License-Identifier: MIT */
/* meeting.h: a bridge in domain 0 and an agent in domain 7, in xenstore. */
#ifndef VMRING_TESTS_MEETING_H
#define VMRING_TESTS_MEETING_H

#include "check.h"
#include "fake_xenstore.h"
#include "transport/grant/rendezvous.h"

#define MEETING_AGENT 7
#define MEETING_ABOVE "/local/domain/0/vmring"
#define MEETING       MEETING_ABOVE "/5"

/* What xenstore has before anybody comes. */
void meeting_prepare(void);

struct rendezvous_bridge *meeting_serve(void);
struct rendezvous_agent *meeting_open(void);

/* Answers, as a bridge's end of the transport does.  -EINVAL, -EPIPE. */
int meeting_reply(struct rendezvous_bridge *bridge, uint64_t session,
                  uint64_t seq, uint32_t type, const void *body, size_t len);
int meeting_tell_quiet(struct rendezvous_bridge *bridge, uint64_t session,
                       uint64_t seq);

/* The next request, which there must be; static. */
const struct rendezvous_message *meeting_next(struct rendezvous_bridge *bridge);
/* There is none. */
void meeting_none(struct rendezvous_bridge *bridge);

/* The agent's request that stands there; NULL: none, or it is nobody's. */
const char *meeting_asked(uint64_t *session, uint64_t *seq);

/* An agent's proposal is seen, and refused: enough to have an answer. */
void meeting_exchange(struct rendezvous_bridge *bridge,
                      struct rendezvous_agent *agent);

#endif /* VMRING_TESTS_MEETING_H */
