/* SPDX-License-Identifier: MIT */
/* Description: an allow-list tells cr3 from cr4, and takes names of reasons,
 * "all" and "none". */
#include "bridge/allow.h"
#include "check.h"

#include <errno.h>

static int allows(const char *list, const char *event)
{
    struct vmring_spec spec;
    struct allow allow;
    char error[200] = "";

    CHECK_EQ(allow_parse(list, &allow, error, sizeof(error)), 0);
    CHECK_EQ(vmring_specs_parse(event, &spec, 1, error, sizeof(error)), 1);
    return allow_spec(&allow, &spec);
}

int main(void)
{
    struct allow allow = {0};
    char error[200] = "";

    CHECK(allows("cr3", "cr3:async"));
    CHECK(!allows("cr3", "cr4"));
    CHECK(allows("cpuid, cr4", "cr4"));
    CHECK(allows("write_ctrlreg", "cr0"));
    CHECK(!allows("write_ctrlreg", "cpuid"));
    CHECK(allows("msr", "msr:0xc0000082"));
    CHECK(allows("all", "mem:w@0x1000"));
    CHECK(!allows("none", "cpuid"));

    CHECK_EQ(allow_parse("cr3,cr4", &allow, error, sizeof(error)), 0);
    CHECK_EQ(allow_reasons(&allow), 1u << XEN_VM_RING_REASON_WRITE_CTRLREG);

    CHECK_EQ(allow_parse("cpuid,nonsense", &allow, error, sizeof(error)),
             -EINVAL);
    CHECK_HAS(error, "unknown event 'nonsense'; vmring-agent -e help");
    CHECK_EQ(allow_parse("write_ctlreg", &allow, error, sizeof(error)),
             -EINVAL);
    CHECK_HAS(error, "; did you mean write_ctrlreg? vmring-agent");
    return 0;
}
