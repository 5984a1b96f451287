/* SPDX-License-Identifier: MIT */
/*
 * faults.h: makes the nth call of this thread to the system fail.
 *
 * The calls are caught by the linker's --wrap (library.cmake lists them), so
 * those that the C library makes for itself are not among them.
 */
#ifndef VMRING_TESTS_FAULTS_H
#define VMRING_TESTS_FAULTS_H

#include "check.h"

#include <stdbool.h>

/* What was made to fail, and the errno that it gave. */
struct fault {
    const char *call; /* "mmap" */
    int err;
};

/* The nth call from now on fails, once.  Other threads are left alone. */
void faults_arm(unsigned int nth);

/* No call fails any more.  false: there were fewer than n. */
bool faults_disarm(struct fault *fault);

/* What the process holds: two of these are compared. */
struct holding {
    int descriptors;
    int mappings; /* of rings */
    long blocks;  /* of memory */
};
struct holding faults_holding(void);

/* Check failure, with the fault named, unless nothing was kept or lost. */
void faults_check_holding(const struct holding *before,
                          const struct fault *fault);

/*
 * Walks: op() with its first call failing, then with its second, and so on
 * until it makes fewer.  Each time it must return what `expect` says for the
 * call: the errno of the fault if it is not in the list, which ends with a
 * NULL, and hold no more than before.  At last it must return `success`.
 * Returns how many faults there were.
 */
struct expectation {
    const char *call;
    int result;
};
unsigned int faults_walk(int (*op)(void *ctx), void *ctx, int success,
                         const struct expectation *expect);

#endif /* VMRING_TESTS_FAULTS_H */
