/* SPDX-License-Identifier: MIT */
/*
 * early.h: signals that come while there is no loop to take them: before all is
 * armed, and after the end, while counts are asked for and output is read.
 */
#ifndef AGENT_EARLY_H
#define AGENT_EARLY_H

/*
 * From now on they are noted, those that end the agent, even if whoever started
 * us has them blocked; SIGUSR1 is ignored.
 */
void early_begin(void);
/* As vmring_opts.interrupted. */
int early_has_come(void *ctx);
/* What has come is forgotten. */
void early_forget(void);
/* They are held back, until early_begin(): nobody else has them meanwhile. */
void early_hold(void);
/* Nobody has them, and they wait, what has come too, for whoever is next. */
void early_hand_over(void);
/* Who has them now gets them. */
void early_end(void);

#endif /* AGENT_EARLY_H */
