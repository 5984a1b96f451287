/* SPDX-License-Identifier: MIT */
/*
 * meet_thread.h: what both ends of meet.h have: a thread that asks xenstored,
 * and a descriptor that polls readable when there is something to look for, or
 * when a look is over.
 */
#ifndef VMRING_TRANSPORT_GRANT_MEET_THREAD_H
#define VMRING_TRANSPORT_GRANT_MEET_THREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "../errand.h"

/*
 * How long xenstored may take for one thing to do: a dom0 that is short of CPUs
 * has let agents wait for seconds.  (A test waits less.)
 */
extern int meet_lost_ms;
/* And at the end, for all. */
#define MEET_END_MS 3000

/* epoll: -1 to begin with, all else 0. */
struct meet_thread {
    struct errands *errands;
    int fd;          /* xenstore's */
    int epoll;       /* of that, when nobody looks, and of errands */
    bool is_looking; /* an errand is on its way, which has all to itself */
};

int meet_thread_start(struct meet_thread *thread, char *error,
                      size_t error_len);
/* -ETIMEDOUT, or -EINTR by patience: the errand is lost. */
int meet_thread_open(struct meet_thread *thread, struct errand *open,
                     const struct patience *patience, char *error,
                     size_t error_len);
/* What it has opened is looked at from now on. */
int meet_thread_watch(struct meet_thread *thread, int fd, char *error,
                      size_t error_len);

/* Does xenstore's descriptor say that there is something? */
bool meet_thread_is_rung(const struct meet_thread *thread);
void meet_thread_begin_look(struct meet_thread *thread, struct errand *look);
/* It was returned by errands_done().  An errno: nothing would tell any more. */
int meet_thread_end_look(struct meet_thread *thread);

/* `last` is done at the end; without a thread it is only freed. */
void meet_thread_end(struct meet_thread *thread, struct errand *last, int ms);

#endif /* VMRING_TRANSPORT_GRANT_MEET_THREAD_H */
