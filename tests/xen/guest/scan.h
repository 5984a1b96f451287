/* SPDX-License-Identifier: MIT */
/*
 * A vCPU that looks through the guest's memory, and gives back and takes
 * memory up to the domain's maximum, while the others work: whoever watches
 * the guest must be neither seen nor disturbed by that.
 */
#ifndef GUEST_SCAN_H
#define GUEST_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>

#include "vcpu.h"

/* Learns where memory is; before anything is written over. */
bool scan_prepare(const struct hvm_start_info *info);

/* The vCPU that scans, if one does: the last. */
bool scans(const struct vcpu *v);

/* Lets it begin, before the others do. */
void scan_start(void);

/* Until all others have finished, and once more. */
void scan(const struct vcpu *v);

/* Until the domain's maximum has been raised by 1 MiB or more. */
void hold(const struct vcpu *v);

void scan_report(void);

#endif
