/* SPDX-License-Identifier: MIT */
/*
 * monitor.h: the parts of the source "monitor", a domain of Xen 4.17 to 4.20
 * whose events come by the legacy ring.  Only monitor*.c know libxenctrl, an
 * unstable interface bound to one version of Xen.
 *
 *   monitor_source.c  the source: its life, and its numbers
 *   monitor.c         requests in, verdicts out
 *   monitor_target.c  finding the domain, and seeing its end
 *   monitor_built.c   waiting for one that is being built
 *   monitor_lock.c    one bridge a domain
 *   monitor_ring.c    taking the legacy ring into use, and giving it back
 *   monitor_support.c which events are known to fire here
 *   monitor_bears.c   what Xen bears of what an agent can ask for
 *   monitor_domctl.c  domctls by hand; another Xen, and one that permits none
 *   monitor_arm.c     which events the domain raises: asked for, and when
 *   monitor_step.c    from what is armed to what is wanted, step by step
 *   monitor_ranges.c  MSRs and frames: what is armed, and what is to be
 *   monitor_event.c   the calls for it
 *   monitor_end.c     when the domain is quiet, and leaving it unharmed
 *   monitor_recover.c a domain whose bridge was killed
 *   monitor_listener.c  whether a consumer of its ring lives
 */
#ifndef BRIDGE_MONITOR_H
#define BRIDGE_MONITOR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define XC_WANT_COMPAT_DEVICEMODEL_API /* xc_hvm_inject_trap() */
#define XC_WANT_COMPAT_MAP_FOREIGN_API /* xc_map_foreign_range() */
#include <xencall.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "exit_status.h"
#include "legacy_ring.h"
#include "log.h"
#include "source.h"

/* Where the domain is on its way to having nothing of ours in it. */
enum rest {
    RESTLESS,    /* armed, or requests are unanswered */
    COMING_DOWN, /* waiting for each vCPU to pass a point of safety */
    QUIET,
};

/* XEN_DOMCTL_MONITOR_EVENT_IO of domctl.h, which has it since Xen 4.18. */
#define MONITOR_EVENT_IO 13

struct monitor_stats {
    uint64_t requests; /* taken from the legacy ring */
    uint64_t at_once;  /* of them: asynchronous, answered at once */
    uint64_t posted;   /* of them: synchronous */
    uint64_t arming;   /* of them: answered neutrally until all is armed */
    uint64_t ending;   /* of them: answered neutrally while ending */
    uint64_t malformed;
    uint64_t bad_verdicts; /* could not be carried out: neutral instead */
    uint64_t failed_injections;
    uint64_t dropped_injections; /* another event was on its way already */
    uint64_t notifications;
    uint64_t full_ns; /* eight requests unanswered */
    uint64_t enabled_ns;
    uint64_t busy_disables;
};

struct monitor {
    xentoollog_logger logger;
    xc_interface *xch;
    xencall_handle *xcall;
    xenevtchn_handle *xce;
    struct xs_handle *xs;

    /* The domain. */
    uint32_t domid;
    char name[64];  /* "domain 5 (web1)"; any bytes */
    char title[64]; /* "web1, domain 5" */
    unsigned int nr_vcpus;
    uint32_t arch;
    bool is_intel;
    bool has_devices; /* its ports are a device model's, as those of HVM */
    bool ending;
    bool may_step, may_altp2m; /* a verdict has switched that on, perhaps */
    bool has_mem_access;
    uint32_t capabilities;     /* bits 1 << XEN_DOMCTL_MONITOR_EVENT_* */
    unsigned int target_state; /* XEN_VM_RING_TARGET_* */
    unsigned int shutdown_reason;
    uint64_t looked_at;      /* ns */
    char *note;              /* the file of `lock`, mapped; or NULL */
    int lock;                /* a descriptor, or -1 */
    char serves[SOURCE_URI]; /* what others are told of that, or "" */
    int lock_folder;         /* where it is, if there is one */
    int epoll;               /* of xce and xs, which can go; or -1 */

    /* The legacy ring. */
    struct legacy_ring ring;
    void *page;    /* NULL: not attached */
    int port;      /* local, or -1 */
    bool in_place; /* the ring has its own frame, as on arm, */
    bool had_page; /* where the guest had a page, which is dropped */
    xen_pfn_t ring_gfn;
    xen_pfn_t fresh_gfn;    /* noted: a page for it may have come there; or 0 */
    uint64_t raised_max_kb; /* we raised the maximum to this; 0: not */
    uint64_t found_max_kb;  /* and it was this before */
    bool held;           /* noted: to be unpaused by whoever comes, if we die */
    bool ran;            /* and it was not paused before */
    uint64_t full_since; /* ns; 0: not full */
    uint64_t enabled_at;

    /* What is to be armed, and is, when no arming is under way. */
    struct vmring_spec specs[VMRING_MAX_SPECS];
    struct arming *arming;
    unsigned int nr_specs;
    uint32_t async_ctrlregs; /* 1 << index: delivered asynchronously */
    uint32_t async_reasons;  /* 1 << reason */
    bool walks_suppressed;   /* no events for page walks */
    bool deny_granted, deny_set;
    bool said_left_out; /* of MSRs that no range has */
    char refusal[128];  /* what monitor_refuse() may return */

    struct vmring_producer *producer;
    uint64_t cookie;
    unsigned int nr_overdue;
    bool paused; /* by us, for overdue requests */

    /* The way to rest; the arrays have one entry a vCPU. */
    enum rest rest;
    uint64_t *harmless; /* cpu_time at which it had nothing of ours */
    uint64_t *started;  /* cpu_time when it began to come down */
    bool *passed;       /* has since passed a point of safety */
    uint64_t restless_at, said_at;
    bool left_behind;

    struct monitor_stats stats;
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

uint64_t monitor_now(void); /* ns */

/* Each of the following that returns int returns an exit status. */

/* monitor_source.c: opens Xen's interfaces, finds and locks the domain. */
int monitor_find(struct source_start *start, struct monitor **monitor);

/* monitor_built.c: updates *info.  Or SOURCE_INTERRUPTED. */
int monitor_wait_until_built(struct monitor *monitor, unsigned int wait_s,
                             struct domain_info *info);

/* monitor_lock.c: or SOURCE_SHARED, if that will do. */
int monitor_lock(struct monitor *monitor, struct source_start *start);
/* Notes for others where it serves. */
void monitor_serves(void *source, const char *uri);
void monitor_unlock(struct monitor *monitor);
/* Writes down what is to be put back if this process is killed. */
void monitor_note_fresh(struct monitor *monitor, xen_pfn_t gfn);
void monitor_note(struct monitor *monitor);
/* Of that `held` alone, which costs no call, and can be had in the sandbox. */
void monitor_note_held(struct monitor *monitor);
/* As source_ops.confine: where the lock is will be out of reach. */
void monitor_forget_place(void *source);

/* monitor_held.c: paused by us, and whoever comes unpauses it if we die. */
int monitor_hold(struct monitor *monitor); /* 0, or -1 and errno */
void monitor_release(struct monitor *monitor);
/* By errno: it is said what is to be done, if anything. */
void monitor_cannot_unpause(const struct monitor *monitor);
void monitor_let_run(struct monitor *monitor);

/* monitor_target.c: finds it by id or name, checks it, watches for its end. */
int monitor_find_target(struct monitor *monitor,
                        const struct source_start *start);
/* 0, or -errno; -ESRCH: Xen has no such domain. */
int monitor_get_info(struct monitor *monitor, struct domain_info *info);
void monitor_look_at_target(struct monitor *monitor);
/* Reads what the watch has brought. */
void monitor_read_watch(struct monitor *monitor);
bool monitor_is_dead(const struct monitor *monitor);
/* Being saved or migrated: it goes on, or is destroyed. */
bool monitor_is_suspended(const struct monitor *monitor);

/* monitor_ring.c */
int monitor_enable(struct monitor *monitor);
/* -EBUSY: vCPUs wait in the ring's queue; the monitor's state is wiped. */
int monitor_disable(struct monitor *monitor);
/*
 * Disables the ring of a bridge that was killed.  -EBUSY as above, -EINVAL:
 * there is none.
 */
int monitor_take_back(struct monitor *monitor);
/* Without a word to Xen: the domain is dying, or Xen has let go already. */
void monitor_detach(struct monitor *monitor);

/* monitor_arm.c: of vmring_producer_ops; ctx is the monitor. */
void monitor_subscribe(void *ctx, const struct vmring_spec *specs,
                       unsigned int nr, int *results, char *error,
                       size_t error_len);
int monitor_is_arming(void *ctx);
void monitor_attached(void *ctx, int attached, uint32_t verdicts);

int monitor_allocate_arming(struct monitor *monitor);
/*
 * Goes on with what monitor_subscribe() began.  Returns the ms until it is to
 * be called again, or SOURCE_WAIT: there is nothing to do.
 */
int monitor_arm_turn(struct monitor *monitor);
/* Is it of a subscription that is not in force yet? */
bool monitor_withholds(const struct monitor *monitor,
                       const struct xen_vm_ring_event *event);
bool monitor_delivers_async(const struct monitor *monitor,
                            const struct xen_vm_ring_event *event);

/*
 * monitor_event.c: each a call to Xen, or two.  0, or -1 and errno.
 */
bool monitor_is_async(const struct vmring_spec *spec);
int monitor_set_event(struct monitor *monitor, const struct vmring_spec *spec,
                      bool on);
int monitor_set_frames(struct monitor *monitor, uint64_t first, uint64_t last,
                       unsigned int watched);
/* From now on register writes can be denied.  Or -errno. */
int monitor_defer_writes(struct monitor *monitor);

/* monitor_support.c */
uint64_t monitor_supported(void *ctx); /* of vmring_producer_ops */
uint32_t monitor_verdicts(const struct monitor *monitor);
bool monitor_fires(const struct monitor *monitor, unsigned int reason);
/* Is it a range of MSRs or frames? */
bool monitor_is_range(const struct vmring_spec *spec);

/*
 * monitor_bears.c: why specs[i] cannot be armed, the ones before it being
 * armed; NULL: it can.  *result gets VMRING_SPEC_*.
 */
const char *monitor_refuse(struct monitor *monitor,
                           const struct vmring_spec *specs, unsigned int i,
                           int *result);
/* Can it be watched?  Else it is left out of a range. */
bool monitor_bears_msr(uint64_t msr);
/* A line, once, if some of a range of MSRs are left out. */
void monitor_say_left_out(struct monitor *monitor,
                          const struct vmring_spec *spec);
/* As xc_monitor_mov_to_msr(), and the guest reads what it read before. */
int monitor_set_msr(struct monitor *monitor, uint32_t msr, bool on,
                    bool onchange);
/* Can Xen carry it out, and survive it? */
bool monitor_bears_verdict(const struct monitor *monitor,
                           const struct xen_vm_ring_event *event,
                           const struct xen_vm_ring_response *verdict);
bool monitor_bears_trap(const struct xen_vm_ring_inject *trap);
/* Would Xen drop what is injected into the vCPU of this event? */
bool monitor_has_event_pending(struct monitor *monitor,
                               const struct xen_vm_ring_event *event);

/* monitor_domctl.c: of this domain; 0 or -errno. */
int monitor_domctl(struct monitor *monitor, struct xen_domctl *domctl);
/* Is this a Xen that it works with?  An exit status. */
int monitor_check_xen(struct monitor *monitor);
/*
 * Says why Xen answered EPERM or EACCES, `permission` being what its security
 * policy calls what was asked for; returns an exit status.
 */
int monitor_not_permitted(struct monitor *monitor, const char *permission);

/* monitor.c: for the source's table. */
int monitor_run(void *source);
void monitor_carry_out(void *source, const struct vmring_verdict *verdict);
void monitor_flush(void *source);

/* monitor_listener.c: true also where that cannot be told from a driver's. */
bool monitor_has_listener(struct monitor *monitor);

/* monitor_recover.c: see source.h. */
int monitor_recover(const char *target, int forced);

/* monitor_end.c */
int monitor_allocate_rest(struct monitor *monitor);
/* The state of rest before a single event was armed. */
void monitor_start_rest(struct monitor *monitor);
/* Something of ours is on its way through the domain again. */
void monitor_disturb(struct monitor *monitor);
void monitor_settle(struct monitor *monitor);
int monitor_end(void *source, int forced);

#endif /* BRIDGE_MONITOR_H */
