/* SPDX-License-Identifier: MIT */
/*
 * fake_xen.h: libxengnttab and libxenevtchn in memory, both ends in one
 * process: access rights, and books of who has what.  An error that no caller
 * may make (a second unmap, a page that is not there, a handle of event
 * channels that two threads use) ends the test.  Event channels may be used by
 * several threads.
 */
#ifndef VMRING_TESTS_FAKE_XEN_H
#define VMRING_TESTS_FAKE_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_xen {
    /* What there is. */
    size_t shared;   /* pages, those included that Linux defers */
    size_t deferred; /* given up while they were mapped */
    size_t mapped;   /* times a page is mapped */
    size_t ports;
    size_t handles;
    size_t deferred_ever;
    size_t unmasked_ever;
    /* What is to fail. */
    size_t limit;       /* pages; 0: none */
    int open_errno;     /* 0: none */
    int port_errno;     /* of a second port; 0: none */
    int restrict_errno; /* 0: none */
    bool mute;          /* errno stays 0 */
    bool threads;       /* from now on each handle is for one thread */
    int map_errno;      /* from the mapping with this number on */
    unsigned int map_fails_from;
    unsigned int mappings;
    /* Somebody else's turn, when so many pages were given back; or NULL. */
    void (*unshared)(uint32_t count);
};

extern struct fake_xen fake_xen;

/* May a page be mapped, and written?  As Xen would say. */
bool fake_xen_writable(uint32_t ref);

/* The granting side's mapping of a page, and of its run from there on. */
void *fake_xen_page(uint32_t ref);

/*
 * What the kernel does at munmap(): true if `at` is mapped from a gntdev whose
 * descriptor was replaced; with the last such page all of them are let go of.
 */
bool fake_xen_munmap(void *at);

/* Nothing is left. */
void fake_xen_check_empty(void);

#endif /* VMRING_TESTS_FAKE_XEN_H */
