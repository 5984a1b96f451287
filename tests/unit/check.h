/* SPDX-License-Identifier: MIT */
/* check.h: a test ends at the first thing that is not as it should be. */
#ifndef VMRING_TESTS_CHECK_H
#define VMRING_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exit statuses, as CTest is told them: 0 passed, 1 failed. */
#define TEST_SKIPPED 77

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

/* Integers. */
#define CHECK_EQ(a, b)                                                         \
    do {                                                                       \
        long long check_a = (long long)(a), check_b = (long long)(b);          \
                                                                               \
        if (check_a != check_b) {                                              \
            fprintf(stderr, "%s:%d: %s is %lld, not %s, %lld\n", __FILE__,     \
                    __LINE__, #a, check_a, #b, check_b);                       \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

#define CHECK_STR(a, b)                                                        \
    do {                                                                       \
        const char *check_a = (a), *check_b = (b);                             \
                                                                               \
        if (strcmp(check_a, check_b)) {                                        \
            fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__,     \
                    __LINE__, #a, check_a, check_b);                           \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

/* `needle` is somewhere in `text`. */
#define CHECK_HAS(text, needle)                                                \
    do {                                                                       \
        const char *check_a = (text), *check_b = (needle);                     \
                                                                               \
        if (!strstr(check_a, check_b)) {                                       \
            fprintf(stderr, "%s:%d: \"%s\" is not in %s, \"%s\"\n", __FILE__,  \
                    __LINE__, check_b, #text, check_a);                        \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

#endif /* VMRING_TESTS_CHECK_H */
