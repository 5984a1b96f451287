/* SPDX-License-Identifier: MIT */
/* check.h: a test ends at the first thing that is not as it should be. */
#ifndef VMRING_TESTS_CHECK_H
#define VMRING_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exit statuses, as CTest is told them: 0 passed, 1 failed. */
#define TEST_SKIPPED 77

/*
 * Cases that stand in a table: the row that is tried now, by its name or its
 * number. It is in the message of whatever fails, until there is another.
 */
static const char *check_row __attribute__((unused));

#define CHECK_ROW(name) (check_row = (name))

static inline void check_says_where(const char *file, int line)
{
    fprintf(stderr, "%s:%d: ", file, line);
    if (check_row)
        fprintf(stderr, "[%s] ", check_row);
}

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            check_says_where(__FILE__, __LINE__);                              \
            fprintf(stderr, "not so: %s\n", #cond);                            \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

/* Integers. */
#define CHECK_EQ(a, b)                                                         \
    do {                                                                       \
        long long check_a = (long long)(a), check_b = (long long)(b);          \
                                                                               \
        if (check_a != check_b) {                                              \
            check_says_where(__FILE__, __LINE__);                              \
            fprintf(stderr, "%s is %lld, not %s, %lld\n", #a, check_a, #b,     \
                    check_b);                                                  \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

#define CHECK_STR(a, b)                                                        \
    do {                                                                       \
        const char *check_a = (a), *check_b = (b);                             \
                                                                               \
        if (strcmp(check_a, check_b)) {                                        \
            check_says_where(__FILE__, __LINE__);                              \
            fprintf(stderr, "%s is \"%s\", not \"%s\"\n", #a, check_a,         \
                    check_b);                                                  \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

/* `needle` is somewhere in `text`. */
#define CHECK_HAS(text, needle)                                                \
    do {                                                                       \
        const char *check_a = (text), *check_b = (needle);                     \
                                                                               \
        if (!strstr(check_a, check_b)) {                                       \
            check_says_where(__FILE__, __LINE__);                              \
            fprintf(stderr, "\"%s\" is not in %s, \"%s\"\n", check_b, #text,   \
                    check_a);                                                  \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

#endif /* VMRING_TESTS_CHECK_H */
