/* SPDX-License-Identifier: MIT */
/*
 * signals.h: what a signal does to a bridge.
 *
 * One that is killed leaves its guest standing still, so none that can be
 * caught kills it but those of a fault of its own.
 */
#ifndef BRIDGE_SIGNALS_H
#define BRIDGE_SIGNALS_H

/* Those that end it in order; bridge_loop.c has the loop see them. */
#define NR_SIGNALS 5
extern const int bridge_ending_signals[NR_SIGNALS];

/*
 * At the start: nothing that was inherited stands.  A signal that was ignored
 * remains so if it is SIGHUP (nohup).
 */
void bridge_signals_begin(void);

/* At the end: all is left as it should be, and no more of them do anything. */
void bridge_signals_end(void);

/* Does it end the bridge? */
int bridge_signal_ends(int signal);

#endif /* BRIDGE_SIGNALS_H */
