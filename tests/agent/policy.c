/* SPDX-License-Identifier: MIT */
/* Description: --deny is read, checked against -e, and matched exactly. */
#include "../../agent/policy/policy.h"

#include <errno.h>

#include "../unit/check.h"

static void check_refused(const char *text)
{
    struct policy policy = {0};
    char error[256] = "";

    CHECK_EQ(policy_deny(&policy, text, error, sizeof(error)), -EINVAL);
    CHECK_HAS(error, text);
    CHECK_HAS(error, "write cr0:BITS");
    CHECK_EQ(policy.nr_rules, 0);
}

static void check_reading(void)
{
    struct policy policy = {0};
    char error[256], names[POLICY_VERDICTS_TEXT];
    uint32_t mask;

    CHECK_EQ(policy_verdicts(&policy), 0);
    policy_name_verdicts(&policy, names);
    CHECK_STR(names, "none");
    CHECK_EQ(policy_deny(&policy, "cr4:0x4", error, sizeof(error)), 0);
    CHECK_EQ(policy_deny(&policy, "cr0", error, sizeof(error)), 0);
    CHECK_EQ(policy_deny(&policy, "msr:0x174-0x176", error, sizeof(error)), 0);
    CHECK_EQ(policy.nr_rules, 3);
    CHECK_EQ(policy.rules[0].bits, 4);
    CHECK_EQ(policy.rules[1].bits, UINT64_MAX);
    CHECK_EQ(policy.rules[2].what.last, 0x176);
    CHECK_EQ(policy_verdicts(&policy), XEN_VM_RING_VERDICT_DENY);
    policy_name_verdicts(&policy, names);
    CHECK_STR(names, "deny");
    CHECK_EQ(vmring_verdicts_parse(names, &mask, error, sizeof(error)), 0);
    CHECK_EQ(mask, policy_verdicts(&policy));

    check_refused("");
    check_refused(":");
    check_refused("cr4:");
    check_refused("cr4:0");
    check_refused("cr4:-1");
    check_refused("cr4:4x");
    check_refused("cr4:async");
    check_refused("cr9:1");
    check_refused("xcr0:4");
    check_refused("xcr0");
    check_refused("cpuid");
    check_refused("msr");
    check_refused("msr:0x10:onchange");
    check_refused("cr4 cr0");
    check_refused("mem:w@0x1000");
    check_refused("a-name-longer-than-any-event-has:1");
    check_refused("a-name-longer-than-any-event-has-without-bits");

    for (int i = 3; i < POLICY_MAX_RULES; i++)
        CHECK_EQ(policy_deny(&policy, "cr4:1", error, sizeof(error)), 0);
    CHECK_EQ(policy_deny(&policy, "cr4:1", error, sizeof(error)), -E2BIG);
}

static int armed(const char *rule, const char *events, char *error,
                 size_t error_len)
{
    struct policy policy = {0};

    CHECK_EQ(policy_deny(&policy, rule, error, error_len), 0);
    return policy_check_armed(&policy, events, error, error_len);
}

static void check_arming(void)
{
    char error[256];

    CHECK_EQ(armed("cr4:4", "cpuid cr4", error, sizeof(error)), 0);
    CHECK_EQ(armed("cr4:4", "cr4:sync:onchange", error, sizeof(error)), 0);
    CHECK_EQ(armed("msr:0x175", "msr:0x174-0x176", error, sizeof(error)), 0);
    CHECK_EQ(armed("cr4:4", "cr4:async", error, sizeof(error)), -EINVAL);
    CHECK_HAS(error, "have cr4:sync in -e");
    CHECK_EQ(armed("cr4:4", "cr3 cpuid", error, sizeof(error)), -EINVAL);
    CHECK_EQ(armed("msr:0x174-0x177", "msr:0x174-0x176", error, sizeof(error)),
             -EINVAL);
    CHECK_HAS(error, "have msr:0x174-0x177:sync in -e");
    CHECK_EQ(armed("cr4:4", "nonsense", error, sizeof(error)), -EINVAL);
    CHECK_HAS(error, "nonsense");
}

static void check_judging(void)
{
    struct policy policy = {0};
    struct vmring_event event = {.seq = 1};
    struct xen_vm_ring_response response;
    char error[256];

    policy_deny(&policy, "cr4:0x4", error, sizeof(error));
    policy_deny(&policy, "msr:0x174-0x176", error, sizeof(error));

    event.rec.reason = XEN_VM_RING_REASON_WRITE_CTRLREG;
    event.rec.u.write_ctrlreg.index = 2;
    event.rec.u.write_ctrlreg.old_value = 0x24;
    event.rec.u.write_ctrlreg.new_value = 0x20;
    CHECK_STR(policy_judge(&policy, &event, &response), "deny");
    CHECK(response.flags & XEN_VM_RING_FLAG_DENY);
    event.rec.u.write_ctrlreg.new_value = 0x4;
    CHECK_STR(policy_judge(&policy, &event, &response), "neutral");
    CHECK(!(response.flags & XEN_VM_RING_FLAG_DENY));
    event.rec.u.write_ctrlreg.new_value = 0x20;
    event.rec.u.write_ctrlreg.index = 0;
    CHECK_STR(policy_judge(&policy, &event, &response), "neutral");

    event.rec.reason = XEN_VM_RING_REASON_MOV_TO_MSR;
    event.rec.u.mov_to_msr.msr = 0x176;
    CHECK_STR(policy_judge(&policy, &event, &response), "deny");
    event.rec.u.mov_to_msr.msr = 0x177;
    CHECK_STR(policy_judge(&policy, &event, &response), "neutral");
}

int main(void)
{
    check_reading();
    check_arming();
    check_judging();
    return 0;
}
