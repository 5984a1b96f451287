/* SPDX-License-Identifier: MIT */
/*
 * specs.c: the textual form of a subscription.
 *
 *   events   = [event {separator event}]
 *   event    = name [":" argument] {":" modifier}
 *   modifier = "sync" | "async" | "onchange" | "user" | "faults" | "walks"
 *
 * kinds.c says which name takes what.  The text may come from a hostile
 * peer: each byte is looked at a bounded number of times, and the only
 * quadratic step, the search for duplicates, is bounded by VMRING_MAX_SPECS.
 */
#include "../vmring.h"
#include "kinds.h"
#include "word.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NR(array) (sizeof(array) / sizeof(*(array)))

#define SEPARATORS " ,\t\n"

struct complaint {
    char *error;
    size_t len;
    struct word event; /* the event being read, whole */
};

static const struct {
    const char *name;
    uint8_t mode;
    uint32_t flag;
} modifiers[] = {
    {"sync", VMRING_MODE_SYNC, 0},         {"async", VMRING_MODE_ASYNC, 0},
    {"onchange", 0, VMRING_SPEC_ONCHANGE}, {"user", 0, VMRING_SPEC_USER},
    {"faults", 0, VMRING_SPEC_FAULTS},     {"walks", 0, VMRING_SPEC_WALKS},
};

static int misspelt(const struct complaint *c, const char *cause,
                    const struct kind *kind)
{
    return word_refuse(c->error, c->len, cause, c->event, "write %s, as in %s",
                       kind->public.form, kind->public.example);
}

static int unknown_event(const struct complaint *c, struct word name)
{
    struct suggest near = suggest_for(name.at, name.len);
    char text[SUGGEST_TEXT];

    kind_suggest(&near);
    return word_refuse(c->error, c->len, "unknown event", name,
                       "%s'vmring-agent -e help' lists them",
                       suggest_text(&near, text));
}

static int unknown_modifier(const struct complaint *c, const struct kind *kind,
                            struct word modifier)
{
    struct suggest near = suggest_for(modifier.at, modifier.len);
    char text[SUGGEST_TEXT];

    for (unsigned int m = 0; m < NR(modifiers); m++) {
        if (modifiers[m].mode ? kind->public.modes >> modifiers[m].mode & 1
                              : kind->flags & modifiers[m].flag)
            suggest_try(&near, modifiers[m].name);
    }
    return word_refuse(c->error, c->len, "trailing text or unknown modifier in",
                       c->event, "%swrite %s, as in %s",
                       suggest_text(&near, text), kind->public.form,
                       kind->public.example);
}

static int set_mode(const struct complaint *c, const struct kind *kind,
                    uint8_t mode, struct vmring_spec *spec)
{
    if (spec->mode == mode)
        return misspelt(c, "modifier given twice in", kind);
    if (spec->mode)
        return word_refuse(c->error, c->len, "contradiction in", c->event,
                           "choose :sync or :async");
    if (!(kind->public.modes >> mode & 1))
        return word_refuse(c->error, c->len,
                           "cannot be asynchronous:", c->event,
                           "leave :async out");
    spec->mode = mode;
    return 0;
}

static int parse_modifier(const struct complaint *c, const struct kind *kind,
                          struct word word, struct vmring_spec *spec)
{
    unsigned int m = 0;

    while (m < NR(modifiers) && !word_is(word, modifiers[m].name))
        m++;
    if (m == NR(modifiers))
        return unknown_modifier(c, kind, word);
    if (modifiers[m].mode)
        return set_mode(c, kind, modifiers[m].mode, spec);
    if (!(kind->flags & modifiers[m].flag))
        return misspelt(c, "modifier that does not apply in", kind);
    if (spec->flags & modifiers[m].flag)
        return misspelt(c, "modifier given twice in", kind);
    spec->flags |= modifiers[m].flag;
    return 0;
}

static int parse_argument(const struct complaint *c, const struct kind *kind,
                          bool *more, struct word *rest,
                          struct vmring_spec *spec)
{
    struct word argument;
    const char *cause;

    if (!*more)
        return misspelt(c, "argument missing in", kind);
    *more = word_cut(rest, ':', &argument);
    cause = kind->parse(argument, spec);
    return cause ? misspelt(c, cause, kind) : 0;
}

/* What Xen has for it is a page that can be read, and written by walks. */
static bool walks_fit(const struct vmring_spec *spec)
{
    return !(spec->flags & VMRING_SPEC_WALKS) ||
           spec->access == (VMRING_MEM_W | VMRING_MEM_X);
}

static int parse_event(const struct complaint *c, struct vmring_spec *spec)
{
    struct word rest = c->event, name, modifier;
    bool more = word_cut(&rest, ':', &name);
    const struct kind *kind = kind_named(name);
    int err = 0;

    memset(spec, 0, sizeof(*spec));
    if (!kind)
        return unknown_event(c, name);
    spec->reason = kind->public.reason;
    spec->first = spec->last = kind->index;
    if (kind->parse)
        err = parse_argument(c, kind, &more, &rest, spec);
    while (!err && more) {
        more = word_cut(&rest, ':', &modifier);
        err = parse_modifier(c, kind, modifier, spec);
    }
    if (!err && !walks_fit(spec))
        err = misspelt(c, ":walks is for access wx, in", kind);
    return err;
}

/* One register, MSR or frame must not be watched in two ways. */
static int check_apart(const struct complaint *c,
                       const struct vmring_spec *specs, unsigned int nr)
{
    const struct vmring_spec *b = &specs[nr];

    for (const struct vmring_spec *a = specs; a < b; a++) {
        if (a->reason != b->reason || a->first > b->last || b->first > a->last)
            continue;
        if (a->first != b->first || a->last != b->last)
            return word_refuse(c->error, c->len,
                               "overlap with an earlier event:", c->event,
                               "keep the ranges apart");
        if (a->mode != b->mode || a->flags != b->flags ||
            a->access != b->access)
            return word_refuse(c->error, c->len,
                               "contradiction to an earlier event:", c->event,
                               "keep one of the two");
        return word_refuse(c->error, c->len, "event given twice:", c->event,
                           "leave one out");
    }
    return 0;
}

int vmring_specs_parse(const char *text, struct vmring_spec *specs,
                       unsigned int max, char *error, size_t error_len)
{
    struct complaint c = {.error = error, .len = error_len};
    unsigned int nr = 0;
    int err;

    if (max > VMRING_MAX_SPECS)
        max = VMRING_MAX_SPECS;
    while (word_next(&text, SEPARATORS, &c.event)) {
        if (nr == max) {
            word_refuse(error, error_len, "too many events, at", c.event,
                        "give %u at most", max);
            return -E2BIG;
        }
        err = parse_event(&c, &specs[nr]);
        if (!err)
            err = check_apart(&c, specs, nr);
        if (err)
            return err;
        nr++;
    }
    return (int)nr;
}

/* Appends; false if there was no room. */
static bool append(char *text, size_t len, size_t *at, const char *what)
{
    int n = snprintf(text + *at, len - *at, "%s", what);

    if (n < 0 || (size_t)n >= len - *at)
        return false;
    *at += (size_t)n;
    return true;
}

static bool append_modifiers(const struct vmring_spec *spec, char *text,
                             size_t len, size_t *at)
{
    for (unsigned int m = 0; m < NR(modifiers); m++) {
        bool given = modifiers[m].mode ? spec->mode == modifiers[m].mode
                                       : spec->flags & modifiers[m].flag;

        if (given && (!append(text, len, at, ":") ||
                      !append(text, len, at, modifiers[m].name)))
            return false;
    }
    return true;
}

int vmring_spec_format(const struct vmring_spec *spec, char *text, size_t len)
{
    const struct kind *kind = kind_of(spec);
    char argument[64] = "";
    size_t at = 0;

    if (!kind || (spec->flags & ~kind->flags) || !walks_fit(spec) ||
        !vmring_reason_has_mode(spec->reason, spec->mode))
        return -EINVAL;
    if (kind->format ? kind->format(spec, argument, sizeof(argument)) < 0
                     : spec->first != spec->last || spec->access)
        return -EINVAL;
    if (!len || !append(text, len, &at, kind->public.name))
        return -ENOSPC;
    if (kind->format &&
        (!append(text, len, &at, ":") || !append(text, len, &at, argument)))
        return -ENOSPC;
    if (!append_modifiers(spec, text, len, &at))
        return -ENOSPC;
    return (int)at;
}
