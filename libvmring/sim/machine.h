/* SPDX-License-Identifier: MIT */
/*
 * machine.h: what the registers of the simulated guest hold: a 64-bit kernel
 * laid out as Linux is, so that a tool that looks at them finds its way.
 */
#ifndef VMRING_SIM_MACHINE_H
#define VMRING_SIM_MACHINE_H

#include "vcpu.h"

#define SIM_NR_PROCESSES 8

/* A bijection that scatters: the output step of splitmix64. */
uint64_t sim_scatter(uint64_t x);

/* Registers as the kernel of vCPU v->id has them when it is up. */
void sim_machine_boot(struct sim_vcpu *v);

/* Brings the vCPU to the instruction that does this work. */
void sim_machine_goto(struct sim_vcpu *v, enum sim_work work);

/* Top of the page tables of a process. */
uint64_t sim_machine_cr3(unsigned int process);

/* What CPUID gives: eax, ebx, ecx, edx. */
void sim_machine_cpuid(const struct sim_vcpu *v, uint32_t leaf,
                       uint32_t subleaf, uint32_t results[4]);

/* Frame of a kernel text address. */
uint64_t sim_machine_gfn(uint64_t rip);

/* Where the vCPU keeps this MSR. */
xen_vm_ring_u64 *sim_machine_msr(struct sim_vcpu *v, enum sim_msr msr);

#endif /* VMRING_SIM_MACHINE_H */
