/* SPDX-License-Identifier: MIT */
/*
 * json_ledger.c: the ledger as one JSON object.
 */
#include "json.h"

#include "../event/names.h"
#include "json_members.h"

static void add_counts(struct json_object *o, const struct ledger *ledger,
                       const struct ledger_row *row)
{
    bool known = ledger->has_counts;

    add_known(o, "attempted", known, row->requests + row->records);
    add_number(o, "delivered", (int64_t)ledger_delivered(row));
    add_known(o, "lost", row->lost_known, row->lost);
    add_known(o, "answered", known, row->answered);
    add_known(o, "defaulted", known, row->defaulted);
    add_known(o, "requests", known, row->requests);
    add_known(o, "records", known, row->records);
    add_number(o, "requests_taken", (int64_t)row->own.requests);
    add_number(o, "records_taken", (int64_t)row->own.records);
    add_number(o, "late", (int64_t)row->own.late);
    add_number(o, "reposted", (int64_t)row->own.reposted);
    add_number(o, "drained", (int64_t)row->own.drained);
}

static struct json_object *rows_of(const struct ledger *ledger)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; i < ledger->nr_rows; i++) {
        const struct ledger_row *row = &ledger->rows[i];
        struct json_object *o = json_object_new_object();

        /* null: raised by no vCPU itself. */
        add_known(o, "vcpu", row->lane < ledger->nr_vcpus, row->lane);
        add_string(o, "event", vmring_reason_name(row->reason));
        add_counts(o, ledger, row);
        json_object_array_add(array, o);
    }
    return array;
}

static struct json_object *lanes(const struct ledger *ledger)
{
    struct json_object *array = json_object_new_array();

    for (uint32_t i = 0; ledger->lanes && i < ledger->nr_lanes; i++) {
        const struct vmring_lane_count *lane = &ledger->lanes[i];
        struct json_object *o;

        if (!lane->attempted && !ledger->lane_taken[i])
            continue;
        o = json_object_new_object();
        add_number(o, "lane", i);
        add_number(o, "attempted", (int64_t)lane->attempted);
        add_number(o, "delivered", (int64_t)ledger->lane_taken[i]);
        add_number(o, "lost", (int64_t)lane->lost);
        add_number(o, "pending", (int64_t)lane->pending);
        json_object_array_add(array, o);
    }
    return array;
}

/* The value, as events have it. */
static void add_value(struct json_object *o, enum summary_by by, uint64_t value)
{
    switch (by) {
    case SUMMARY_REASON:
        add_string(o, "event", vmring_reason_name((uint16_t)value));
        break;
    case SUMMARY_LEAF:
        add_hex(o, "leaf", value);
        break;
    case SUMMARY_MSR:
        add_hex(o, "msr", value);
        add_string(o, "register", name_of_msr(value));
        break;
    case SUMMARY_REGISTER:
        add_string(o, "register", name_of_ctrlreg((uint32_t)value));
        add_number(o, "index", (int64_t)value);
        break;
    default:
        add_hex(o, "rip", value);
        break;
    }
}

static struct json_object *top(const struct summary *summary,
                               enum summary_by by, size_t nr)
{
    struct json_object *array = json_object_new_array();
    struct summary_row rows[SUMMARY_SHOWN_ALL];
    uint64_t others;
    size_t values;
    bool more;

    nr = summary_top(summary, by, rows, nr, &others, &values, &more);
    for (size_t i = 0; i < nr; i++) {
        struct json_object *o = json_object_new_object();

        add_value(o, by, rows[i].value);
        add_number(o, "events", (int64_t)rows[i].events);
        json_object_array_add(array, o);
    }
    if (others) {
        struct json_object *o = json_object_new_object();

        add_number(o, "others", (int64_t)others);
        json_object_array_add(array, o);
    }
    return array;
}

static struct json_object *summary_of(const struct summary *summary, bool all)
{
    static const char *const keys[SUMMARY_NR] = {
        "by_event", "by_leaf", "by_msr", "by_register", "by_rip"};
    struct json_object *o = json_object_new_object();

    add_number(o, "events", (int64_t)summary_events(summary));
    for (int i = 0; i < SUMMARY_NR; i++)
        add_object(o, keys[i],
                   top(summary, (enum summary_by)i,
                       all ? SUMMARY_SHOWN_ALL : SUMMARY_SHOWN));
    return o;
}

void json_ledger(struct output *out, const struct report *report)
{
    const struct ledger *ledger = report->ledger;
    const struct vmring_info *info = report->info;
    struct json_object *o = json_object_new_object();
    struct json_object *l = json_object_new_object();
    struct json_object *totals = json_object_new_object();
    uint64_t events = ledger_delivered(&ledger->total);
    double rate = ledger->seconds > 0 ? (double)events / ledger->seconds : 0;

    add_visible(l, "target", info->target);
    add_number(l, "vcpus", ledger->nr_vcpus);
    add_number(l, "epoch", (int64_t)info->epoch);
    add_string(l, "policy",
               ledger->loss_policy == XEN_VM_RING_POLICY_OVERWRITE ? "overwrite"
                                                                   : "discard");
    add_string(l, "ending", report->ending);
    add_string(l, "shutdown", report->shutdown);
    add_fraction(l, "seconds", ledger->seconds);
    add_fraction(l, "rate", rate);
    add_object(l, "rows", rows_of(ledger));
    add_object(l, "lanes", lanes(ledger));
    add_counts(totals, ledger, &ledger->total);
    add_number(totals, "rejected", (int64_t)ledger->stats.rejected);
    add_object(l, "totals", totals);
    add_known(l, "passed", ledger->filtered, ledger->passed);
    if (ledger->summary)
        add_object(l, "summary", summary_of(ledger->summary, report->all));
    add_number(l, "unordered", (int64_t)ledger->unordered);
    if (ledger->result == LEDGER_UNCHECKED)
        add_object(l, "adds_up", NULL);
    else
        add_boolean(l, "adds_up", ledger->result == LEDGER_ADDS_UP);
    if (ledger->result == LEDGER_ADDS_UP)
        add_object(l, "why", NULL);
    else
        add_visible(l, "why", ledger->why);
    add_number(o, "version", JSON_VERSION);
    add_object(o, "ledger", l);
    write_object(out, o);
}
