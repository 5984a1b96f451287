/* SPDX-License-Identifier: MIT */
/* The command line, documented in README.md. */
#ifndef GUEST_OPTIONS_H
#define GUEST_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

struct options {
    uint32_t nr_vcpus;
    uint32_t asked[NR_KINDS]; /* per vCPU; a round of it with loop=1 */
    uint32_t cr0_bit, cr4_bit;
    uint32_t msr;
    uint32_t pace_us; /* asleep between events */
    uint32_t busy_us; /* spinning by the clock between events */
    uint32_t spin;    /* spinning this many turns between events */
    uint32_t beat_s;  /* 0: none */
    uint32_t scan;    /* every how many frames elsewhere; 0: no scan */
    bool mixed, loop, told, verbose, timed, hold, plant, probe_all, self, ports;
};

extern struct options options;

/* Reads it into options; prints what is wrong and returns false. */
bool parse_command_line(const char *text);

#endif
