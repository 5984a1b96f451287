/* SPDX-License-Identifier: MIT */
/*
 * Accesses to one frame that nothing else reads, writes or executes; link.lds
 * puts it at the beginning of the image.  Each is one instruction: a monitor is
 * told of each that it watches.
 */
#include "touch.h"

#include <stdint.h>

#define KNOWN 0x600df00du

struct touched {
    uint8_t code[2048]; /* RET */
    uint32_t known;
    uint32_t written[MAX_VCPUS]; /* by each its own */
    uint8_t rest[2044 - 4 * MAX_VCPUS];
};

_Static_assert(sizeof(struct touched) == 4096, "it is one frame");

static struct touched touched __attribute__((section(".touched"))) = {
    .code = {0xc3},
    .known = KNOWN,
};

bool raise_read(struct vcpu *v)
{
    uint32_t value;

    (void)v;
    __asm__ volatile("movl %1, %0" : "=r"(value) : "m"(touched.known));
    return value == KNOWN;
}

/* What the last one has left is read by the same instruction. */
bool raise_write(struct vcpu *v)
{
    uint32_t value = 1;

    __asm__ volatile("xaddl %0, %1"
                     : "+r"(value), "+m"(touched.written[v->id])
                     :
                     : "cc");
    return value == v->done[KIND_MEMW];
}

bool raise_execute(struct vcpu *v)
{
    uint32_t before, after;

    (void)v;
    __asm__ volatile("movl %%esp, %0\n\t"
                     "call *%2\n\t"
                     "movl %%esp, %1"
                     : "=&r"(before), "=&r"(after)
                     : "r"(touched.code)
                     : "memory", "cc");
    return before == after;
}
