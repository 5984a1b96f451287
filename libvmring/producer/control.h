/* SPDX-License-Identifier: MIT */
/*
 * control.h: what an attached consumer asks for. But for control_disarm(), they
 * are called while there is one.
 */
#ifndef VMRING_PRODUCER_CONTROL_H
#define VMRING_PRODUCER_CONTROL_H

#include "handle.h"

/*
 * One message of the attached consumer.  -EPROTO: hang up.  Behind
 * the body is room for a byte.
 */
int control_message(struct vmring_producer *producer, uint32_t type, void *body,
                    size_t len);
/*
 * Says that the target is quiet, once it is, if the consumer has asked.  < 0:
 * it was not sent.
 */
int control_say_quiet(struct vmring_producer *producer);
/* Arms nothing any more. */
void control_disarm(struct vmring_producer *producer);
/* Answers a SUBSCRIBE, once the source has done it.  -EPROTO: hang up. */
int control_say_subscribed(struct vmring_producer *producer);
/* Answers a COUNT, once what was answered is collected.  -EPROTO: hang up. */
int control_say_counts(struct vmring_producer *producer);

#endif /* VMRING_PRODUCER_CONTROL_H */
