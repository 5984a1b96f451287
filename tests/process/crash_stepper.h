/* SPDX-License-Identifier: MIT */
/*
 * crash_stepper.h: what a process leaves behind if it ends after any one of
 * its instructions.
 */
#ifndef VMRING_TESTS_CRASH_STEPPER_H
#define VMRING_TESTS_CRASH_STEPPER_H

#include <stddef.h>

/* Memory that `check` may change: it is as before at the next instruction. */
void stepper_keep(void *at, size_t len);

/*
 * A child does `act`, single-stepped; `check` looks at what is there after
 * each of its instructions.  Their number.  Ends the program with 77 where
 * no process can be traced.
 */
unsigned long stepper_run(void (*act)(void), void (*check)(void));

/* The instruction that is looked at. */
unsigned long stepper_at(void);

#endif /* VMRING_TESTS_CRASH_STEPPER_H */
