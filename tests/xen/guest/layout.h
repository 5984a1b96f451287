/* SPDX-License-Identifier: MIT */
/* Sizes and selectors that C and assembly share. */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#define MAX_VCPUS  128 /* Xen's limit for HVM and PVH: HVM_MAX_VCPUS */
#define STACK_SIZE 4096

#define CODE_SELECTOR 0x08
#define DATA_SELECTOR 0x10

#define NR_VECTORS     256
#define TRAP_STUB_SIZE 16

#endif
