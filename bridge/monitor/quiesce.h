/* SPDX-License-Identifier: MIT */
/* quiesce.h: when no vCPU of the domain is on its way through the ring. */
#ifndef BRIDGE_MONITOR_QUIESCE_H
#define BRIDGE_MONITOR_QUIESCE_H

#include "target.h"

enum quiesce_state {
    QUIESCE_BUSY,        /* armed, or requests are unanswered */
    QUIESCE_COMING_DOWN, /* waiting for each vCPU to pass a point of safety */
    QUIESCE_QUIET,       /* nothing of ours is in the domain */
};

/* The arrays have one entry a vCPU. */
struct quiesce {
    struct target *target;
    enum quiesce_state state;
    uint64_t *harmless;        /* cpu_time at which it had nothing of ours */
    uint64_t *started;         /* cpu_time when it began to come down */
    bool *passed;              /* has since passed a point of safety */
    uint64_t said_at;          /* ns; when it was said what is waited for */
    bool may_step, may_altp2m; /* a verdict has switched that on, perhaps */
};

/* An exit status; quiesce_close() in any case. */
int quiesce_open(struct quiesce *quiesce, struct target *target);
void quiesce_close(struct quiesce *quiesce);

/* Quiet before a single event was armed; the domain is paused. */
void quiesce_start(struct quiesce *quiesce);
/* Something of ours is on its way through the domain again. */
void quiesce_disturb(struct quiesce *quiesce);
/* Notes what this verdict leaves switched on in a vCPU. */
void quiesce_note_verdict(struct quiesce *quiesce, uint32_t flags);
/* Switches it off again. */
void quiesce_put_vcpus_back(struct quiesce *quiesce);

/*
 * A turn of coming down, for which nothing is armed nor unanswered.  True: each
 * vCPU has passed; if none of them has put a request, quiesce_be_quiet().
 */
bool quiesce_turn(struct quiesce *quiesce);
void quiesce_be_quiet(struct quiesce *quiesce);

#endif /* BRIDGE_MONITOR_QUIESCE_H */
