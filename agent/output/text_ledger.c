/* SPDX-License-Identifier: MIT */
/*
 * text_ledger.c: the ledger as a readable table.
 */
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pen.h"
#include "rate.h"

/* With more vCPUs than this a row for each hides what matters. */
#define FEW_VCPUS 16

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

#define NR_COUNTS 5

/* The columns that a table needs, so that it takes no more. */
struct table {
    struct output *out; /* NULL: it is only measured */
    const struct ledger *ledger;
    int vcpu, reason, count[NR_COUNTS];
};

static const char *const headings[NR_COUNTS] = {
    "attempted", "delivered", "lost", "answered", "defaulted"};

/* The counts of a row as text; a dash for one that cannot be known. */
static void counts_of(const struct ledger *ledger, const struct ledger_row *row,
                      char text[NR_COUNTS][24])
{
    bool known = ledger->has_counts;
    const struct {
        bool known;
        uint64_t value;
    } counts[NR_COUNTS] = {{known, row->requests + row->records},
                           {true, ledger_delivered(row)},
                           {row->lost_known, row->lost},
                           {known, row->answered},
                           {known, row->defaulted}};

    for (int i = 0; i < NR_COUNTS; i++) {
        if (counts[i].known)
            snprintf(text[i], 24, "%" PRIu64, counts[i].value);
        else
            snprintf(text[i], 24, "-");
    }
}

static void widen(int *width, const char *text)
{
    int len = (int)strlen(text);

    if (*width < len)
        *width = len;
}

static void line(struct table *table, const char *vcpu, const char *reason,
                 const struct ledger_row *row)
{
    char text[NR_COUNTS][24];

    counts_of(table->ledger, row, text);
    reason = reason ? reason : "unknown";
    if (!table->out) {
        widen(&table->vcpu, vcpu);
        widen(&table->reason, reason);
        for (int i = 0; i < NR_COUNTS; i++)
            widen(&table->count[i], text[i]);
        return;
    }
    output_printf(table->out, "  %-*s %-*s", table->vcpu, vcpu, table->reason,
                  reason);
    for (int i = 0; i < NR_COUNTS; i++)
        output_printf(table->out, " %*s", table->count[i], text[i]);
    output_bytes(table->out, "\n", 1);
}

static void name_lane(const struct ledger *ledger, uint32_t lane, char *text,
                      size_t len)
{
    if (lane < ledger->nr_vcpus)
        snprintf(text, len, "v%" PRIu32, lane);
    else
        snprintf(text, len, "-");
}

static void every_row(struct table *table)
{
    const struct ledger *ledger = table->ledger;
    char vcpu[16];

    for (size_t i = 0; i < ledger->nr_rows; i++) {
        const struct ledger_row *row = &ledger->rows[i];

        name_lane(ledger, row->lane, vcpu, sizeof(vcpu));
        line(table, vcpu, vmring_reason_name(row->reason), row);
    }
}

static void sums_of_reasons(struct table *table)
{
    const struct ledger *ledger = table->ledger;

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
            line(table, "all", vmring_reason_name(reason), &sum);
    }
}

/* One line for each of the first vCPUs that have lost records, all reasons. */
static void vcpus_with_loss(struct table *table)
{
    const struct ledger *ledger = table->ledger;
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
        line(table, vcpu, "all", &sum);
    }
    if (more && table->out)
        output_printf(table->out,
                      "  %u more vCPUs have lost events; -v lists them\n",
                      more);
}

/* Has one vCPU lost records that cannot be told reason by reason? */
static bool has_unattributed_loss(const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->nr_rows; i++)
        if (!ledger->rows[i].lost_known)
            return true;
    return false;
}

/* Nothing of what there is none of. */
static void remark(struct output *out, uint64_t nr, const char *what,
                   const char *became)
{
    if (nr)
        output_printf(out, "%" PRIu64 " %s%s %s\n", nr, what,
                      nr == 1 ? "" : "s", became);
}

static void remarks(struct output *out, const struct ledger *ledger)
{
    const struct ledger_row *total = &ledger->total;

    if (ledger->filtered)
        output_printf(out,
                      "%" PRIu64 " of %" PRIu64 " events passed the filter\n",
                      ledger->passed, ledger->passed + ledger->hidden);
    if (ledger->has_counts && total->requests > total->own.requests)
        remark(out, total->requests - total->own.requests, "request",
               "answered neutrally, not taken by the agent");
    remark(out, total->own.late, "verdict", "given after the deadline");
    remark(out, total->own.reposted, "request",
           "perhaps seen by an earlier agent");
    remark(out, total->own.drained, "record",
           "left by an earlier agent (not in the table)");
    remark(out, ledger->stats.rejected, "event",
           "against the rules of the ring, not handed over");
    remark(out, ledger->unordered, "line",
           "too late for --sort, and out of order");
    if (ledger->has_counts && has_unattributed_loss(ledger))
        output_printf(out, "-: overwritten; of which reason is not known, the "
                           "total is exact\n");
}

static void said(struct output *out, const char *colour, const char *what,
                 const char *why)
{
    struct pen pen = pen_at(out, out->columns, 2);

    pen_paint(&pen, colour);
    output_text(out, what);
    if (why)
        output_text(out, ":");
    pen_piece(&pen);
    if (why)
        pen_words(&pen, why);
    output_text(out, ".");
    pen_paint(&pen, PEN_RESET);
    pen_end(&pen);
}

static void result(struct output *out, const struct ledger *ledger)
{
    switch (ledger->result) {
    case LEDGER_ADDS_UP:
        said(out, PEN_GREEN, "The ledger adds up", NULL);
        break;
    case LEDGER_DIFFERS:
        said(out, PEN_RED, "The ledger does not add up", ledger->why);
        break;
    case LEDGER_UNCHECKED:
        said(out, "", "The ledger is not checked", ledger->why);
        break;
    }
}

/* Names the target, and how many events in how long. */
static void title(struct output *out, const struct ledger *ledger,
                  const struct vmring_info *info)
{
    uint64_t events = ledger_delivered(&ledger->total);
    char rate[RATE_LEN];
    struct pen pen;

    output_bytes(out, "\n", 1);
    pen = pen_at(out, output_columns(out), 2);
    pen_paint(&pen, PEN_BOLD);
    output_text(out, "Ledger of ");
    output_visible(out, info->target);
    output_text(out, ":");
    pen_paint(&pen, PEN_RESET);
    pen_piece(&pen);
    output_printf(out, " %" PRIu32 " vCPU%s,", ledger->nr_vcpus,
                  ledger->nr_vcpus == 1 ? "" : "s");
    pen_piece(&pen);
    output_printf(out, " %s,",
                  ledger->loss_policy == XEN_VM_RING_POLICY_OVERWRITE
                      ? "overwrite oldest"
                      : "discard newest");
    pen_piece(&pen);
    output_printf(out, " %" PRIu64 " event%s in %.3f s", events,
                  events == 1 ? "" : "s", ledger->seconds);
    if (ledger->seconds > 0) {
        output_text(out, ",");
        pen_piece(&pen);
        output_printf(out, " %s",
                      rate_text(rate, (double)events / ledger->seconds));
    }
    pen_end(&pen);
}

static void body(struct table *table, bool all)
{
    const struct ledger *ledger = table->ledger;

    if (ledger->nr_vcpus <= FEW_VCPUS || all) {
        every_row(table);
    } else {
        sums_of_reasons(table);
        vcpus_with_loss(table);
    }
    line(table, "total", "", &ledger->total);
}

/* More room between the columns where there is more. */
static void spread(struct table *table, unsigned int columns)
{
    unsigned int width = 3;

    widen(&table->vcpu, "vCPU");
    widen(&table->reason, "reason");
    width += (unsigned int)(table->vcpu + table->reason);
    for (int i = 0; i < NR_COUNTS; i++) {
        widen(&table->count[i], headings[i]);
        width += (unsigned int)table->count[i] + 1;
    }
    for (unsigned int more = 0; more < 2 && width + NR_COUNTS <= columns;
         more++) {
        for (int i = 0; i < NR_COUNTS; i++)
            table->count[i]++;
        width += NR_COUNTS;
    }
}

void text_ledger(struct output *out, const struct report *report)
{
    const struct ledger *ledger = report->ledger;
    struct table table = {.ledger = ledger};

    title(out, ledger, report->info);
    body(&table, report->all);
    spread(&table, output_columns(out));
    table.out = out;
    output_printf(out, "  %-*s %-*s", table.vcpu, "vCPU", table.reason,
                  "reason");
    for (int i = 0; i < NR_COUNTS; i++)
        output_printf(out, " %*s", table.count[i], headings[i]);
    output_bytes(out, "\n", 1);
    body(&table, report->all);
    remarks(out, ledger);
    result(out, ledger);
    if (ledger->summary)
        text_summary(out, ledger->summary, report->all);
}
