/* SPDX-License-Identifier: MIT */
/*
 * names.c: what the architecture and Xen call the numbers in events.
 *
 * Control registers, descriptors and access flags are numbered as in Xen's
 * public vm_event.h, trap types as in hvm/hvm_op.h, shutdown reasons as in
 * sched.h; MSRs and CR bits as in the Intel SDM and the AMD APM.
 */
#include "names.h"

#include <stdio.h>
#include <string.h>

#include "../../libvmring/vmring.h"

#define NR_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const char *element(const char *const *names, size_t nr, uint64_t i)
{
    return i < nr ? names[i] : NULL;
}

const char *name_of_ctrlreg(uint32_t index)
{
    static const char *const names[] = {"cr0", "cr3", "cr4", "xcr0"};

    return element(names, NR_ELEMENTS(names), index);
}

const char *name_of_kind(uint16_t reason)
{
    static const char *const names[] = {
        [XEN_VM_RING_REASON_WRITE_CTRLREG] = "cr",
        [XEN_VM_RING_REASON_MOV_TO_MSR] = "msr",
        [XEN_VM_RING_REASON_CPUID] = "cpuid",
        [XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT] = "breakpoint",
        [XEN_VM_RING_REASON_SINGLESTEP] = "singlestep",
        [XEN_VM_RING_REASON_GUEST_REQUEST] = "guest_request",
        [XEN_VM_RING_REASON_DEBUG_EXCEPTION] = "debug",
        [XEN_VM_RING_REASON_DESCRIPTOR_ACCESS] = "descriptor",
        [XEN_VM_RING_REASON_MEM_ACCESS] = "mem",
        [XEN_VM_RING_REASON_PRIVILEGED_CALL] = "privileged_call",
        [XEN_VM_RING_REASON_INTERRUPT] = "interrupt",
        [XEN_VM_RING_REASON_EMUL_UNIMPLEMENTED] = "emul_unimplemented",
        [XEN_VM_RING_REASON_VMEXIT] = "vmexit",
        [XEN_VM_RING_REASON_IO_INSTRUCTION] = "io",
    };

    return element(names, NR_ELEMENTS(names), reason);
}

const char *name_of_descriptor(uint32_t descriptor)
{
    static const char *const names[] = {NULL, "idtr", "gdtr", "ldtr", "tr"};

    return element(names, NR_ELEMENTS(names), descriptor);
}

const char *name_of_trap_type(uint32_t type)
{
    static const char *const names[] = {
        "ext_int", NULL, "nmi", "hw_exc", "sw_int", "pri_sw_exc", "sw_exc"};

    return element(names, NR_ELEMENTS(names), type);
}

const char *name_of_vector(uint32_t vector)
{
    static const char *const names[] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
        "#DF", NULL,  "#TS", "#NP", "#SS", "#GP", "#PF", NULL,
        "#MF", "#AC", "#MC", "#XM", "#VE", "#CP"};

    return element(names, NR_ELEMENTS(names), vector);
}

const char *name_of_shutdown(unsigned int reason)
{
    static const char *const names[] = {"poweroff", "reboot",   "suspend",
                                        "crash",    "watchdog", "soft_reset"};

    return element(names, NR_ELEMENTS(names), reason);
}

const char *name_of_target(uint32_t state)
{
    static const char *const names[] = {"running", "paused", "shutdown",
                                        "destroyed"};

    return element(names, NR_ELEMENTS(names), state);
}

const char *name_of_access(uint32_t flags)
{
    static const char *const names[] = {"none", "r",  "w",  "rw",
                                        "x",    "rx", "wx", "rwx"};

    return names[flags & 7];
}

static const struct {
    uint32_t msr;
    const char *name;
} msrs[] = {
    {0x00000010, "tsc"},          {0x0000001b, "apic_base"},
    {0x00000048, "spec_ctrl"},    {0x00000049, "pred_cmd"},
    {0x0000008b, "ucode_rev"},    {0x00000174, "sysenter_cs"},
    {0x00000175, "sysenter_esp"}, {0x00000176, "sysenter_eip"},
    {0x000001a0, "misc_enable"},  {0x000001d9, "debugctl"},
    {0x00000277, "pat"},          {0x000006a0, "u_cet"},
    {0x000006a2, "s_cet"},        {0x000006a4, "pl0_ssp"},
    {0x000006e0, "tsc_deadline"}, {0x00000da0, "xss"},
    {0xc0000080, "efer"},         {0xc0000081, "star"},
    {0xc0000082, "lstar"},        {0xc0000083, "cstar"},
    {0xc0000084, "fmask"},        {0xc0000100, "fs_base"},
    {0xc0000101, "gs_base"},      {0xc0000102, "kernel_gs_base"},
    {0xc0000103, "tsc_aux"},      {0xc0010015, "hwcr"},
    {0xc001001f, "nb_cfg"},       {0xc0010114, "vm_cr"},
    {0xc0010117, "vm_hsave_pa"},
};

const char *name_of_msr(uint64_t msr)
{
    for (size_t i = 0; i < NR_ELEMENTS(msrs); i++)
        if (msrs[i].msr == msr)
            return msrs[i].name;
    return NULL;
}

const char *name_of_nth_msr(unsigned int i, uint64_t *msr)
{
    if (i >= NR_ELEMENTS(msrs))
        return NULL;
    *msr = msrs[i].msr;
    return msrs[i].name;
}

static const char *ctrlreg_bit(uint32_t index, unsigned int bit)
{
    static const char *const cr0[32] = {
        [0] = "PE",  [1] = "MP",  [2] = "EM",  [3] = "TS",
        [4] = "ET",  [5] = "NE",  [16] = "WP", [18] = "AM",
        [29] = "NW", [30] = "CD", [31] = "PG",
    };
    static const char *const cr4[] = {
        "VME",  "PVI", "TSD",      "DE",         "PSE",     "PAE",  "MCE",
        "PGE",  "PCE", "OSFXSR",   "OSXMMEXCPT", "UMIP",    "LA57", "VMXE",
        "SMXE", NULL,  "FSGSBASE", "PCIDE",      "OSXSAVE", "KL",   "SMEP",
        "SMAP", "PKE", "CET",      "PKS",
    };
    static const char *const xcr0[] = {
        "X87",    "SSE",    "AVX",    "BNDREGS", "BNDCSR",
        "OPMASK", "ZMM_HI", "HI_ZMM", NULL,      "PKRU",
    };

    switch (index) {
    case 0:
        return element(cr0, NR_ELEMENTS(cr0), bit);
    case 2:
        return element(cr4, NR_ELEMENTS(cr4), bit);
    case 3:
        return element(xcr0, NR_ELEMENTS(xcr0), bit);
    }
    return NULL;
}

uint64_t names_of_ctrlreg_bits(uint32_t index, uint64_t bits, char *text,
                               size_t len)
{
    uint64_t unnamed = 0;
    size_t used = 0;

    text[0] = '\0';
    for (unsigned int bit = 0; bit < 64; bit++) {
        uint64_t mask = UINT64_C(1) << bit;
        const char *name = (bits & mask) ? ctrlreg_bit(index, bit) : NULL;
        int n = 0;

        if (name)
            n = snprintf(text + used, len - used, "%s%s", used ? "|" : "",
                         name);
        if (n > 0 && (size_t)n < len - used) {
            used += (size_t)n;
            continue;
        }
        text[used] = '\0';
        unnamed |= bits & mask;
    }
    return unnamed;
}
