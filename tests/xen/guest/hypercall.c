/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls go by the hypercall page.  Its MSR is the documented 0x40000000
 * wherever viridian is off (xen/arch-x86/cpuid.h, leaf base + 2): asking by
 * CPUID, as a general guest must, would raise CPUID events at boot.
 */
#include "hypercall.h"

#include <stddef.h>
#include <xen/xen.h>

#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#include "machine.h"

#define MSR_HYPERCALL_PAGE 0x40000000

extern uint8_t hypercall_page[128][32];

static int hypercall2(unsigned int call, uint32_t a, void *b)
{
    int result;

    __asm__ volatile("call *%[entry]"
                     : "=a"(result), "+b"(a), "+c"(b)
                     : [entry] "r"(hypercall_page[call])
                     : "memory", "cc");
    return result;
}

static int hypercall3(unsigned int call, uint32_t a, uint32_t b, void *c)
{
    int result;

    __asm__ volatile("call *%[entry]"
                     : "=a"(result), "+b"(a), "+c"(b), "+d"(c)
                     : [entry] "r"(hypercall_page[call])
                     : "memory", "cc");
    return result;
}

void install_hypercalls(void)
{
    write_msr(MSR_HYPERCALL_PAGE, (uint32_t)hypercall_page);
}

const uint8_t *hypercall_code(void)
{
    return hypercall_page[__HYPERVISOR_hvm_op];
}

int vcpu_op(unsigned int op, unsigned int vcpu, void *arg)
{
    return hypercall3(__HYPERVISOR_vcpu_op, op, vcpu, arg);
}

int hvm_op(unsigned int op, void *arg)
{
    return hypercall2(__HYPERVISOR_hvm_op, op, arg);
}

int version_op(unsigned int op, void *arg)
{
    return hypercall2(__HYPERVISOR_xen_version, op, arg);
}

int memory_op(unsigned int op, void *arg)
{
    return hypercall2(__HYPERVISOR_memory_op, op, arg);
}

int event_op(unsigned int op, void *arg)
{
    return hypercall2(__HYPERVISOR_event_channel_op, op, arg);
}

void yield(void)
{
    hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, NULL);
}

/* A poll of no ports at all only times out (xen/sched.h, SCHEDOP_poll). */
void sleep_until(uint64_t system_time_ns)
{
    struct sched_poll poll = {.nr_ports = 0, .timeout = system_time_ns};

    hypercall2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
}

static _Noreturn void shut_down(unsigned int reason)
{
    struct sched_shutdown shutdown = {.reason = reason};

    hypercall2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &shutdown);
    halt();
}

_Noreturn void power_off(void)
{
    shut_down(SHUTDOWN_poweroff);
}

_Noreturn void power_off_crashed(void)
{
    shut_down(SHUTDOWN_crash);
}
