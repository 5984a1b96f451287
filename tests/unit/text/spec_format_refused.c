/* SPDX-License-Identifier: MIT */
/*
 * Description: a spec that no text stands for is not spelt, and one that has
 * no room is not spelt in part.
 */
#include <errno.h>

#include "check.h"
#include "vmring.h"

#define REASON(name) XEN_VM_RING_REASON_##name

static const struct vmring_spec senseless[] = {
    {.reason = XEN_VM_RING_NR_REASONS},
    {.reason = REASON(UNKNOWN)},
    {.reason = REASON(WRITE_CTRLREG), .first = 77, .last = 77},
    {.reason = REASON(WRITE_CTRLREG), .first = 1, .last = 2},
    {.reason = REASON(WRITE_CTRLREG), .access = VMRING_MEM_R},
    {.reason = REASON(CPUID), .flags = VMRING_SPEC_ONCHANGE},
    {.reason = REASON(CPUID), .mode = VMRING_MODE_ASYNC},
    {.reason = REASON(CPUID), .mode = 3},
    {.reason = REASON(MOV_TO_MSR), .access = VMRING_MEM_R},
    {.reason = REASON(MOV_TO_MSR), .first = 2, .last = 1},
    {.reason = REASON(MOV_TO_MSR), .first = 1, .last = 1ULL << 32},
    {.reason = REASON(MOV_TO_MSR), .first = 0, .last = 0x2000},
    {.reason = REASON(MEM_ACCESS), .access = 0},
    {.reason = REASON(MEM_ACCESS), .access = 8},
    {.reason = REASON(MEM_ACCESS), .access = 1, .first = 2, .last = 1},
    {.reason = REASON(MEM_ACCESS), .access = 1, .last = 1ULL << 40},
    {.reason = REASON(MEM_ACCESS), .access = 1, .last = UINT64_MAX},
    {.reason = REASON(MEM_ACCESS), .access = 1, .first = 1, .last = UINT64_MAX},
    {.reason = REASON(MEM_ACCESS), .access = 1, .last = UINT64_MAX},
    {.reason = REASON(MEM_ACCESS), .access = 2, .flags = VMRING_SPEC_WALKS},
};

int main(void)
{
    char text[64], error[64];
    struct vmring_spec spec, two[2];
    int len;

    for (size_t i = 0; i < sizeof(senseless) / sizeof(senseless[0]); i++)
        CHECK_EQ(vmring_spec_format(&senseless[i], text, sizeof(text)),
                 -EINVAL);

    CHECK_EQ(vmring_specs_parse("msr:1-2:sync:onchange", &spec, 1, NULL, 0), 1);
    len = vmring_spec_format(&spec, text, sizeof(text));
    CHECK_EQ(len, strlen(text));
    for (int room = 0; room <= len; room++)
        CHECK_EQ(vmring_spec_format(&spec, text, (size_t)room), -ENOSPC);
    CHECK_EQ(vmring_spec_format(&spec, text, (size_t)len + 1), len);

    /* What is wrong is told as far as there is room. */
    CHECK_EQ(vmring_specs_parse("nonsense", &spec, 1, NULL, 64), -EINVAL);
    CHECK_EQ(vmring_specs_parse("nonsense", &spec, 1, error, 0), -EINVAL);
    for (size_t room = 1; room < sizeof(error); room++) {
        memset(error, 'x', sizeof(error));
        CHECK_EQ(vmring_specs_parse("nonsense", &spec, 1, error, room),
                 -EINVAL);
        CHECK(memchr(error, '\0', room));
        CHECK_EQ(error[room], 'x');
    }
    /* Numbers at the edge of what is allowed. */
    CHECK_EQ(vmring_specs_parse("msr:4294967296", &spec, 1, NULL, 0), -EINVAL);
    CHECK_EQ(vmring_specs_parse("msr:0xfffffffff", &spec, 1, NULL, 0), -EINVAL);
    /* Two that overlap, in each way. */
    CHECK_EQ(vmring_specs_parse("mem:r@1-2 mem:r@2-3", two, 2, NULL, 0),
             -EINVAL);
    CHECK_EQ(vmring_specs_parse("mem:r@1-2 mem:r@1-3", two, 2, NULL, 0),
             -EINVAL);
    CHECK_EQ(vmring_specs_parse("mem:r@1-3 mem:r@2-3", two, 2, NULL, 0),
             -EINVAL);
    CHECK_EQ(vmring_specs_parse("mem:r@1-2 mem:r@3-3", two, 2, NULL, 0), 2);
    CHECK(!vmring_reason_name(XEN_VM_RING_NR_REASONS));
    CHECK_EQ(vmring_reason_has_mode(99, VMRING_MODE_SYNC), 0);
    CHECK_EQ(vmring_reason_has_mode(REASON(CPUID), 7), 0);
    return 0;
}
