/* SPDX-License-Identifier: MIT */
/* Accesses to frame 0x100, which nothing else reads, writes or executes. */
#ifndef GUEST_TOUCH_H
#define GUEST_TOUCH_H

#include <stdbool.h>

#include "vcpu.h"

/* One access each; false: it did not do what it should. */
bool raise_read(struct vcpu *v);
bool raise_write(struct vcpu *v);
bool raise_execute(struct vcpu *v);

#endif
