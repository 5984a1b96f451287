/* SPDX-License-Identifier: MIT */
/*
 * policy.c: which verdict a request gets: neutral, unless a rule fits.
 */
#include "policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../../libvmring/text/suggest.h"
#include "../../terminal/number.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

#define INDEX_XCR0 3 /* VM_EVENT_X86_XCR0 of xen/vm_event.h */

static void deny(const struct policy_rule *rule,
                 const struct vmring_event *event,
                 struct xen_vm_ring_response *response)
{
    (void)rule;
    (void)event;
    response->flags |= XEN_VM_RING_FLAG_DENY;
}

/* A row for each of enum policy_action. */
static const struct {
    const char *name;  /* of the verdict, for the outputs */
    const char *right; /* over the guest: its name for the bridge */
    uint32_t verdict;  /* and for the ring: XEN_VM_RING_VERDICT_* */
    /* Makes it of the neutral response. */
    void (*apply)(const struct policy_rule *rule,
                  const struct vmring_event *event,
                  struct xen_vm_ring_response *response);
} actions[] = {
    [POLICY_DENY] = {"deny", "deny", XEN_VM_RING_VERDICT_DENY, deny},
};

static int malformed(char *error, size_t error_len, const char *text)
{
    static const char *const names[] = {"cr0", "cr3", "cr4", "msr"};
    struct suggest near = suggest_for(text, strcspn(text, ":"));
    char meant[SUGGEST_TEXT];

    for (size_t i = 0; i < NR(names); i++)
        suggest_try(&near, names[i]);
    snprintf(error, error_len,
             "--deny %s: not a verdict rule; %swrite cr0:BITS, cr4:BITS, cr3 "
             "or msr:NUMBER[-NUMBER]",
             text, near.away ? suggest_text(&near, meant) : "");
    return -EINVAL;
}

int policy_deny(struct policy *policy, const char *text, char *error,
                size_t error_len)
{
    struct policy_rule rule = {
        .action = POLICY_DENY, .bits = UINT64_MAX, .text = text};
    const char *colon = strchr(text, ':');
    size_t len = strlen(text);
    char name[32];

    if (policy->nr_rules == POLICY_MAX_RULES) {
        snprintf(error, error_len, "more than %d --deny; give fewer",
                 POLICY_MAX_RULES);
        return -E2BIG;
    }
    /* The part that names an event is read by the grammar of -e. */
    if (strncmp(text, "msr:", 4) && colon) {
        if ((size_t)(colon - text) >= sizeof(name) ||
            !number_read(colon + 1, 1, UINT64_MAX, &rule.bits))
            return malformed(error, error_len, text);
        memcpy(name, text, (size_t)(colon - text));
        name[colon - text] = '\0';
    } else if (len < sizeof(name)) {
        memcpy(name, text, len + 1);
    } else {
        return malformed(error, error_len, text);
    }
    if (vmring_specs_parse(name, &rule.what, 1, NULL, 0) != 1 ||
        rule.what.mode != VMRING_MODE_DEFAULT || rule.what.flags ||
        (rule.what.reason != XEN_VM_RING_REASON_WRITE_CTRLREG &&
         rule.what.reason != XEN_VM_RING_REASON_MOV_TO_MSR))
        return malformed(error, error_len, text);
    if (rule.what.reason == XEN_VM_RING_REASON_WRITE_CTRLREG &&
        rule.what.first == INDEX_XCR0) {
        snprintf(error, error_len,
                 "--deny %s: a write of XCR0 is reported and cannot be denied; "
                 "write cr0:BITS, cr4:BITS, cr3 or msr:NUMBER[-NUMBER]",
                 text);
        return -EINVAL;
    }

    policy->rules[policy->nr_rules++] = rule;
    return 0;
}

/* A write that is only reported afterwards is too late to deny. */
static bool spec_covers(const struct vmring_spec *spec,
                        const struct policy_rule *rule)
{
    if (spec->reason != rule->what.reason || spec->mode == VMRING_MODE_ASYNC)
        return false;
    if (spec->reason == XEN_VM_RING_REASON_WRITE_CTRLREG)
        return spec->first == rule->what.first;
    return spec->first <= rule->what.first && rule->what.last <= spec->last;
}

int policy_check_armed(const struct policy *policy, const char *events,
                       char *error, size_t error_len)
{
    struct vmring_spec specs[VMRING_MAX_SPECS];
    int nr =
        vmring_specs_parse(events, specs, VMRING_MAX_SPECS, error, error_len);

    if (nr < 0)
        return nr;
    for (unsigned int r = 0; r < policy->nr_rules; r++) {
        const struct policy_rule *rule = &policy->rules[r];
        const char *colon = strchr(rule->text, ':');
        int i;

        for (i = 0; i < nr; i++)
            if (spec_covers(&specs[i], rule))
                break;
        if (i < nr)
            continue;
        /* A CR's bits are not part of its event's name; an MSR is. */
        if (rule->what.reason == XEN_VM_RING_REASON_MOV_TO_MSR || !colon)
            colon = rule->text + strlen(rule->text);
        snprintf(error, error_len,
                 "--deny %s: its event is not armed synchronously; have "
                 "%.*s:sync in -e, and not :async",
                 rule->text, (int)(colon - rule->text), rule->text);
        return -EINVAL;
    }
    return 0;
}

uint32_t policy_verdicts(const struct policy *policy)
{
    uint32_t verdicts = 0;

    for (unsigned int r = 0; r < policy->nr_rules; r++)
        verdicts |= actions[policy->rules[r].action].verdict;
    return verdicts;
}

void policy_name_verdicts(const struct policy *policy,
                          char text[POLICY_VERDICTS_TEXT])
{
    uint32_t verdicts = policy_verdicts(policy);
    size_t used = 0;

    snprintf(text, POLICY_VERDICTS_TEXT, "none");
    for (size_t i = 0; i < NR(actions); i++)
        if (verdicts & actions[i].verdict)
            used += (size_t)snprintf(text + used, POLICY_VERDICTS_TEXT - used,
                                     "%s%s", used ? "," : "", actions[i].right);
}

static bool fits(const struct policy_rule *rule,
                 const struct xen_vm_ring_event *rec)
{
    if (rec->reason != rule->what.reason)
        return false;
    if (rec->reason == XEN_VM_RING_REASON_WRITE_CTRLREG) {
        const struct xen_vm_ring_write_ctrlreg *cr = &rec->u.write_ctrlreg;

        return cr->index == rule->what.first &&
               ((cr->old_value ^ cr->new_value) & rule->bits);
    }
    return rule->what.first <= rec->u.mov_to_msr.msr &&
           rec->u.mov_to_msr.msr <= rule->what.last;
}

const char *policy_judge(const struct policy *policy,
                         const struct vmring_event *event,
                         struct xen_vm_ring_response *response)
{
    vmring_neutral(event, response);
    for (unsigned int r = 0; r < policy->nr_rules; r++) {
        const struct policy_rule *rule = &policy->rules[r];

        if (!fits(rule, &event->rec))
            continue;
        actions[rule->action].apply(rule, event, response);
        return actions[rule->action].name;
    }
    return POLICY_NEUTRAL;
}
