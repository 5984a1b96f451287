/* SPDX-License-Identifier: MIT */
/*
 * summary.c: how many events there were of each reason, leaf, MSR, register,
 * and from where (-c).
 */
#include "summary.h"

#include <search.h>
#include <stdlib.h>

/* Of one of enum summary_by. */
struct tree {
    void *root; /* tsearch(): of struct summary_row, by value */
    size_t nr;
    uint64_t others; /* events of values that are not in it */
};

struct summary {
    uint64_t events;
    struct tree trees[SUMMARY_NR];
};

static int by_value(const void *a, const void *b)
{
    const struct summary_row *x = a, *y = b;

    return x->value < y->value ? -1 : x->value > y->value;
}

struct summary *summary_new(void)
{
    return calloc(1, sizeof(struct summary));
}

void summary_free(struct summary *summary)
{
    for (int i = 0; summary && i < SUMMARY_NR; i++)
        tdestroy(summary->trees[i].root, free);
    free(summary);
}

static struct summary_row *insert(struct tree *tree, uint64_t value)
{
    struct summary_row *row = calloc(1, sizeof(*row));

    if (!row)
        return NULL;
    row->value = value;
    if (!tsearch(row, &tree->root, by_value)) {
        free(row);
        return NULL;
    }
    tree->nr++;
    return row;
}

static void count(struct tree *tree, uint64_t value, uint64_t events)
{
    const struct summary_row key = {.value = value};
    struct summary_row *const *node = tfind(&key, &tree->root, by_value);
    struct summary_row *row = node ? *node : NULL;

    if (!row && tree->nr < SUMMARY_MOST)
        row = insert(tree, value);
    if (row)
        row->events += events;
    else
        tree->others += events;
}

void summary_count(struct summary *summary, const struct vmring_event *event,
                   uint32_t arch)
{
    const struct xen_vm_ring_event *rec = &event->rec;
    struct tree *trees = summary->trees;

    summary->events++;
    count(&trees[SUMMARY_REASON], rec->reason, 1);
    if (rec->reason == XEN_VM_RING_REASON_CPUID)
        count(&trees[SUMMARY_LEAF], rec->u.cpuid.leaf, 1);
    else if (rec->reason == XEN_VM_RING_REASON_MOV_TO_MSR)
        count(&trees[SUMMARY_MSR], rec->u.mov_to_msr.msr, 1);
    else if (rec->reason == XEN_VM_RING_REASON_WRITE_CTRLREG)
        count(&trees[SUMMARY_REGISTER], rec->u.write_ctrlreg.index, 1);
    if (rec->length >= XEN_VM_RING_EVENT_FULL && arch == XEN_VM_RING_ARCH_X86)
        count(&trees[SUMMARY_RIP], rec->regs.x86.rip, 1);
}

static void add_node(const void *node, VISIT visit, void *to)
{
    const struct summary_row *row = *(struct summary_row *const *)node;

    if (visit == postorder || visit == leaf)
        count(to, row->value, row->events);
}

void summary_add(struct summary *summary, const struct summary *other)
{
    summary->events += other->events;
    for (int i = 0; i < SUMMARY_NR; i++) {
        twalk_r(other->trees[i].root, add_node, &summary->trees[i]);
        summary->trees[i].others += other->trees[i].others;
    }
}

uint64_t summary_events(const struct summary *summary)
{
    return summary->events;
}

/* Rows by their events, equal ones by value. */
static bool is_more(const struct summary_row *a, const struct summary_row *b)
{
    return a->events != b->events ? a->events > b->events : a->value < b->value;
}

struct top {
    struct summary_row *rows;
    size_t nr, room;
    uint64_t others;
};

/* Moves it up from the end, past those that have fewer. */
static void place(const void *node, VISIT visit, void *ctx)
{
    const struct summary_row *row = *(struct summary_row *const *)node;
    struct top *top = ctx;
    size_t at = top->nr;

    if (visit != postorder && visit != leaf)
        return;
    if (top->nr == top->room) {
        if (!top->nr || !is_more(row, &top->rows[top->nr - 1])) {
            top->others += row->events;
            return;
        }
        top->others += top->rows[--at].events;
    } else {
        top->nr++;
    }
    for (; at && is_more(row, &top->rows[at - 1]); at--)
        top->rows[at] = top->rows[at - 1];
    top->rows[at] = *row;
}

size_t summary_top(const struct summary *summary, enum summary_by by,
                   struct summary_row *rows, size_t nr, uint64_t *others,
                   size_t *values, bool *more)
{
    const struct tree *tree = &summary->trees[by];
    struct top top = {.rows = rows, .room = nr};

    twalk_r(tree->root, place, &top);
    *others = top.others + tree->others;
    *values = tree->nr - top.nr;
    *more = tree->others;
    return top.nr;
}
