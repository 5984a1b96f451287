/* SPDX-License-Identifier: MIT */
/*
 * run.h: takes events, answers, shows and counts them, until it ends.
 */
#ifndef AGENT_RUN_H
#define AGENT_RUN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "ledger/ledger.h"
#include "options.h"
#include "output/output.h"

/* Why vmring_next() gave no more events. */
enum ending {
    ENDED_DRAINED,     /* -n, -t, a signal or an output error: in order */
    ENDED_INTERRUPTED, /* a second signal: at once */
    ENDED_LIMIT,       /* it took too long */
    ENDED_PRODUCER,    /* the producer ends, in order */
    ENDED_TARGET,      /* shut down or destroyed */
    ENDED_PEER_LOST,   /* the producer went away */
    ENDED_PEER_BROKEN, /* the producer broke the protocol */
    ENDED_FAULT,       /* the agent's own event loop failed */
};

struct event_base; /* libevent's */

/* Times are shown from it; the first thread that has an event may set it. */
struct origin {
    pthread_mutex_t lock;
    bool known;
    uint64_t ns;  /* by the producer's clock */
    int64_t wall; /* by ours, since 1970: what time it was then */
};

/* Sets it to now, which is `ns` by the producer's clock. */
void origin_set(struct origin *origin, uint64_t ns);

/* From an attached ring until it is detached. */
struct run {
    /* Given. */
    struct event_base *base; /* taken over */
    const struct options *options;
    struct vmring *ring;
    const struct vmring_info *info;
    bool is_from_xen;   /* as no bridge serves it */
    struct output *out; /* of events */
    struct ledger *ledger;
    struct origin origin; /* when it attached, if that clock is ours */

    /* Found. */
    enum ending ending;
    bool unread;    /* ENDED_LIMIT: as nobody reads the output */
    uint64_t limit; /* when --end-within is over; 0: not begun, or none */
    double seconds; /* for which events were taken */
};

/*
 * What the loop waits with: before it attaches, as libevent ends the program if
 * the system does not give what it needs.  Ends it, after a line, if it cannot
 * be had.
 */
struct event_base *run_base_new(void);

/* From now on --end-within runs, if it does not yet. */
void run_limit_end(struct run *run);

/*
 * Runs until the end; out->error says whether all could be written.  A lost
 * output ends it in order, like a signal.
 */
void run_until_end(struct run *run);

#endif /* AGENT_RUN_H */
