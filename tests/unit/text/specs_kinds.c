/* SPDX-License-Identifier: MIT */
/* Description: the list of kinds agrees with the parser and the reasons. */
#include "check.h"
#include "vmring.h"

#include <errno.h>

/* In the order of vmring_supported()'s bits, which is the ABI's. */
static const char *const bits[] = {"cr0",
                                   "cr3",
                                   "cr4",
                                   "xcr0",
                                   "msr",
                                   "cpuid",
                                   "breakpoint",
                                   "singlestep",
                                   "guest_request",
                                   "debug",
                                   "descriptor",
                                   "mem",
                                   "privileged_call",
                                   "interrupt",
                                   "emul_unimplemented",
                                   "vmexit",
                                   "io"};

#define NR_KINDS (sizeof(bits) / sizeof(bits[0]))

static void agrees(const struct vmring_kind *kind)
{
    struct vmring_spec spec;
    char error[256] = "";

    CHECK_EQ(vmring_specs_parse(kind->example, &spec, 1, error, 256), 1);
    CHECK_EQ(spec.reason, kind->reason);
    CHECK(!strncmp(kind->form, kind->name, strlen(kind->name)));
    CHECK(kind->modes & 1 << VMRING_MODE_SYNC);
    CHECK_EQ(!!vmring_reason_has_mode(kind->reason, VMRING_MODE_ASYNC),
             kind->modes >> VMRING_MODE_ASYNC & 1);
    CHECK(vmring_reason_has_mode(kind->reason, VMRING_MODE_SYNC));
    CHECK(vmring_reason_has_mode(kind->reason, VMRING_MODE_DEFAULT));
    CHECK(!vmring_reason_has_mode(kind->reason, 3));
}

static void kinds(void)
{
    struct vmring_spec all[32];
    struct vmring_kind kind;
    char error[256] = "", text[512] = "";
    uint32_t seen = 0;
    unsigned int i;

    for (i = 0; !vmring_get_kind(i, &kind); i++) {
        CHECK(i < NR_KINDS);
        CHECK_ROW(bits[i]);
        CHECK_STR(kind.name, bits[i]);
        agrees(&kind);
        seen |= 1u << kind.reason;
        strcat(strcat(text, kind.example), ",");
    }
    CHECK_ROW(NULL);
    CHECK_EQ(vmring_get_kind(i, &kind), -ENOENT);
    CHECK_EQ(vmring_get_kind(~0u, &kind), -ENOENT);
    /* All but unknown, sharing and paging, which nobody can arm. */
    CHECK_EQ(seen, 0x1fff2);
    CHECK(!vmring_reason_has_mode(XEN_VM_RING_REASON_MEM_PAGING, 0));
    CHECK_EQ(vmring_specs_parse(text, all, 32, error, 256), i);
}

static void reasons(void)
{
    unsigned int i;

    for (i = 0; i < XEN_VM_RING_NR_REASONS; i++)
        CHECK(vmring_reason_name(i));
    CHECK(!vmring_reason_name(i));
    CHECK_STR(vmring_reason_name(10), "cpuid");
    CHECK_STR(vmring_reason_name(4), "write_ctrlreg");
}

int main(void)
{
    kinds();
    reasons();
    return 0;
}
