/* SPDX-License-Identifier: MIT */
/* log_limit.c: how often a line is said. */
#include "log_limit.h"

#include <stdio.h>

uint64_t log_kind_of(const char *text)
{
    uint64_t id = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *text; text++)
        if (*text < '0' || *text > '9')
            id = (id ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return id ? id : 1;
}

static bool is_over(const struct log_kind *kind, int64_t now)
{
    return now - kind->since >= LOG_LIMIT_SECONDS;
}

/*
 * Its place, or one that is free.  If there is none the last is shared: with
 * so many kinds at a time none matters by itself.
 */
static struct log_kind *place_of(struct log_limit *limit, uint64_t id,
                                 int64_t now)
{
    struct log_kind *kinds = limit->kinds;
    struct log_kind *place = &kinds[LOG_LIMIT_KINDS - 1];

    for (int i = LOG_LIMIT_KINDS - 1; i >= 0; i--) {
        if (kinds[i].id == id)
            return &kinds[i];
        if (!kinds[i].id || (is_over(&kinds[i], now) && !kinds[i].unsaid))
            place = &kinds[i];
    }
    return place;
}

bool log_limit_allows(struct log_limit *limit, uint64_t id, const char *text,
                      int64_t now)
{
    struct log_kind *kind = place_of(limit, id, now);

    if (!kind->id || is_over(kind, now)) {
        kind->id = id;
        snprintf(kind->like, sizeof(kind->like), "%s", text);
        kind->since = now;
        kind->said = 0;
    }
    if (kind->said < LOG_LIMIT_LINES) {
        kind->said++;
        return true;
    }
    kind->unsaid++;
    return false;
}

unsigned long log_limit_unsaid(struct log_limit *limit, int64_t now, bool all,
                               const char **like)
{
    for (int i = 0; i < LOG_LIMIT_KINDS; i++) {
        struct log_kind *kind = &limit->kinds[i];
        unsigned long unsaid = kind->unsaid;

        if (unsaid && (all || is_over(kind, now))) {
            kind->unsaid = 0;
            *like = kind->like;
            return unsaid;
        }
    }
    return 0;
}
