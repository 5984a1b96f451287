/* SPDX-License-Identifier: MIT */
/*
 * ledger.h: was every event delivered or counted lost, and every request
 * given one verdict?
 *
 * Three accounts are kept apart and then compared: what the agent was handed,
 * which it counts itself; the words of the ring, per lane; and the producer's
 * own rows, per vCPU and reason.  No number is derived from the others that
 * it is to be compared with. Written by output/text_ledger.c and
 * output/json_ledger.c.
 */
#ifndef AGENT_LEDGER_H
#define AGENT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../libvmring/vmring.h"
#include "summary.h"

/* Events that this agent was handed, of one vCPU and reason. */
struct tally {
    uint64_t requests; /* of them: */
    uint64_t reposted; /*   perhaps seen by an earlier agent */
    uint64_t given;    /*   verdicts that the ring took */
    uint64_t late;     /*   those it refused: the deadline had passed */
    uint64_t records;
    uint64_t drained; /* records of the epoch before; not in `records` */
};

/* One line of the table. */
struct ledger_row {
    uint32_t lane; /* vCPU, or nr_vcpus: events that no vCPU raised itself */
    uint16_t reason;
    bool lost_known; /* false: this lane's loss has several reasons */
    struct tally own;
    uint64_t requests, records; /* the producer's: attempted */
    uint64_t lost;
    uint64_t answered, defaulted;
};

enum ledger_result {
    LEDGER_ADDS_UP,
    LEDGER_DIFFERS,
    LEDGER_UNCHECKED, /* not drained, or the producer is gone */
};

struct ledger {
    uint32_t nr_vcpus, nr_lanes;
    uint32_t loss_policy;    /* of lanes: XEN_VM_RING_POLICY_* */
    struct tally *tallies;   /* nr_lanes * XEN_VM_RING_NR_REASONS */
    uint64_t *lane_taken;    /* nr_lanes: records handed over, this epoch */
    struct summary *summary; /* -c, else NULL */
    bool filtered; /* there is a filter; of all that was handed over */
    uint64_t passed, hidden; /* it has passed so many, and not the others */

    /* From the ring and the producer, at the end. */
    bool has_counts;
    int no_counts; /* -errno: why not */
    struct vmring_count *counts;
    size_t nr_counts;
    struct vmring_lane_count *lanes; /* NULL, or nr_lanes */
    struct vmring_stats stats;

    /* The result. */
    struct ledger_row *rows;
    size_t nr_rows;
    struct ledger_row total; /* lost_known unless there are no lanes */
    double seconds;
    uint64_t unordered; /* lines that came too late for --sort */
    enum ledger_result result;
    char why[160]; /* unless it adds up */
};

/* 0 or -ENOMEM. */
int ledger_open(struct ledger *ledger, const struct vmring_info *info,
                bool summary);
void ledger_close(struct ledger *ledger);

/* The verdict on a request: what vmring_respond() made of it. */
enum given {
    GIVEN_NONE, /* a record */
    GIVEN_TAKEN,
    GIVEN_LATE,
};

/* Counts an event that the agent was handed. */
void ledger_count(struct ledger *ledger, const struct vmring_event *event,
                  enum given given);

/* Adds what another thread was handed. */
void ledger_add(struct ledger *ledger, const struct ledger *other);

/*
 * Takes the producer's rows, if it is to be asked, which may take long, and the
 * lanes' words.  A producer that is gone leaves the rows out, and `no_counts`
 * says why.  0 or -ENOMEM.
 */
int ledger_fetch(struct ledger *ledger, struct vmring *ring, bool ask);

/*
 * Makes the rows and the result.  `open`: why the accounts are not to be
 * compared, as vmring_next() did not reach an end; else NULL.  0 or -ENOMEM.
 */
int ledger_settle(struct ledger *ledger, const char *open);

/* Events handed to this agent in this epoch. */
uint64_t ledger_delivered(const struct ledger_row *row);

#endif /* AGENT_LEDGER_H */
