/* SPDX-License-Identifier: MIT */
/*
 * memory.h: how much memory a consumer's ring may take.
 *
 * Its pages are taken at once when it attaches.  Where the machine or the
 * bridge's control group has not got them, the kernel would kill something.
 */
#ifndef BRIDGE_LOOP_MEMORY_H
#define BRIDGE_LOOP_MEMORY_H

#include <stdint.h>

/* Never taken: for the machine, and for this process. */
#define ROOM_RESERVE (UINT64_C(32) << 20)

/* Groups above one another that are looked at. */
#define MEMORY_MAX_GROUPS 8

struct memory {
    int meminfo; /* of the machine; -1: unknown */
    int statm;   /* of this process */
    /* Limits of it: of address space, and of a file, as each region is one. */
    uint64_t space, file;
    unsigned int nr_groups;
    struct {
        int limit, usage;
    } groups[MEMORY_MAX_GROUPS];
};

/* Opens what must be read later, when no file can be opened. */
void memory_open(struct memory *room);
void memory_close(struct memory *room);

/* Bytes that may be taken now; UINT64_MAX: nothing is known. */
uint64_t memory_left(const struct memory *room);

#endif /* BRIDGE_LOOP_MEMORY_H */
