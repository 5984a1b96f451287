/* SPDX-License-Identifier: MIT */
/* bridge.h: between a source of events and the producer that serves them. */
#ifndef BRIDGE_LOOP_BRIDGE_H
#define BRIDGE_LOOP_BRIDGE_H

#include "../allow.h"
#include "../source.h"

struct bridge_options {
    const struct source_ops *source;
    const char *target;  /* as the source wants it */
    const char *listen;  /* NULL: the source's default, unless fd is given */
    const char *to;      /* NULL, or the domain whose agents are served */
    unsigned int mode;   /* of the socket; 0: the library's default */
    int fd;              /* a connected socket, or -1 */
    int ready_fd;        /* or -1 */
    bool shares;         /* another bridge's socket will do */
    unsigned int wait_s; /* for a target that is being built */
    uint64_t deadline_ns;
    uint32_t on_deadline;
    uint64_t max_async_len; /* bytes of records that a consumer may have */
    struct allow allow;
    uint32_t allow_verdicts; /* cut down to what the source can do */
    unsigned int linger_s;
    unsigned int farewell_s; /* for a consumer to end in order; 0: none */
    bool once;
    bool quiet;
    const char *stats; /* NULL, a file, or "-" */
    bool no_sandbox;
    int reader; /* reader.h, or -1 */
};

/* Runs until the end; returns an exit status. */
int bridge_run(const struct bridge_options *options);

#endif /* BRIDGE_LOOP_BRIDGE_H */
