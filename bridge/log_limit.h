/* SPDX-License-Identifier: MIT */
/*
 * log_limit.h: how often a line is said.  What a peer, a guest or an agent
 * does again and again is worth a line, not a line each.
 */
#ifndef BRIDGE_LOG_LIMIT_H
#define BRIDGE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* Of each kind of line so many in so many seconds. */
#define LOG_LIMIT_LINES   10
#define LOG_LIMIT_SECONDS 10
/* Kinds that are told apart. */
#define LOG_LIMIT_KINDS 32

struct log_kind {
    uint64_t id;        /* 0: none */
    char like[40];      /* how it begins */
    int64_t since;      /* s */
    unsigned long said; /* since then */
    unsigned long unsaid;
};

struct log_limit {
    struct log_kind kinds[LOG_LIMIT_KINDS];
};

/* The id of a kind of line: lines that differ in numbers alone are one. */
uint64_t log_kind_of(const char *text);

/* May this line of that kind be said, `now` in s? */
bool log_limit_allows(struct log_limit *limit, uint64_t id, const char *text,
                      int64_t now);

/*
 * How many lines of a kind were not said, and how they begin; each is told
 * once, when the kind's time is over, or with `all` at once.  0: no more.
 */
unsigned long log_limit_unsaid(struct log_limit *limit, int64_t now, bool all,
                               const char **like);

#endif /* BRIDGE_LOG_LIMIT_H */
