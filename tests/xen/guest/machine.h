/* SPDX-License-Identifier: MIT */
/* Single instructions. */
#ifndef GUEST_MACHINE_H
#define GUEST_MACHINE_H

#include <stdint.h>

static inline void write_port(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void write_ports(uint16_t port, const void *bytes, uint32_t nr)
{
    __asm__ volatile("rep outsb"
                     : "+S"(bytes), "+c"(nr)
                     : "d"(port)
                     : "memory");
}

static inline void write_word(uint32_t address, uint32_t value)
{
    __asm__ volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static inline uint32_t read_dr6(void)
{
    uint32_t value;

    __asm__ volatile("movl %%dr6, %0" : "=r"(value));
    return value;
}

static inline void write_dr6(uint32_t value)
{
    __asm__ volatile("movl %0, %%dr6" : : "r"(value));
}

static inline uint64_t read_tsc(void)
{
    uint64_t value;

    __asm__ volatile("rdtsc" : "=A"(value) : : "memory");
    return value;
}

static inline uint64_t read_msr(uint32_t msr)
{
    uint64_t value;

    __asm__ volatile("rdmsr" : "=A"(value) : "c"(msr));
    return value;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "A"(value) : "memory");
}

#define DEFINE_CONTROL_REGISTER(n)                                             \
    static inline uint32_t read_cr##n(void)                                    \
    {                                                                          \
        uint32_t value;                                                        \
                                                                               \
        __asm__ volatile("movl %%cr" #n ", %0" : "=r"(value) : : "memory");    \
        return value;                                                          \
    }                                                                          \
                                                                               \
    static inline void write_cr##n(uint32_t value)                             \
    {                                                                          \
        __asm__ volatile("movl %0, %%cr" #n : : "r"(value) : "memory");        \
    }

DEFINE_CONTROL_REGISTER(0)
DEFINE_CONTROL_REGISTER(3)
DEFINE_CONTROL_REGISTER(4)

/* Divides in place, returns the remainder; gcc would call libgcc for it. */
static inline uint32_t divide(uint64_t *value, uint32_t by)
{
    uint32_t high = (uint32_t)(*value >> 32), low = (uint32_t)*value, rest;
    uint32_t high_quotient = high / by;

    rest = high % by;
    __asm__("divl %2" : "+a"(low), "+d"(rest) : "rm"(by) : "cc");
    *value = ((uint64_t)high_quotient << 32) | low;
    return rest;
}

/* The end of a vCPU: Xen takes one that halts with interrupts off as down. */
static inline _Noreturn void halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" : : : "memory");
}

_Noreturn void power_off(void);
_Noreturn void power_off_crashed(void);

#endif
