/* SPDX-License-Identifier: MIT */
/*
 * visible.c: text that may be a peer's, so that a terminal shows it only.
 *
 * A target's name, a refusal, a string of xenstore may hold what moves the
 * cursor, rings, or begins a line of its own that looks like one of ours.
 */
#include "visible.h"

/* There are two orders of arguments; this is where it was invented. */
#define LIBBSD_OPENBSD_VIS
#include <bsd/vis.h>

char *visible(char *to, size_t len, const char *text)
{
    if (!len)
        return to;
    to[0] = '\0';
    /* Not by the locale: what is a letter there may be none to the reader. */
    if (strnvis(to, text, len, VIS_OCTAL | VIS_TAB | VIS_NL | VIS_NOLOCALE) < 0)
        to[0] = '\0';
    return to;
}
