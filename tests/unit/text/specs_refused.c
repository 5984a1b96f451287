/* SPDX-License-Identifier: MIT */
/* Description: what is no subscription is refused, naming word and remedy. */
#include "check.h"
#include "vmring.h"

#include <errno.h>

static const struct {
    const char *text, *cause, *remedy;
} bad[] = {
    {"foo", "unknown event 'foo'", "'vmring-agent -e help' lists them"},
    {"cpuid CR3", "unknown event 'CR3'", "did you mean cr3? 'vmring-agent"},
    {"cpu", "unknown event 'cpu'", "'; did you mean cpuid?"},
    {"cr3:asinc", "unknown modifier in 'cr3:asinc'", "; did you mean async?"},
    {"cr3:onchagne", "unknown modifier", "; did you mean onchange? write cr3"},
    {"cpuid:asinc", "unknown modifier", "; did you mean sync? write cpuid"},
    {"cpuid:onchagne", "unknown modifier", "onchagne'; write cpuid"},
    {"cr2", "unknown event 'cr2'", "lists them"},
    {":async", "unknown event ''", "lists them"},
    {"cpuid;cr3", "unknown event 'cpuid;cr3'", "lists them"},
    {"cpuid:async", "cannot be asynchronous: 'cpuid:async'", "leave :async"},
    {"mem:w@1:async", "cannot be asynchronous", "leave :async"},
    {"cr3:sync:async", "contradiction in", "choose :sync or :async"},
    {"cr3:async:async", "given twice", "write cr3"},
    {"cr3:onchange:onchange", "given twice", "write cr3"},
    {"cr3:user", "does not apply", "write cr3"},
    {"cr3:", "trailing text", "write cr3"},
    {"cpuid:1", "trailing text", "write cpuid"},
    {"cpuid:onchange", "does not apply", "write cpuid"},
    {"guest_request:onchange", "does not apply", "write guest_request"},
    {"msr", "argument missing in 'msr'", "msr:0xc0000082"},
    {"msr:", "no number in 'msr:'", "msr:0xc0000082"},
    {"msr:onchange", "no number", "msr:0xc0000082"},
    {"msr:0x", "no number", "msr:NUMBER"},
    {"msr:010", "no number", "msr:NUMBER"},
    {"msr:-1", "no number", "msr:NUMBER"},
    {"msr:1-", "no number", "msr:NUMBER"},
    {"msr:1-2-3", "no number", "msr:NUMBER"},
    {"msr:12x", "no number", "msr:NUMBER"},
    {"msr:1:2", "trailing text", "msr:NUMBER"},
    {"msr:0x100000000", "number above 0xffffffff in", "msr:NUMBER"},
    {"msr:99999999999999999999999999", "number above", "msr:NUMBER"},
    {"msr:0x18446744073709551616", "number above", "msr:NUMBER"},
    {"msr:2-1", "upside down", "msr:NUMBER"},
    {"msr:0-0x2000", "more than 8192 registers", "msr:NUMBER"},
    {"mem", "argument missing", "mem:w@0x1000-0x2000"},
    {"mem:", "no access", "mem:[r]"},
    {"mem:@5", "no access", "mem:[r]"},
    {"mem:q", "other than r, w, x", "mem:[r]"},
    {"mem:ww", "access given twice", "mem:[r]"},
    {"mem:w@", "no number", "mem:[r]"},
    {"mem:w@5@6", "no number", "mem:[r]"},
    {"mem:w@0x10000000000", "frame above 0xffffffffff in", "mem:[r]"},
    {"mem:w@6-5", "upside down", "mem:[r]"},
    {"cr3 cr3", "given twice: 'cr3'", "leave one out"},
    {"int3 breakpoint", "given twice: 'breakpoint'", "leave one out"},
    {"cr3 cr3:async", "contradiction to an earlier", "keep one"},
    {"mem:w@5 mem:r@5", "contradiction to an earlier", "keep one"},
    {"msr:1-5 msr:5-6", "overlap", "keep the ranges apart"},
    {"mem:w@4-6 mem:r@5", "overlap", "keep the ranges apart"},
    {"mem:w", "no frames", "mem:[r]"},
    {"mem:rwx:faults", "no frames", "mem:[r]"},
    {"mem:w@5:walks", ":walks is for access wx", "mem:[r]"},
    {"mem:rwx@5:walks", ":walks is for access wx", "mem:[r]"},
    {"mem:wx@5:walks:walks", "given twice", "mem:[r]"},
    {"cr0:walks", "does not apply", "cr0"},
    {"io:async", "cannot be asynchronous", "leave :async"},
};

int main(void)
{
    struct vmring_spec specs[VMRING_MAX_SPECS];
    char error[256];

    for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        strcpy(error, bad[i].text);
        CHECK_EQ(vmring_specs_parse(bad[i].text, specs, VMRING_MAX_SPECS, error,
                                    sizeof(error)),
                 -EINVAL);
        CHECK_HAS(error, bad[i].cause);
        CHECK_HAS(error, bad[i].remedy);
        CHECK(!strchr(error, '\n'));
        /* The text is optional, and never written beyond its end. */
        CHECK_EQ(
            vmring_specs_parse(bad[i].text, specs, VMRING_MAX_SPECS, NULL, 0),
            -EINVAL);
        memset(error, '#', sizeof(error));
        CHECK_EQ(
            vmring_specs_parse(bad[i].text, specs, VMRING_MAX_SPECS, error, 9),
            -EINVAL);
        CHECK_EQ(strlen(error), 8);
        CHECK_EQ(error[9], '#');
    }
    return 0;
}
