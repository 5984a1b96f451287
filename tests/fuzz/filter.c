/* SPDX-License-Identifier: MIT */
/*
 * Description: fuzzes filters, as -F takes them.  What is understood says of an
 * event what its own negation does not; what is not is refused in one printable
 * line, with a place in the text, and leaves a filter as it was.
 *
 * The first bytes of an input are an event, the rest is text.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "agent/event/fields.h"
#include "agent/filter/filter.h"

static struct vmring_event take_event(struct input *in)
{
    struct vmring_event event = {.seq = take8(in) & 1};
    uint8_t shape = take8(in);

    event.rec.reason = take8(in) % (XEN_VM_RING_NR_REASONS + 2);
    event.rec.vcpu = shape & 3;
    event.rec.length =
        shape & 4 ? XEN_VM_RING_EVENT_FULL : XEN_VM_RING_EVENT_HEAD;
    event.rec.flags = shape & 8 ? UINT32_MAX : 0;
    event.position = event.lost_before = shape >> 4;
    for (unsigned int i = 0; i < 4; i++)
        event.rec.u.words[i] = take8(in);
    event.rec.regs.x86.rip = event.rec.u.words[0];
    return event;
}

static void check_refusal(const char *text, const struct filter_error *error)
{
    char mark[FILTER_MARK_LEN];
    const char *end = memchr(error->text, 0, sizeof(error->text));
    const char *line;

    ALWAYS(error->at <= strlen(text));
    ALWAYS(end && end != error->text);
    for (const char *c = error->text; c < end; c++)
        ALWAYS(*c >= ' ' && *c <= '~');
    filter_mark(text, error, mark);
    line = strchr(mark, '\n');
    ALWAYS(line && line - mark < 80 && strlen(line + 1) < 80);
    ALWAYS(line[strlen(line) - 1] == '^');
    for (const char *c = mark; *c; c++)
        ALWAYS(c == line || (*c >= ' ' && *c <= '~'));
}

/* The same text between `before` and `after`: may be too much, no more. */
static void check_within(const char *before, const char *text,
                         const char *after, const struct vmring_event *event,
                         bool wanted)
{
    static struct filter filter;
    struct filter_error error;
    size_t len = strlen(before) + 2 * strlen(text) + strlen(after) + 1;
    char *whole = malloc(len);

    ALWAYS(whole);
    snprintf(whole, len, "%s%s%s", before, text, after);
    filter.nr = 0;
    if (filter_add(&filter, whole, &error))
        ALWAYS(strstr(error.text, "too ") || strstr(error.text, "more than"));
    else
        ALWAYS(filter_passes(&filter, event, XEN_VM_RING_ARCH_X86) == wanted);
    free(whole);
}

static void check_steps(const struct filter *filter)
{
    unsigned int stack = 0;

    ALWAYS(filter->nr && filter->nr <= FILTER_MAX_STEPS);
    for (unsigned int i = 0; i < filter->nr; i++) {
        const struct filter_step *step = &filter->steps[i];

        if (step->op == FILTER_TEST) {
            ALWAYS(field_at(step->field) && field_at(step->field)->name);
            stack++;
        } else {
            ALWAYS(stack >= (step->op == FILTER_NOT ? 1 : 2));
            stack -= step->op != FILTER_NOT;
        }
        ALWAYS(stack < 64);
    }
    ALWAYS(stack == 1);
}

/* A parser that calls itself has a bound. */
static void check_depth(const char *text)
{
    int depth = 0;

    for (; *text; text++) {
        depth += (*text == '(') - (*text == ')');
        ALWAYS(depth >= 0 && depth <= FILTER_MAX_DEPTH);
    }
    ALWAYS(depth == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct filter filter;
    struct input in = {data, data + size};
    struct vmring_event event = take_event(&in);
    struct filter_error error;
    size_t len = (size_t)(in.end - in.at);
    char *text = malloc(len + 1);
    bool passes;

    ALWAYS(text);
    if (len)
        memcpy(text, in.at, len);
    text[len] = '\0';
    filter.nr = 0;
    if (filter_add(&filter, text, &error)) {
        ALWAYS(filter.nr == 0);
        check_refusal(text, &error);
    } else {
        check_steps(&filter);
        check_depth(text);
        passes = filter_passes(&filter, &event, XEN_VM_RING_ARCH_X86);
        check_within("not (", text, ")", &event, !passes);
        check_within("(", text, ") and vcpu >= 0", &event, passes);
        check_within("vcpu > 9 or ", text, "", &event, passes);
        /* Without a field of the event's it is as if that were not so. */
        check_within("(", text, ") or vcpu in 0-3", &event, true);
    }
    free(text);
    return 0;
}
