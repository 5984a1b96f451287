/* SPDX-License-Identifier: MIT */
/* Description: each textual form gives its spec, and its canonical spelling. */
#include "check.h"
#include "vmring.h"

#include <errno.h>

static const struct {
    const char *text, *canonical;
    struct vmring_spec spec;
} forms[] = {
    {"cr0", "cr0", {4, 0, 0, 0, 0, 0}},
    {"cr3:async", "cr3:async", {4, VMRING_MODE_ASYNC, 0, 0, 1, 1}},
    {"cr4:onchange:sync",
     "cr4:sync:onchange",
     {4, VMRING_MODE_SYNC, 0, VMRING_SPEC_ONCHANGE, 2, 2}},
    {"xcr0", "xcr0", {4, 0, 0, 0, 3, 3}},
    {"msr:0xC0000082",
     "msr:0xc0000082",
     {5, 0, 0, 0, 0xc0000082u, 0xc0000082u}},
    {"msr:372-0x176:onchange",
     "msr:0x174-0x176:onchange",
     {5, 0, 0, VMRING_SPEC_ONCHANGE, 0x174, 0x176}},
    {"msr:0-0x1fff", "msr:0x0-0x1fff", {5, 0, 0, 0, 0, 0x1fff}},
    {"msr:4294967295",
     "msr:0xffffffff",
     {5, 0, 0, 0, 0xffffffffu, 0xffffffffu}},
    {"cpuid:sync", "cpuid:sync", {10, VMRING_MODE_SYNC, 0, 0, 0, 0}},
    {"int3", "breakpoint", {6, 0, 0, 0, 0, 0}},
    {"singlestep", "singlestep", {7, 0, 0, 0, 0, 0}},
    {"guest_request:user:async",
     "guest_request:async:user",
     {8, VMRING_MODE_ASYNC, 0, VMRING_SPEC_USER, 0, 0}},
    {"debug:async", "debug:async", {9, VMRING_MODE_ASYNC, 0, 0, 0, 0}},
    {"privileged_call", "privileged_call", {11, 0, 0, 0, 0, 0}},
    {"interrupt", "interrupt", {12, 0, 0, 0, 0, 0}},
    {"descriptor", "descriptor", {13, 0, 0, 0, 0, 0}},
    {"emul_unimplemented", "emul_unimplemented", {14, 0, 0, 0, 0, 0}},
    {"vmexit:async", "vmexit:async", {15, VMRING_MODE_ASYNC, 0, 0, 0, 0}},
    {"mem:xr@0", "mem:rx@0x0", {1, 0, VMRING_MEM_R | VMRING_MEM_X, 0, 0, 0}},
    {"mem:xw@7:walks:faults",
     "mem:wx@0x7:faults:walks",
     {1, 0, VMRING_MEM_W | VMRING_MEM_X, VMRING_SPEC_FAULTS | VMRING_SPEC_WALKS,
      7, 7}},
    {"io", "io", {16, 0, 0, 0, 0, 0}},
    {"io:sync", "io:sync", {16, VMRING_MODE_SYNC, 0, 0, 0, 0}},
    {"mem:w@4096:faults",
     "mem:w@0x1000:faults",
     {1, 0, VMRING_MEM_W, VMRING_SPEC_FAULTS, 0x1000, 0x1000}},
    {"mem:rwx@0x1000-0xffffffffff",
     "mem:rwx@0x1000-0xffffffffff",
     {1, 0, 7, 0, 0x1000, 0xffffffffffu}},
};

static void check_same(const struct vmring_spec *a, const struct vmring_spec *b)
{
    CHECK_EQ(a->reason, b->reason);
    CHECK_EQ(a->mode, b->mode);
    CHECK_EQ(a->access, b->access);
    CHECK_EQ(a->flags, b->flags);
    CHECK_EQ(a->first, b->first);
    CHECK_EQ(a->last, b->last);
}

int main(void)
{
    for (unsigned int i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        struct vmring_spec spec[2];
        char text[128], error[256] = "";
        int len = (int)strlen(forms[i].canonical);

        CHECK_EQ(vmring_specs_parse(forms[i].text, spec, 2, error, 256), 1);
        check_same(&spec[0], &forms[i].spec);
        CHECK_EQ(vmring_spec_format(&spec[0], text, sizeof(text)), len);
        CHECK_STR(text, forms[i].canonical);
        CHECK_EQ(vmring_spec_format(&spec[0], text, (size_t)len), -ENOSPC);
        CHECK_EQ(vmring_spec_format(&spec[0], text, 0), -ENOSPC);
        CHECK_EQ(vmring_specs_parse(text, spec, 0, NULL, 0), -E2BIG);
        CHECK_EQ(vmring_specs_parse(forms[i].canonical, spec, 2, error, 256),
                 1);
        check_same(&spec[0], &forms[i].spec);
    }
    return 0;
}
