/* SPDX-License-Identifier: MIT */
/* One instruction of I/O, and what it has to have done. */
#ifndef GUEST_IO_H
#define GUEST_IO_H

#include <stdbool.h>

#include "vcpu.h"

/* One of IN, OUT, INS, OUTS and REP OUTS in turn; false: not carried out. */
bool raise_io(struct vcpu *v);

#endif
