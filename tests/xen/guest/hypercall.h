/* SPDX-License-Identifier: MIT */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include <stdint.h>

void install_hypercalls(void);
/* MOV to eax, 5 bytes, and the instruction that this CPU calls Xen by. */
const uint8_t *hypercall_code(void);

/* Each returns 0 or positive, or Xen's negative error (xen/errno.h). */
int vcpu_op(unsigned int op, unsigned int vcpu, void *arg);
int hvm_op(unsigned int op, void *arg);
int version_op(unsigned int op, void *arg);
int memory_op(unsigned int op, void *arg);
int event_op(unsigned int op, void *arg);
void yield(void);
void sleep_until(uint64_t system_time_ns);

#endif
