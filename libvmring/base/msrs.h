/* SPDX-License-Identifier: MIT */
/*
 * msrs.h: which MSRs a producer may ask Xen to watch.  Xen checks little of it.
 * What is said of Xen is from reading 4.17 to 4.20.
 */
#ifndef VMRING_BASE_MSRS_H
#define VMRING_BASE_MSRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Xen's monitor notes MSRs of three windows, and has both vendors' CPUs
 * intercept writes in two of them.  Of the third, 0x40000000-0x40001fff, its
 * code for AMD is a BUG() and that for Intel an assertion
 * (svm_intercept_msr(), vmx_set_msr_intercept()).
 */
#define MSRS_LOW      0u
#define MSRS_HIGH     0xc0000000u
#define MSRS_LAST(of) ((of) + 0x1fff)
#define MSRS_IN_WORDS "0-0x1fff and 0xc0000000-0xc0001fff"

/*
 * Before it reports a write Xen reads the old value, and gives the guest the
 * fault of that read (hvm_msr_write_intercept()).  These a guest may write and
 * not read (guest_rdmsr(), guest_rdmsr_x2apic()): a guest that was right to
 * write would get a #GP.
 */
static const uint32_t msrs_write_only[] = {
    0x49,  /* PRED_CMD */
    0x79,  /* microcode update, which Xen ignores without a fault */
    0x10b, /* FLUSH_CMD */
    0x80b, /* x2APIC EOI */
    0x83f, /* x2APIC SELF_IPI */
};

/* Is there one of them in this range? */
static inline bool msrs_have_write_only(uint64_t first, uint64_t last)
{
    size_t nr = sizeof(msrs_write_only) / sizeof(msrs_write_only[0]);

    for (size_t i = 0; i < nr; i++) {
        if (first <= msrs_write_only[i] && last >= msrs_write_only[i])
            return true;
    }
    return false;
}

/* Can it be watched?  Else it is left out of a range. */
static inline bool msrs_bear(uint64_t msr)
{
    return !msrs_have_write_only(msr, msr);
}

static inline bool msrs_are_within(uint64_t first, uint64_t last,
                                   uint32_t window)
{
    return first >= window && last <= MSRS_LAST(window);
}

/* Why this range cannot be watched; NULL: it can. */
static inline const char *msrs_refuse(uint64_t first, uint64_t last)
{
    if (!msrs_are_within(first, last, MSRS_LOW) &&
        !msrs_are_within(first, last, MSRS_HIGH))
        return "is outside of what Xen can watch on this CPU: " MSRS_IN_WORDS;
    if (first == last && !msrs_bear(first))
        return "cannot be watched: it can be written and not read, and Xen "
               "would give the guest a fault for writing it";
    return NULL;
}

#endif /* VMRING_BASE_MSRS_H */
