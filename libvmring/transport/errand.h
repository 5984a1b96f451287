/* SPDX-License-Identifier: MIT */
/*
 * errand.h: what may take for ever, in a thread of its own.
 *
 * libxenstore waits without limit for a xenstored that was stopped or killed,
 * and no signal ends that.  So a thread of its own calls it, and the caller
 * waits for that thread as long as it likes.  Errands are done in order.
 */
#ifndef VMRING_TRANSPORT_ERRAND_H
#define VMRING_TRANSPORT_ERRAND_H

#include <stdbool.h>
#include <stdint.h>

#include "patience.h"

struct errands;

/* The first member of a block of malloc(), which free() ends. */
struct errand {
    struct errand *next;
    void (*run)(struct errand *errand); /* in the thread */
    enum { ERRAND_AWAITED, ERRAND_POSTED, ERRAND_FORGOTTEN } how;
    bool is_done;
};

/* Starts the thread, which gets no signal.  -EAGAIN, -ENOMEM, -EMFILE. */
int errands_start(struct errands **errands);

/*
 * Has it done, and waits for that.  false: it takes longer than `ms`, or
 * `patience` (NULL: without end) is over; the errand, and what it works on, are
 * the thread's now, until errands_end().
 */
bool errands_do(struct errands *errands, struct errand *errand, int ms,
                const struct patience *patience);

/* Has it done; nobody waits. */
void errands_post(struct errands *errands, struct errand *errand);

/* Has it done, and freed; nobody waits, nor is told. */
void errands_leave(struct errands *errands, struct errand *errand);

/* Polls readable when there is one that was posted and is done. */
int errands_fd(const struct errands *errands);

/* The next of those, which is the caller's again; NULL: none. */
struct errand *errands_done(struct errands *errands);

/* For how many ms the present one goes on, 1 at least; 0: there is none. */
int64_t errands_late(struct errands *errands);

/*
 * The thread does what is left, then `last` (NULL: nothing), frees all, and
 * ends. The caller does not wait; the end of the process does, for `ms` at
 * most. NULL is fine.
 */
void errands_end(struct errands *errands, struct errand *last, int ms);

/* Waits for those that were ended, as the end of the process does. */
void errands_wait_for_ended(void);

#endif /* VMRING_TRANSPORT_ERRAND_H */
