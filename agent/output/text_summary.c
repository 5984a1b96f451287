/* SPDX-License-Identifier: MIT */
/*
 * text_summary.c: the summary as readable tables.
 */
#include <inttypes.h>
#include <stdio.h>

#include "../event/names.h"
#include "pen.h"
#include "text.h"

static void name_value(struct output *out, enum summary_by by, uint64_t value)
{
    const char *name = NULL;

    if (by == SUMMARY_REASON)
        name = vmring_reason_name((uint16_t)value);
    else if (by == SUMMARY_REGISTER)
        name = name_of_ctrlreg((uint32_t)value);
    else if (by == SUMMARY_MSR)
        name = name_of_msr(value);
    if (by == SUMMARY_REASON) {
        output_text(out, name ? name : "unknown");
        return;
    }
    if (by == SUMMARY_REGISTER && name) {
        output_text(out, name);
        return;
    }
    output_hex(out, value);
    if (name)
        output_printf(out, " %s", name);
}

static void row(struct output *out, uint64_t events, uint64_t all)
{
    output_printf(out, "  %12" PRIu64 "  %5.1f%%  ", events,
                  100.0 * (double)events / (double)all);
}

static void table(struct output *out, const struct summary *summary,
                  enum summary_by by, size_t nr)
{
    static const char *const headings[SUMMARY_NR] = {
        "reason", "CPUID leaf", "MSR", "control register", "rip"};
    struct summary_row rows[SUMMARY_SHOWN_ALL];
    uint64_t others, all = summary_events(summary);
    size_t values;
    bool more;

    nr = summary_top(summary, by, rows, nr, &others, &values, &more);
    if (!nr)
        return;
    output_printf(out, "  %12s  %6s  %s\n", "events", "share", headings[by]);
    for (size_t i = 0; i < nr; i++) {
        row(out, rows[i].events, all);
        name_value(out, by, rows[i].value);
        output_bytes(out, "\n", 1);
    }
    if (!others)
        return;
    row(out, others, all);
    if (more)
        output_printf(out, "others, more than %zu\n", values);
    else
        output_printf(out, "%zu other%s\n", values, values == 1 ? "" : "s");
}

void text_summary(struct output *out, const struct summary *summary, bool all)
{
    struct pen pen;

    output_bytes(out, "\n", 1);
    pen = pen_at(out, output_columns(out), 2);
    pen_paint(&pen, PEN_BOLD);
    output_text(out, "Summary");
    pen_paint(&pen, PEN_RESET);
    output_printf(out, " of %" PRIu64 " event%s", summary_events(summary),
                  summary_events(summary) == 1 ? "" : "s");
    pen_end(&pen);
    for (int by = 0; by < SUMMARY_NR; by++)
        table(out, summary, (enum summary_by)by,
              all ? SUMMARY_SHOWN_ALL : SUMMARY_SHOWN);
}
