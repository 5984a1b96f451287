/* SPDX-License-Identifier: MIT */
/*
 * source.h: where events come from.  The bridge's loop knows a source by this
 * table only; monitor/ (a domain's legacy ring) and sim.c (a simulated guest)
 * implement it.
 */
#ifndef BRIDGE_SOURCE_H
#define BRIDGE_SOURCE_H

#include <json-c/json.h>
#include <stdbool.h>

#include "../libvmring/vmring.h"
#include "run_directory.h"

#define SOURCE_WAIT    (-1) /* until a descriptor or a verdict */
#define SOURCE_BROKEN  (-2) /* no event will come any more: end */
#define SOURCE_MAX_FDS 4

struct source_info {
    char name[64];    /* of the target, for the consumer; any bytes */
    char title[64];   /* of the target, shown by ps(1) */
    char listen[108]; /* where to serve by default, or "" */
    char tree[32];    /* what --to calls it in xenstore */
    uint32_t nr_vcpus;
    uint32_t arch;      /* XEN_VM_RING_ARCH_* */
    uint32_t verdicts;  /* that it can carry out */
    uint32_t source;    /* XEN_VM_RING_SOURCE_* */
    uint64_t target_id; /* of this target for ever; 0: not known */
    bool foreign;       /* raises events of no vCPU too */
    void *producer_ctx; /* for producer_ops */
    int fds[SOURCE_MAX_FDS];
    int nr_fds; /* poll these for input, then call run() */
};

/* What open() may return beside 0 and an exit status. */
#define SOURCE_INTERRUPTED (-3) /* by a signal that ends us, while waiting */
#define SOURCE_SHARED      (-4) /* another bridge has the target */

#define SOURCE_URI 114 /* "local:" and a socket's path */

struct source_start {
    const char *target;
    uint32_t agents;        /* the domain that is to watch it; 0: ours */
    unsigned int wait_s;    /* for a target that is being built */
    bool shares;            /* another bridge's socket will do */
    char other[SOURCE_URI]; /* of SOURCE_SHARED: where it serves */
};

struct source_ops {
    /*
     * Attaches to the target, arms nothing.  Returns an exit status, or one of
     * the above; when it is not 0, a line has been logged if it is an error,
     * and nothing is left attached.
     */
    int (*open)(struct source_start *start, void **source);
    void (*describe)(void *source, struct source_info *info);
    /* Consumers come to this URI from now on.  May be NULL. */
    void (*serves)(void *source, const char *uri);

    /*
     * Instead of all else: frees the target from a bridge that was killed.
     * `forced`: whatever seems to be alive.  Returns an exit status.
     */
    int (*recover)(const char *target, bool forced);

    /* subscribe, supported, quiet, attached; see vmring.h. */
    const struct vmring_producer_ops *producer_ops;

    /*
     * Events go to this producer from now on.  NULL: there is none any more,
     * each request gets the neutral verdict at once.
     */
    void (*start)(void *source, struct vmring_producer *producer);

    /*
     * Takes what has come, a bounded number.  0: there is more; else the ms
     * until it must be called again at the latest, or SOURCE_WAIT, _BROKEN.
     */
    int (*run)(void *source);

    /* Carries out a verdict, VMRING_OVERDUE too. */
    void (*verdict)(void *source, const struct vmring_verdict *verdict);
    /* No more verdicts for now: make them visible. */
    void (*flush)(void *source);

    /* XEN_VM_RING_TARGET_*, and the shutdown reason. */
    unsigned int (*target_state)(void *source, unsigned int *reason);

    /*
     * Ending, once start(NULL) was called and nothing is armed: true when the
     * target runs on without us, else call it again soon.  `forced`: do not
     * wait any longer.
     */
    bool (*end)(void *source, bool forced);

    /*
     * RUN_DIRECTORY will be out of reach: gives up what leads there.  NULL:
     * nothing does.
     */
    void (*confine)(void *source);

    /* Returns an exit status: 0, or EXIT_LEFT_BEHIND and a line was logged. */
    int (*close)(void *source);

    /* Adds its own numbers to the statistics; may print to the ledger. */
    void (*stats)(void *source, struct json_object *object);
};

extern const struct source_ops monitor_source;
extern const struct source_ops sim_source;

#endif /* BRIDGE_SOURCE_H */
