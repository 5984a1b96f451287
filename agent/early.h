/* SPDX-License-Identifier: MIT */
/*
 * early.h: signals that come before there is a loop to take them: while the
 * agent waits until all is armed.  It is attached then, and detaches in order.
 */
#ifndef AGENT_EARLY_H
#define AGENT_EARLY_H

/* They can come, even if whoever started us has them blocked. */
void early_let_in(void);
/* From now on they are noted, those that end the agent; SIGUSR1 is ignored. */
void early_begin(void);
/* As vmring_opts.interrupted. */
int early_has_come(void *ctx);
/* No more; what has come is forgotten. */
void early_drop(void);
/* Nobody has them, and they wait, what has come too, for whoever is next. */
void early_hand_over(void);
/* Who has them now gets them. */
void early_end(void);

#endif /* AGENT_EARLY_H */
