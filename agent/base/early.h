/* SPDX-License-Identifier: MIT */
/*
 * early.h: signals that come while there is no loop to take them: before all is
 * armed, and after the end, while counts are asked for and output is read.
 */
#ifndef AGENT_EARLY_H
#define AGENT_EARLY_H

#include <stdbool.h>

/*
 * From now on signals that end the agent are noted, also those that were
 * blocked when it was started; SIGUSR1 is ignored.
 */
void early_begin(void);

/* Has one come?  The type is that of vmring_opts.interrupted. */
bool early_has_come(void *ctx);

/* Forgets the one that has come. */
void early_forget(void);

/* Blocks them until early_begin(). */
void early_hold(void);

/*
 * Notes them no more, and blocks them until early_end(): the one that has come
 * waits, too, for the handlers that are set in between.
 */
void early_hand_over(void);
void early_end(void);

#endif /* AGENT_EARLY_H */
