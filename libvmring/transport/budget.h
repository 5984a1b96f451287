/* SPDX-License-Identifier: MIT */
/*
 * budget.h: a limit on how often a peer's doorbells and messages are looked at.
 *
 * A peer beyond its rate, and a burst, is not looked at until the rate is met
 * again, for a millisecond at least: a look costs us as much as it costs the
 * peer, and others are to be served.  What it has sent waits, and is not lost.
 */
#ifndef VMRING_TRANSPORT_BUDGET_H
#define VMRING_TRANSPORT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BELLS_PER_SECOND    20000
#define BELLS_BURST         1024
#define MESSAGES_PER_SECOND 1000
#define MESSAGES_BURST      256

/* For one thread. */
struct budget {
    /*
     * When all so far would be over at the highest rate: it runs ahead of the
     * time by what is left of a burst at most.
     */
    uint64_t paid_until;
    uint32_t earned; /* rings that are free */
};

/*
 * Counts a doorbell.  0, or for how many ns it is not to be heard.  `now` is of
 * clock_ns().
 */
uint64_t budget_ring(struct budget *budget, uint64_t now);
/* And a message of the control channel. */
uint64_t budget_ask(struct budget *budget, uint64_t now);
/*
 * The peer's next ring is free, a burst of them at most: it answered a request
 * of ours, and must be able to ring for that as often as we ask.
 */
void budget_earn(struct budget *budget);

/* A timer, to be polled: -EMFILE... */
int pause_open(void);
/* From now on; a millisecond at least, a tenth of a second at most. */
void pause_begin(int timer, uint64_t ns);
bool pause_is_over(int timer);

#endif /* VMRING_TRANSPORT_BUDGET_H */
