/* SPDX-License-Identifier: MIT */
/*
 * fake_monitor_ops.h: the calls of libxenctrl by which a domain's events are
 * armed, in memory, with a clock that only they move; for tests of
 * monitor_arm.c and what is below it.
 */
#ifndef VMRING_TESTS_FAKE_MONITOR_OPS_H
#define VMRING_TESTS_FAKE_MONITOR_OPS_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_FRAMES 0x10000

struct fake_ops {
    /* What is armed; of an MSR 2: changes only; of a register 2: asynchronous.
     */
    uint8_t msr[4][0x2000];     /* by bits 31 and 30 of its number */
    uint8_t frame[FAKE_FRAMES]; /* XENMEM_access_* */
    uint8_t ctrlreg[4], cpuid, io, other;
    bool walks_suppressed;
    uint32_t last_frame;
    /* What was called, and took so long. */
    unsigned int calls;
    uint32_t most_frames; /* of one call */
    uint64_t now, call_ns;
    unsigned int fails_at; /* the nth call from now on fails; 0: none */
};

extern struct fake_ops fake_ops;

#endif /* VMRING_TESTS_FAKE_MONITOR_OPS_H */
