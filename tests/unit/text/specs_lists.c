/* SPDX-License-Identifier: MIT */
/* Description: lists of events: separators, order, none at all, too many. */
#include "check.h"
#include "vmring.h"

#include <errno.h>

static void fill(char *text, unsigned int nr)
{
    *text = '\0';
    for (unsigned int i = 0; i < nr; i++)
        text += sprintf(text, "msr:%u ", i);
}

int main(void)
{
    struct vmring_spec specs[VMRING_MAX_SPECS + 1];
    char error[256] = "", text[16 * (VMRING_MAX_SPECS + 1)];

    CHECK_EQ(vmring_specs_parse("", specs, 0, error, sizeof(error)), 0);
    CHECK_EQ(vmring_specs_parse(" , ", specs, 1, error, sizeof(error)), 0);
    CHECK_EQ(vmring_specs_parse(" cpuid,cr3\n\tmsr:1-2, cr4", specs, 4, error,
                                sizeof(error)),
             4);
    CHECK_EQ(specs[0].reason, XEN_VM_RING_REASON_CPUID);
    CHECK_EQ(specs[1].first, 1);
    CHECK_EQ(specs[2].last, 2);
    CHECK_EQ(specs[3].first, 2);
    CHECK_EQ(vmring_specs_parse("cpuid cr3 cr4", specs, 2, error, 256), -E2BIG);
    CHECK_STR(error, "too many events, at 'cr4'; give 2 at most");

    fill(text, VMRING_MAX_SPECS);
    CHECK_EQ(vmring_specs_parse(text, specs, VMRING_MAX_SPECS + 1, error, 256),
             VMRING_MAX_SPECS);
    fill(text, VMRING_MAX_SPECS + 1);
    CHECK_EQ(vmring_specs_parse(text, specs, VMRING_MAX_SPECS + 1, error, 256),
             -E2BIG);
    return 0;
}
