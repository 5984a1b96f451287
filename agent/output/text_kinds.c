/* SPDX-License-Identifier: MIT */
/*
 * text_kinds.c: the kinds of events, as a readable table.
 */
#include <stdio.h>
#include <string.h>

#include "pen.h"
#include "text.h"

/* Of most forms; after a longer one what it means stands a little further. */
#define FORM 36

static void prose(struct output *out, unsigned int indent, const char *begin,
                  const char *text)
{
    struct pen pen = pen_at(out, output_columns(out), indent);

    output_text(out, begin);
    pen_piece(&pen);
    pen_words(&pen, text);
    pen_end(&pen);
}

static void kind_line(struct output *out, const struct vmring_kind *kind,
                      const char *supported)
{
    unsigned int indent = *supported ? 7 + FORM : 3 + FORM;
    char begin[128];

    snprintf(begin, sizeof(begin), "  %-*s%-*s", *supported ? 4 : 0, supported,
             FORM, kind->form);
    prose(out, indent, begin, kind->summary);
}

void text_kinds(struct output *out, const uint64_t *supported)
{
    struct vmring_kind kind;
    struct pen pen = pen_at(out, output_columns(out), 2);

    pen_paint(&pen, PEN_BOLD);
    output_text(out, "Events for -e");
    pen_paint(&pen, PEN_RESET);
    output_text(out, ",");
    pen_piece(&pen);
    pen_words(&pen, "separated by spaces or commas; each by default "
                    "synchronous: the vCPU waits.");
    pen_end(&pen);
    for (unsigned int i = 0; vmring_get_kind(i, &kind) == 0; i++)
        /* Whether it fires here, before what it is. */
        kind_line(out, &kind,
                  !supported            ? ""
                  : *supported >> i & 1 ? "yes"
                                        : "no");
    if (supported)
        prose(out, 13, "  yes, no   ",
              "whether it can be had of this target, by this producer");
    prose(out, 13, "  :sync     ",
          "the vCPU waits for a verdict: so it is where nothing is said");
    prose(out, 13, "  :async    ",
          "the vCPU goes on; when its lane is full, the event is lost and "
          "counted");
    prose(out, 13, "  :onchange ", "only writes that change the value");
}
