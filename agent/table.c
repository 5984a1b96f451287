/* SPDX-License-Identifier: MIT */
/*
 * table.c: the ledger, and the kinds of events, as readable tables.
 */
#include "table.h"

#include <inttypes.h>
#include <stdio.h>

#define GREEN "\033[32m"
#define RED   "\033[31m"
#define BOLD  "\033[1m"
#define RESET "\033[0m"

/* With more vCPUs than this a row for each hides what matters. */
#define FEW_VCPUS 16

static const char *paint(const struct output *out, const char *colour)
{
    return out->colour ? colour : "";
}

static void add_up(struct ledger_row *sum, const struct ledger_row *row)
{
    sum->own.requests += row->own.requests;
    sum->own.records += row->own.records;
    sum->requests += row->requests;
    sum->records += row->records;
    sum->lost += row->lost;
    sum->lost_known &= row->lost_known;
    sum->answered += row->answered;
    sum->defaulted += row->defaulted;
}

/* A number, or a dash for one that nobody can know. */
static void cell(struct output *out, bool known, uint64_t value)
{
    if (known)
        output_printf(out, "  %10" PRIu64, value);
    else
        output_printf(out, "  %10s", "-");
}

static void line(struct output *out, const struct ledger *ledger,
                 const char *vcpu, const char *reason,
                 const struct ledger_row *row)
{
    bool known = ledger->has_counts;

    output_printf(out, "  %-6s %-20s", vcpu, reason ? reason : "unknown");
    cell(out, known, row->requests + row->records);
    cell(out, true, ledger_delivered(row));
    cell(out, row->lost_known, row->lost);
    cell(out, known, row->answered);
    cell(out, known, row->defaulted);
    output_bytes(out, "\n", 1);
}

static void name_lane(const struct ledger *ledger, uint32_t lane, char *text,
                      size_t len)
{
    if (lane < ledger->nr_vcpus)
        snprintf(text, len, "v%" PRIu32, lane);
    else
        snprintf(text, len, "-");
}

static void every_row(struct output *out, const struct ledger *ledger)
{
    char vcpu[16];

    for (size_t i = 0; i < ledger->nr_rows; i++) {
        const struct ledger_row *row = &ledger->rows[i];

        name_lane(ledger, row->lane, vcpu, sizeof(vcpu));
        line(out, ledger, vcpu, vmring_reason_name(row->reason), row);
    }
}

static void sums_of_reasons(struct output *out, const struct ledger *ledger)
{
    for (uint16_t reason = 0; reason < XEN_VM_RING_NR_REASONS; reason++) {
        struct ledger_row sum = {.reason = reason, .lost_known = true};
        bool any = false;

        for (size_t i = 0; i < ledger->nr_rows; i++) {
            if (ledger->rows[i].reason == reason) {
                add_up(&sum, &ledger->rows[i]);
                any = true;
            }
        }
        if (any)
            line(out, ledger, "all", vmring_reason_name(reason), &sum);
    }
}

/* One line for each of the first vCPUs that have lost records, all reasons. */
static void vcpus_with_loss(struct output *out, const struct ledger *ledger)
{
    const struct ledger_row *row = ledger->rows;
    const struct ledger_row *end = row + ledger->nr_rows;
    unsigned int shown = 0, more = 0;
    char vcpu[16];

    for (uint32_t v = 0; ledger->lanes && v < ledger->nr_lanes; v++) {
        struct ledger_row sum = {.lane = v, .lost_known = true};

        for (; row < end && row->lane == v; row++)
            add_up(&sum, row);
        if (!ledger->lanes[v].lost)
            continue;
        if (shown == FEW_VCPUS) {
            more++;
            continue;
        }
        shown++;
        sum.lost = ledger->lanes[v].lost;
        sum.lost_known = true;
        name_lane(ledger, v, vcpu, sizeof(vcpu));
        line(out, ledger, vcpu, "all", &sum);
    }
    if (more)
        output_printf(out, "  %u more vCPUs have lost events; -v lists them\n",
                      more);
}

/* What one vCPU lost, where it could not be told reason by reason. */
static bool has_unattributed_loss(const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->nr_rows; i++)
        if (!ledger->rows[i].lost_known)
            return true;
    return false;
}

static void remarks(struct output *out, const struct ledger *ledger)
{
    const struct ledger_row *total = &ledger->total;

    if (ledger->has_counts && total->requests > total->own.requests)
        output_printf(out,
                      "%" PRIu64 " requests got the neutral verdict "
                      "before they were taken\n",
                      total->requests - total->own.requests);
    if (total->own.late)
        output_printf(out, "%" PRIu64 " verdicts came after the deadline\n",
                      total->own.late);
    if (total->own.reposted)
        output_printf(out,
                      "%" PRIu64 " requests were seen by an earlier "
                      "agent, perhaps\n",
                      total->own.reposted);
    if (total->own.drained)
        output_printf(out,
                      "%" PRIu64 " records were left by an earlier agent "
                      "(not in the table)\n",
                      total->own.drained);
    if (ledger->stats.rejected)
        output_printf(out,
                      "%" PRIu64 " requests or records broke the rules "
                      "and were not handed over\n",
                      ledger->stats.rejected);
    if (ledger->has_counts && has_unattributed_loss(ledger))
        output_printf(out, "-: overwritten; of which reason is not known, the "
                           "total is exact\n");
}

static void result(struct output *out, const struct ledger *ledger)
{
    switch (ledger->result) {
    case LEDGER_ADDS_UP:
        output_printf(out, "%sThe ledger adds up.%s\n", paint(out, GREEN),
                      paint(out, RESET));
        break;
    case LEDGER_DIFFERS:
        output_printf(out, "%sThe ledger does not add up: %s.%s\n",
                      paint(out, RED), ledger->why, paint(out, RESET));
        break;
    case LEDGER_UNCHECKED:
        output_printf(out, "The ledger is not checked: %s.\n", ledger->why);
        break;
    }
}

void table_ledger(struct output *out, const struct ledger *ledger,
                  const struct vmring_info *info, bool all)
{
    uint64_t events = ledger_delivered(&ledger->total);

    output_printf(out, "\n%sLedger of ", paint(out, BOLD));
    output_visible(out, info->target);
    output_printf(out, "%s: %" PRIu32 " vCPU%s, %s, ", paint(out, RESET),
                  ledger->nr_vcpus, ledger->nr_vcpus == 1 ? "" : "s",
                  ledger->policy == XEN_VM_RING_POLICY_OVERWRITE
                      ? "overwrite oldest"
                      : "discard newest");
    output_printf(out, "%" PRIu64 " events in %.3f s", events, ledger->seconds);
    if (ledger->seconds > 0)
        output_printf(out, ", %.0f/s", (double)events / ledger->seconds);
    output_printf(out, "\n  %-6s %-20s  %10s  %10s  %10s  %10s  %10s\n", "vCPU",
                  "reason", "attempted", "delivered", "lost", "answered",
                  "defaulted");
    if (ledger->nr_vcpus <= FEW_VCPUS || all) {
        every_row(out, ledger);
    } else {
        sums_of_reasons(out, ledger);
        vcpus_with_loss(out, ledger);
    }
    line(out, ledger, "total", "", &ledger->total);
    remarks(out, ledger);
    result(out, ledger);
}

void table_kinds(struct output *out, const uint64_t *supported)
{
    struct vmring_kind kind;

    output_printf(out,
                  "%sEvents for -e%s, separated by spaces or commas; "
                  "each by default synchronous: the vCPU waits.\n",
                  paint(out, BOLD), paint(out, RESET));
    for (unsigned int i = 0; vmring_get_kind(i, &kind) == 0; i++) {
        /* Whether it fires here, before what it is. */
        if (supported)
            output_printf(out, "  %-3s", *supported >> i & 1 ? "yes" : "no");
        output_printf(out, "  %-36s %s", kind.form, kind.summary);
        output_bytes(out, "\n", 1);
    }
    output_printf(out, "  :async     the vCPU goes on; when its lane is full, "
                       "the event is lost and counted\n"
                       "  :onchange  only writes that change the value\n");
}
