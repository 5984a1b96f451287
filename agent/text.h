/* SPDX-License-Identifier: MIT */
/*
 * text.h: events, one readable line each.
 */
#ifndef AGENT_TEXT_H
#define AGENT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "../libvmring/vmring.h"
#include "output.h"
#include "times.h"

/* What a line says beside the event itself. */
struct line {
    const struct vmring_event *event;
    const char *verdict; /* NULL: asynchronous, none was asked for */
    bool late;           /* the verdict came after the deadline */
    int64_t time;        /* ns since the agent attached */
    int64_t delta;       /* ns since the event before it of its vCPU */
    int64_t wall;        /* ns since 1970 */
    enum times times;    /* which of them to show */
    bool registers;      /* all of them, not only where it happened */
    uint32_t arch;       /* whose they are: XEN_VM_RING_ARCH_* */
};

void text_event(struct output *out, const struct line *line);

/* The target's state has changed: XEN_VM_RING_TARGET_*, and why. */
void text_target(struct output *out, const struct vmring_event *event,
                 enum times times);

#endif /* AGENT_TEXT_H */
