/* SPDX-License-Identifier: MIT */
/*
 * witness_bells.h: this process counts how often it arms and rings, by what
 * the linker puts before the library's functions (--wrap), not by the ring.
 */
#ifndef VMRING_TESTS_WITNESS_BELLS_H
#define VMRING_TESTS_WITNESS_BELLS_H

#include "witness.h"

typedef struct w_bells *evtchn_fn(void);

/* Where to count; NULL: nowhere.  A process is one end of a ring. */
void witness_bells_are(evtchn_fn *arms, evtchn_fn *rings);

struct w_bells *source_arms(void);
struct w_bells *source_rings(void);

#endif /* VMRING_TESTS_WITNESS_BELLS_H */
