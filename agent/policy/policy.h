/* SPDX-License-Identifier: MIT */
/*
 * policy.h: which verdict a request gets.
 */
#ifndef AGENT_POLICY_H
#define AGENT_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "../../libvmring/vmring.h"

#define POLICY_MAX_RULES 64

/* The verdict that every request gets without a rule: its name. */
#define POLICY_NEUTRAL "neutral"

/* The actions of rules; policy.c has a row for each. */
enum policy_action {
    POLICY_DENY, /* --deny: the register keeps its value */
};

struct policy_rule {
    enum policy_action action;
    struct vmring_spec what; /* the register or MSRs meant */
    uint64_t bits;           /* only if the write changes one of these */
    const char *text;        /* as given, for messages */
};

struct policy {
    unsigned int nr_rules;
    struct policy_rule rules[POLICY_MAX_RULES];
};

/*
 * Adds the rule of a --deny: "cr4:BITS", "cr4", "msr:NUMBER[-NUMBER]".
 * 0; -EINVAL or -E2BIG and one line in error.
 */
int policy_deny(struct policy *policy, const char *text, char *error,
                size_t error_len);

/*
 * Does `events`, the subscription, make a vCPU wait for each write that a
 * rule is about?  0; -EINVAL and one line in error that names the rule.
 */
int policy_check_armed(const struct policy *policy, const char *events,
                       char *error, size_t error_len);

/* The rights over the guest that the rules need: XEN_VM_RING_VERDICT_*. */
uint32_t policy_verdicts(const struct policy *policy);

/* By name, as vmring_verdicts_parse() reads them; "none" needs none. */
#define POLICY_VERDICTS_TEXT 80
void policy_name_verdicts(const struct policy *policy,
                          char text[POLICY_VERDICTS_TEXT]);

/*
 * Stores the verdict on a request in *response; returns its name for the
 * outputs: POLICY_NEUTRAL, or that of the action of the first rule that fits.
 */
const char *policy_judge(const struct policy *policy,
                         const struct vmring_event *event,
                         struct xen_vm_ring_response *response);

#endif /* AGENT_POLICY_H */
