/* SPDX-License-Identifier: MIT */
/*
 * lock.h: one bridge a domain, and what the next one is to put back if this one
 * is killed.
 */
#ifndef BRIDGE_MONITOR_LOCK_H
#define BRIDGE_MONITOR_LOCK_H

#include "../source.h"
#include "target.h"

struct lock {
    uint32_t domid;
    int fd;                  /* of the file that is locked, or -1 */
    int folder;              /* where it is, or -1 */
    char *map;               /* of the file; or NULL */
    char serves[SOURCE_URI]; /* what others are told, or "" */

    /* Noted in the file, to be put back. */
    uint64_t raised_max_kb; /* we raised the maximum to this; 0: not */
    uint64_t found_max_kb;  /* and it was this before */
    bool held;              /* paused by us for a moment */
    xen_pfn_t ring_gfn;     /* the frame of the page built for a ring */
    xen_pfn_t fresh_gfn;    /* a page for a ring may have come there; or 0 */

    bool ran; /* before it was held, it was not paused */
};

#define LOCK_NONE ((struct lock){.fd = -1, .folder = -1})

/*
 * Takes it, and takes over what a bridge that was killed has noted.  An exit
 * status, or SOURCE_SHARED, if that will do.
 */
int lock_take(struct lock *lock, const struct target *target,
              struct source_start *start);
/* One that was not taken may be given, too. */
void lock_release(struct lock *lock);

/* Notes for others where it serves. */
void lock_serves(struct lock *lock, const char *uri);
/* Writes down what is to be put back if this process is killed. */
void lock_note(struct lock *lock);
void lock_note_fresh(struct lock *lock, xen_pfn_t gfn);
/* Writes `held` alone, which costs no call, so that the sandbox lets it. */
void lock_note_held(struct lock *lock);

/* The folder will be out of reach. */
void lock_forget_place(struct lock *lock);

#endif /* BRIDGE_MONITOR_LOCK_H */
