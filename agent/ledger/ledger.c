/* SPDX-License-Identifier: MIT */
/*
 * ledger.c: was every event delivered or counted lost, and every request
 * given one verdict?
 */
#include "ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ledger_open(struct ledger *ledger, const struct vmring_info *info,
                bool summary)
{
    memset(ledger, 0, sizeof(*ledger));
    ledger->nr_vcpus = info->nr_vcpus;
    ledger->nr_lanes = info->nr_lanes;
    ledger->loss_policy = info->loss_policy;
    ledger->tallies = calloc((size_t)info->nr_lanes * XEN_VM_RING_NR_REASONS,
                             sizeof(*ledger->tallies));
    ledger->lane_taken = calloc(info->nr_lanes, sizeof(*ledger->lane_taken));
    ledger->result = LEDGER_UNCHECKED;
    if (summary)
        ledger->summary = summary_new();
    if (ledger->tallies && ledger->lane_taken && !ledger->summary == !summary)
        return 0;
    ledger_close(ledger);
    return -ENOMEM;
}

void ledger_close(struct ledger *ledger)
{
    summary_free(ledger->summary);
    free(ledger->tallies);
    free(ledger->lane_taken);
    free(ledger->counts);
    free(ledger->lanes);
    free(ledger->rows);
    memset(ledger, 0, sizeof(*ledger));
}

static struct tally *tally_of(const struct ledger *ledger, uint32_t lane,
                              uint32_t reason)
{
    if (lane >= ledger->nr_lanes)
        return NULL;
    /* Of a later version: the producer's rows have it there, too. */
    if (reason >= XEN_VM_RING_NR_REASONS)
        reason = XEN_VM_RING_REASON_UNKNOWN;
    return &ledger->tallies[(size_t)lane * XEN_VM_RING_NR_REASONS + reason];
}

void ledger_count(struct ledger *ledger, const struct vmring_event *event,
                  enum given given)
{
    const struct xen_vm_ring_event *rec = &event->rec;
    uint32_t lane = event->lane;
    struct tally *tally = tally_of(ledger, lane, rec->reason);

    if (!tally)
        return; /* then the lane's count will not add up, as it should */
    if (event->seq) {
        tally->requests++;
        if (rec->flags & XEN_VM_RING_FLAG_REPOSTED)
            tally->reposted++;
        if (given == GIVEN_TAKEN)
            tally->given++;
        else
            tally->late++;
    } else if (event->epoch_mark) {
        tally->drained++;
    } else {
        tally->records++;
        ledger->lane_taken[lane]++;
    }
}

static void add_tally(struct tally *to, const struct tally *from)
{
    to->requests += from->requests;
    to->reposted += from->reposted;
    to->given += from->given;
    to->late += from->late;
    to->records += from->records;
    to->drained += from->drained;
}

void ledger_add(struct ledger *ledger, const struct ledger *other)
{
    size_t nr = (size_t)ledger->nr_lanes * XEN_VM_RING_NR_REASONS;

    for (size_t i = 0; i < nr; i++)
        add_tally(&ledger->tallies[i], &other->tallies[i]);
    for (uint32_t i = 0; i < ledger->nr_lanes; i++)
        ledger->lane_taken[i] += other->lane_taken[i];
    if (ledger->summary)
        summary_add(ledger->summary, other->summary);
    ledger->passed += other->passed;
    ledger->hidden += other->hidden;
}

int ledger_fetch(struct ledger *ledger, struct vmring *ring, bool ask)
{
    int r = ask ? vmring_counts(ring, &ledger->counts) : -ECANCELED;

    ledger->no_counts = r < 0 ? r : 0;
    if (r >= 0) {
        ledger->has_counts = true;
        ledger->nr_counts = (size_t)r;
    } else {
        ledger->counts = NULL;
        if (r == -ENOMEM)
            return r;
    }
    r = vmring_lane_counts(ring, &ledger->lanes);
    if (r < 0 || (uint32_t)r != ledger->nr_lanes) {
        if (r >= 0)
            free(ledger->lanes);
        ledger->lanes = NULL;
        if (r == -ENOMEM)
            return r;
    }
    ledger->stats.size = sizeof(ledger->stats);
    vmring_get_stats(ring, &ledger->stats);
    return 0;
}

static void differs(struct ledger *ledger, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first difference is the one that is told. */
static void differs(struct ledger *ledger, const char *format, ...)
{
    va_list args;

    if (ledger->result == LEDGER_DIFFERS)
        return;
    ledger->result = LEDGER_DIFFERS;
    va_start(args, format);
    vsnprintf(ledger->why, sizeof(ledger->why), format, args);
    va_end(args);
}

/* Is all loss in a vCPU's lane that of the one reason it has records of? */
static bool has_one_reason(const struct ledger *ledger, size_t first,
                           size_t end)
{
    unsigned int reasons = 0;

    for (size_t i = first; i < end; i++)
        if (ledger->counts[i].records)
            reasons++;
    return reasons <= 1;
}

/* The row's part of its lane's loss, which only the producer can tell. */
static void attribute_loss(const struct ledger *ledger, struct ledger_row *row,
                           const struct vmring_count *count, bool one_reason)
{
    row->lost_known = true;
    if (ledger->loss_policy == XEN_VM_RING_POLICY_DISCARD) {
        row->lost = count ? count->discarded : 0;
        row->lost_known = ledger->has_counts;
    } else if (!row->records && ledger->has_counts) {
        row->lost = 0;
    } else if (one_reason && ledger->lanes) {
        row->lost = ledger->lanes[row->lane].lost;
    } else {
        row->lost_known = false;
    }
}

static void add_row(struct ledger *ledger, uint32_t lane, uint32_t reason,
                    const struct vmring_count *count, bool one_reason)
{
    const struct tally *own = tally_of(ledger, lane, reason);
    struct ledger_row *row = &ledger->rows[ledger->nr_rows];
    struct ledger_row *total = &ledger->total;

    memset(row, 0, sizeof(*row));
    row->lane = lane;
    row->reason = (uint16_t)reason;
    row->own = *own;
    if (count) {
        row->requests = count->requests;
        row->records = count->records;
        row->answered = count->answered;
        row->defaulted = count->defaulted;
    }
    attribute_loss(ledger, row, count, one_reason);
    ledger->nr_rows++;

    add_tally(&total->own, own);
    total->requests += row->requests;
    total->records += row->records;
    total->answered += row->answered;
    total->defaulted += row->defaulted;
}

static int make_rows(struct ledger *ledger)
{
    size_t most = (size_t)ledger->nr_lanes * XEN_VM_RING_NR_REASONS;
    size_t next = 0;

    ledger->rows = calloc(most, sizeof(*ledger->rows));
    if (!ledger->rows)
        return -ENOMEM;
    for (uint32_t lane = 0; lane < ledger->nr_lanes; lane++) {
        size_t first = next;
        bool one_reason;

        while (next < ledger->nr_counts && ledger->counts[next].vcpu == lane)
            next++;
        one_reason = has_one_reason(ledger, first, next);

        for (uint32_t r = 0; r < XEN_VM_RING_NR_REASONS; r++) {
            static const struct tally none;
            const struct vmring_count *count = NULL;

            if (first < next && ledger->counts[first].reason == r)
                count = &ledger->counts[first++];
            if (count || memcmp(tally_of(ledger, lane, r), &none, sizeof(none)))
                add_row(ledger, lane, r, count, one_reason);
        }
        if (first < next)
            differs(ledger,
                    "vCPU %" PRIu32 ": the producer's rows are not in "
                    "order",
                    lane);
    }
    if (next < ledger->nr_counts)
        differs(ledger,
                "the producer has a row for lane %" PRIu32 ", of %" PRIu32,
                ledger->counts[next].vcpu, ledger->nr_lanes);
    return 0;
}

/* The words of the ring against what was handed over. */
static void check_lanes(struct ledger *ledger)
{
    ledger->total.lost_known = true;
    for (uint32_t i = 0; i < ledger->nr_lanes; i++) {
        const struct vmring_lane_count *lane = &ledger->lanes[i];
        uint64_t taken = ledger->lane_taken[i];

        ledger->total.lost += lane->lost;
        if (lane->pending)
            differs(ledger,
                    "lane %" PRIu32 ": %" PRIu64
                    " records were not handed over",
                    i, lane->pending);
        if (lane->taken != taken)
            differs(ledger,
                    "lane %" PRIu32 ": %" PRIu64 " records taken "
                    "but %" PRIu64 " handed over",
                    i, lane->taken, taken);
        if (lane->attempted != taken + lane->lost)
            differs(ledger,
                    "lane %" PRIu32 ": attempted %" PRIu64
                    ", but delivered %" PRIu64 " + lost %" PRIu64,
                    i, lane->attempted, taken, lane->lost);
    }
}

static void check_row(struct ledger *ledger, const struct ledger_row *row)
{
    const char *reason = vmring_reason_name(row->reason);

    if (row->requests != row->answered + row->defaulted)
        differs(ledger,
                "vCPU %" PRIu32 " %s: requests %" PRIu64
                ", but answered %" PRIu64 " + defaulted %" PRIu64,
                row->lane, reason, row->requests, row->answered,
                row->defaulted);
    if (row->own.requests > row->requests)
        differs(ledger,
                "vCPU %" PRIu32 " %s: %" PRIu64 " requests taken, of %" PRIu64,
                row->lane, reason, row->own.requests, row->requests);
    /* A verdict counts as answered only if this agent has given it. */
    if (row->answered > row->own.given)
        differs(ledger,
                "vCPU %" PRIu32 " %s: %" PRIu64 " answered, but %" PRIu64
                " verdicts given",
                row->lane, reason, row->answered, row->own.given);
    if (row->lost_known && row->records != row->own.records + row->lost)
        differs(ledger,
                "vCPU %" PRIu32 " %s: attempted %" PRIu64
                ", but delivered %" PRIu64 " + lost %" PRIu64,
                row->lane, reason, row->records, row->own.records, row->lost);
}

/* The producer's rows against the words of the ring, lane by lane. */
static void check_rows_of_lanes(struct ledger *ledger)
{
    const struct ledger_row *row = ledger->rows;
    const struct ledger_row *end = row + ledger->nr_rows;
    uint64_t all = 0;

    for (uint32_t i = 0; i < ledger->nr_lanes; i++) {
        uint64_t records = 0;

        for (; row < end && row->lane == i; row++)
            records += row->records;
        all += ledger->lanes[i].attempted;
        if (records != ledger->lanes[i].attempted)
            differs(ledger,
                    "lane %" PRIu32 ": attempted %" PRIu64
                    ", but the producer's rows say %" PRIu64,
                    i, ledger->lanes[i].attempted, records);
    }
    if (all != ledger->total.records)
        differs(ledger,
                "all lanes: attempted %" PRIu64
                ", but the producer's rows say %" PRIu64,
                all, ledger->total.records);
}

/* Says why, and how much the ring still holds by its own words. */
static void not_compared(struct ledger *ledger, const char *why)
{
    uint64_t pending = 0;

    ledger->result = LEDGER_UNCHECKED;
    for (uint32_t i = 0; ledger->lanes && i < ledger->nr_lanes; i++)
        pending += ledger->lanes[i].pending;
    snprintf(ledger->why, sizeof(ledger->why), "%s", why);
    if (ledger->lanes)
        snprintf(ledger->why, sizeof(ledger->why),
                 "%s; by the ring's words %" PRIu64
                 " records were not handed over",
                 why, pending);
}

int ledger_settle(struct ledger *ledger, const char *open)
{
    int r;

    ledger->result = LEDGER_ADDS_UP;
    r = make_rows(ledger);
    if (r)
        return r;
    if (ledger->lanes)
        check_lanes(ledger);
    if (ledger->has_counts) {
        for (size_t i = 0; i < ledger->nr_rows; i++)
            check_row(ledger, &ledger->rows[i]);
        if (ledger->lanes)
            check_rows_of_lanes(ledger);
    }

    /* Accounts that still move, or of which one is missing, prove nothing. */
    if (open) {
        not_compared(ledger, open);
    } else if (ledger->result == LEDGER_ADDS_UP &&
               (!ledger->lanes || !ledger->has_counts)) {
        not_compared(ledger, "the producer's counts could not be had");
    }
    return 0;
}

uint64_t ledger_delivered(const struct ledger_row *row)
{
    return row->own.requests + row->own.records;
}
