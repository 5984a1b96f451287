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

/* What a call is expected to lead to if it fails. */
struct expectation {
    const char *call; /* NULL: the end of a list */
    int result;
};

/* Something to do with each of its calls failing in turn. */
struct walk {
    void (*prepare)(void); /* without faults, before each; may be NULL */
    int (*op)(void);       /* what is tested */
    void (*settle)(void);  /* without faults, after each; may be NULL */
    /* What op() returns when a call fails, if not the call's own -errno. */
    const struct expectation *expect;
    int success; /* and when none does */
};

/*
 * Walks: op() with its first call failing, then its second, and so on until
 * it makes fewer.  What it returns must be as expected, and nothing may be
 * held afterwards that was not before.  Returns how many faults there were.
 */
unsigned int faults_walk(const struct walk *walk);

/*
 * Called where this thread would wait in poll(): whoever it waits for may go
 * on there.  Nothing fails in it.
 */
extern void (*faults_idle)(void);

#endif /* VMRING_TESTS_FAULTS_H */
