/* SPDX-License-Identifier: MIT */
/* The kinds of event, and raising them as the command line asks. */
#ifndef GUEST_WORK_H
#define GUEST_WORK_H

#include <stdint.h>

#include "vcpu.h"

const char *kind_name(enum kind k);
/* What vcpu.check[k] counts: "wrong", "refused", "failed" or "trapped". */
const char *check_name(enum kind k);

/* Before any work: what told=1 compares with. */
void learn_limit(void);
/* The domain's maximum, in frames. */
int memory_limit(void);

/* All the events of one vCPU; with loop=1 it does not return, unless told. */
void do_work(struct vcpu *v);

#endif
