/* SPDX-License-Identifier: MIT */
/*
 * fake_xenstore.h: libxenstore in memory, all domains in one process: nodes,
 * their permissions, watches, transactions that others spoil.  Any thread may
 * call.
 */
#ifndef VMRING_TESTS_FAKE_XENSTORE_H
#define VMRING_TESTS_FAKE_XENSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_xenstore {
    uint32_t domid; /* who calls xs_open() next; 0 may do anything */
    unsigned int handles;
    unsigned int transactions; /* open */
    unsigned int calls;        /* ever, those for events not counted */
    /* What is to fail. */
    unsigned int conflicts; /* so many transactions do not go through */
    bool lost;              /* xenstored has gone */
    bool late;              /* what watches bring is on its way still */
    unsigned int fail_at;   /* the call with this number; 0: none */
    int fail_errno;
    uint32_t destroyed; /* a domain; 0: none */
    /* What another does as the next transaction is to begin; once. */
    void (*before_transaction)(void);
};

extern struct fake_xenstore fake_xenstore;

/* Who opens from now on, in a thread, too. */
void fake_xenstore_become(uint32_t domid);

/* As the domain would; NULL removes.  `len` of SIZE_MAX: a string. */
bool fake_xenstore_put(uint32_t domid, const char *path, const char *value,
                       size_t len);
/* NULL: there is no such node, or it may not be read by that domain. */
const char *fake_xenstore_get(uint32_t domid, const char *path);

/* Nodes at this path and below. */
unsigned int fake_xenstore_nodes(const char *path);

/* @releaseDomain is told of. */
void fake_xenstore_destroy(uint32_t domid);

/* The store loses its connections, or has them again. */
void fake_xenstore_lose(bool lost);

/* xenstored is stopped: whoever asks waits until it goes on. */
void fake_xenstore_stop(bool stop);

/* Nothing is held once all errands are done, and nothing is left below. */
void fake_xenstore_check_empty(const char *path);

#endif /* VMRING_TESTS_FAKE_XENSTORE_H */
