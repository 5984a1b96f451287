/* SPDX-License-Identifier: MIT */
/* target.h: the domain: what it is called, what it can do, how it is. */
#ifndef BRIDGE_MONITOR_TARGET_H
#define BRIDGE_MONITOR_TARGET_H

#include "handles.h"

struct target {
    struct handles xen;
    uint32_t domid;
    char name[64];  /* "domain 5 (web1)"; any bytes */
    char title[64]; /* "web1, domain 5" */

    /* What it can do. */
    unsigned int nr_vcpus;
    uint32_t arch;
    bool is_intel;
    bool has_devices;      /* its ports are a device model's, as those of HVM */
    bool has_mem_access;   /* known once there is a ring */
    uint32_t capabilities; /* bits 1 << XEN_DOMCTL_MONITOR_EVENT_* */

    /* How it is, when it was looked at. */
    unsigned int state; /* XEN_VM_RING_TARGET_* */
    unsigned int shutdown_reason;
    uint64_t looked_at; /* ns; 0: it is to be looked at now */
    bool paused;        /* by us, for overdue requests */
};

/* What Xen says of a domain; each version of libxenctrl has it otherwise. */
struct domain_info {
    bool is_hvm; /* or PVH */
    bool dying, shutdown, paused;
    unsigned int shutdown_reason; /* of one that is shut down */
    unsigned int nr_vcpus;
    bool has_devices;
    uint64_t nr_pages, max_pages;
    uint32_t sid; /* its label, for Xen's security module */
};

/* 0, or -errno; -ESRCH: Xen has no such domain. */
int target_get_info(struct target *target, struct domain_info *info);
/* Is there such a vCPU? */
bool target_get_vcpu(struct target *target, unsigned int vcpu,
                     xc_vcpuinfo_t *info);

/* Asks Xen how it is. */
void target_look(struct target *target);
/* Reads what xenstore's watch has brought: looked_at becomes 0. */
void target_read_watch(struct target *target);

bool target_is_dead(const struct target *target);
/* Being saved or migrated: it goes on, or is destroyed. */
bool target_is_suspended(const struct target *target);

/*
 * Says why Xen answered EPERM or EACCES, `permission` being what its security
 * policy calls what was asked for; returns an exit status.
 */
int target_not_permitted(struct target *target, const char *permission);

#endif /* BRIDGE_MONITOR_TARGET_H */
