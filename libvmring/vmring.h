/* SPDX-License-Identifier: MIT */
/*
 * vmring.h: both ends of the vm_ring ABI (xen/vm_ring.h).
 *
 * A consumer, an introspection tool, opens an endpoint and takes events from
 * it.  A producer serves one and posts or pushes events into it.
 *
 * A function that can fail returns zero or a positive value, or a negative
 * errno.  Nothing is printed: text goes to the log function of the options, if
 * any.
 *
 * Threads: a handle may be used by one thread at a time.  A ring's workers are
 * handles, each for a thread of its own; see struct vmring_worker.  Fork: a
 * handle is the parent's.  In the child it is of no use, and closing it does
 * nothing: what it holds goes at the child's end or exec (descriptors are
 * close-on-exec), and until then the other end does not see that the parent
 * has gone.  So fork what lives on before a handle is opened.  Signals: no
 * call is restarted for the caller; -EINTR comes back only from calls whose
 * description says that they block.
 *
 * Structures that start with `size` are extended at their end.  The caller
 * stores sizeof() there; a tail that the library does not know must be zero,
 * or the call gives -E2BIG.  A size below that of a size_t or above 4096 was
 * never set: -EINVAL.
 */
#ifndef VMRING_H
#define VMRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/vm_ring.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMRING_VERSION_STRING "0.1.0"

#pragma GCC visibility push(default)

struct vmring;          /* a consumer's end */
struct vmring_worker;   /* a doorbell group of it, for another thread */
struct vmring_producer; /* a producer's end */

/* `level` is one of syslog(3)'s, `text` one line without its newline. */
typedef void vmring_log_fn(void *ctx, int level, const char *text);

/* ------------------------------------------------------------- events -- */

/* How an event is delivered. */
#define VMRING_MODE_DEFAULT 0 /* synchronous where the reason can be */
#define VMRING_MODE_SYNC    1 /* the vCPU waits for the verdict */
#define VMRING_MODE_ASYNC   2 /* the vCPU goes on; a full lane loses */

#define VMRING_SPEC_ONCHANGE (1u << 0) /* only writes that change the value */
#define VMRING_SPEC_USER     (1u << 1) /* guest requests from user mode too */
#define VMRING_SPEC_FAULTS   (1u << 2) /* faults of page walks too (mem) */
#define VMRING_SPEC_WALKS    (1u << 3) /* page walks may write (mem:wx) */

/* Memory access rights watched by a `mem` event. */
#define VMRING_MEM_R 1u
#define VMRING_MEM_W 2u
#define VMRING_MEM_X 4u

/* One event of a subscription, as parsed from its textual form. */
struct vmring_spec {
    uint16_t reason; /* XEN_VM_RING_REASON_* */
    uint8_t mode;    /* VMRING_MODE_* */
    uint8_t access;  /* mem: VMRING_MEM_* */
    uint32_t flags;  /* VMRING_SPEC_* */
    uint64_t first;  /* control register index, MSR, first gfn */
    uint64_t last;   /* MSR or gfn range: its last, inclusive */
};

/* What a producer answers for one spec. */
#define VMRING_SPEC_ARMED       0
#define VMRING_SPEC_UNSUPPORTED 1 /* known not to fire on this target */
#define VMRING_SPEC_DENIED      2 /* not in the producer's allow-list */
#define VMRING_SPEC_FAILED      3 /* arming failed: see the text */

#define VMRING_MAX_SPECS 256

/*
 * Parses `text`: events separated by spaces or commas, e.g.
 * "cpuid cr3 msr:0xc0000082 guest_request:async mem:w@0x1000-0x2000";
 * vm_ring(7) has the grammar.  Fills at most `max` of `specs`.
 * Returns their number; -EINVAL with one line naming the bad word and the
 * remedy in `error` (if error_len is not 0); -E2BIG if there are more.
 */
int vmring_specs_parse(const char *text, struct vmring_spec *specs,
                       unsigned int max, char *error, size_t error_len);

/*
 * Writes the textual form of one spec, in a canonical spelling that
 * vmring_specs_parse() takes.  Returns its length; -ENOSPC; -EINVAL.
 */
int vmring_spec_format(const struct vmring_spec *spec, char *text, size_t len);

/* The name of a reason ("cpuid", "write_ctrlreg"...), or NULL. Static. */
const char *vmring_reason_name(unsigned int reason);

/* Can events of this reason be delivered in this mode (VMRING_MODE_*)? */
bool vmring_reason_has_mode(unsigned int reason, unsigned int mode);

/*
 * One line of `-e help`: the i-th kind of event, its textual form, what it
 * reports; returns 0, or -ENOENT past the last.  Pointers are static.
 */
struct vmring_kind {
    uint16_t reason;
    uint16_t modes;      /* 1 << VMRING_MODE_SYNC | 1 << VMRING_MODE_ASYNC */
    const char *name;    /* "cr4", "msr", "mem"... */
    const char *form;    /* "msr:NUMBER[-NUMBER][:onchange]" */
    const char *summary; /* "a write to a model-specific register" */
    const char *example; /* a spec that parses */
};
int vmring_get_kind(unsigned int i, struct vmring_kind *kind);

/*
 * The i-th line, of less than VMRING_LINE bytes, of what can be asked of a
 * simulated guest (sim:KEY=VALUE,...): keys, values, defaults, meanings.
 * Returns its length, or -ENOENT past the last.
 */
#define VMRING_LINE 80
int vmring_sim_help(unsigned int i, char text[VMRING_LINE]);

/*
 * Names of verdicts ("deny", "set_registers", "emulate", "step", "altp2m",
 * "inject", "next_interrupt", "reset", "continue"), as a list separated by
 * commas;
 * "none" and "all" too.  Returns 0 and the mask; -EINVAL and the bad word.
 */
int vmring_verdicts_parse(const char *text, uint32_t *mask, char *error,
                          size_t error_len);

/* An event as a consumer gets it.  A private copy, whole and checked. */
struct vmring_event {
    struct xen_vm_ring_event rec; /* rec.length says what of it is there; its
                                     reason may be newer than this library */
    uint64_t seq;         /* synchronous: to be answered; 0: asynchronous */
    uint64_t position;    /* asynchronous: position in its lane */
    uint32_t epoch_mark;  /* 1: drained from the epoch before this attach */
    uint32_t lost_before; /* records lost in this lane just before it */
    uint32_t lane;        /* its vCPU, or nr_vcpus: raised by no vCPU */
    uint32_t target;      /* VMRING_NEXT_TARGET: XEN_VM_RING_TARGET_* */
    uint32_t shutdown;    /* and why, if it has shut down */
    uint32_t reserved0;
    uint64_t reserved[4];
};

/* ----------------------------------------------------------- consumer -- */

struct vmring_opts {
    size_t size;
    vmring_log_fn *log; /* may be NULL */
    void *log_ctx;
    uint64_t async_len;   /* bytes of records in all lanes; 0: 64 KiB, or what
                             is nearest to it of the producer's limits */
    uint32_t record_len;  /* 0: with registers; 64: without */
    uint32_t loss_policy; /* XEN_VM_RING_POLICY_* */
    uint32_t nr_groups;   /* doorbell groups; 0: 1 */
    uint32_t verdicts;    /* XEN_VM_RING_VERDICT_*; 0: observe only */
    uint64_t deadline_ns; /* 0: the producer's default; UINT64_MAX: for ever */
    int timeout_ms;       /* for the control channel; 0: 10 000.  vmring_open()
                             of grant: gives xenstored 15 s besides */
    char *error;          /* may be NULL: one line on failure, with cause */
    size_t error_len;     /*   and remedy */
    /*
     * May be NULL.  Asked ten times a second while a call waits for an answer
     * of the producer; true: the call ends with -EINTR, and the producer
     * counts as gone, as the answer may come yet.  vmring_close() detaches
     * even so.
     */
    bool (*interrupted)(void *ctx);
    void *interrupted_ctx;
};

/*
 * Attaches to the endpoint `uri`:
 *   local:PATH      a unix socket served by a producer
 *   fd:N            a connected unix socket (taken over, also on failure)
 *   grant:DOMID/TARGET  the bridge in another domain of Xen that serves the
 *                   target of that name to this domain
 *   xen:DOMID       Xen itself, where it can be a producer.  Starts a process
 *                   that calls Xen for this one until vmring_close()
 *   sim:KEY=VALUE,... a simulated guest, a thread of this process
 *                   (vmring-bridge(8) lists the keys)
 * Blocks until the producer has answered or timeout_ms has passed.  An attach
 * of xen that is given up may take a second more, to be undone.
 *
 * Errors: -EINVAL malformed URI or option; -E2BIG unknown option; -ENOENT no
 * such socket, or no such bridge; -ECONNREFUSED nobody serves it; -EACCES no
 * permission, or the socket is not owned by root or this user; -EBUSY another
 * consumer is attached; -EMSGSIZE async_len below the minimum or above the
 * maximum (the text says which); -EOPNOTSUPP version, feature, policy, record
 * length or groups refused; -EPERM verdicts refused, or no right to call Xen;
 * -ERANGE deadline refused;
 * -ESRCH the target is gone; of xen: -ENOSYS this Xen is no producer, or is of
 * another version, -ENOSPC no event channel is left in this domain,
 * -EADDRINUSE the target's legacy ring is in use, -ENODEV it is no HVM or PVH
 * guest, -ENXIO there is no such domain, or it is being destroyed; -EIO a
 * simulated guest's file of truth= cannot be written; -ENOMEM; -EMFILE,
 * -ENFILE; -ETIMEDOUT; -EINTR a signal while it waited; -EPROTO the peer is no
 * vm_ring producer or lies; -ECONNRESET it went away.
 */
int vmring_open(const char *uri, const struct vmring_opts *opts,
                struct vmring **ring);

/* What a producer would offer: vmring_ask(). */
struct vmring_limits {
    size_t size;
    /*
     * What vmring_open() would give: 0; an error as there; 1: not known, as
     * the producer is older than the question.
     */
    int would;
    uint32_t version; /* the producer's highest */
    uint64_t features;
    uint32_t nr_vcpus, arch, max_groups;
    uint32_t verdicts;                     /* that it allows */
    uint64_t min_async_len, max_async_len; /* for the record_len asked about */
    uint64_t max_deadline_ns;              /* 0: none */
    char target[64];
};

/*
 * Asks the producer behind `uri` what it would offer, by what vmring_open()
 * would propose.  Attaches nothing, and does not disturb a consumer that is
 * attached.  0; the errors of vmring_open() for want of an answer; -EACCES: it
 * does not answer this user.
 */
int vmring_ask(const char *uri, const struct vmring_opts *opts,
               struct vmring_limits *limits);

/*
 * Gives up what only attaching needs, so that an
 * attacker who takes this process over does not have it.  All calls go on as
 * before.  With grant:, nothing more can be mapped by the ring's handles of
 * gntdev, which are replaced, nor bound by that of evtchn; what stays is its
 * connection to xenstore, with the rights that this domain has there.
 * xentoolcore_restrict_all() would cut that off too, and the ring from its
 * bridge: do not call it.  With xen:, no more can be mapped nor bound, and
 * privcmd is of no use; the process that calls Xen keeps its right, and does
 * for the ring what a consumer may ask for.  The others hold nothing of Xen.
 *
 * A program that will not be able to open files calls this before, and
 * backtrace(3): that loads what pthread_cancel(3) needs, by which libxenstore
 * ends its thread in vmring_close().
 *
 * 0; -EOPNOTSUPP: the kernel does not restrict event channels, and the rest is
 * done: a filter of ioctl() can do that, IOCTL_EVTCHN_NOTIFY is what remains;
 * -EMFILE, -ENOENT...: /dev/null cannot be opened.  May be called again; before
 * workers are at work, not while they are.
 */
int vmring_restrict(struct vmring *ring);

/*
 * A peer can take pages of a local: ring away, by holes in its file, when the
 * system has no memory to fill them again: touching them raises SIGBUS.
 * A program that is to outlive that calls vmring_catch_sigbus() once, before
 * it has threads.  In place of such a page there is one of zeros then, of this
 * process alone, and the ring is broken: -EPROTO, and a producer ends the
 * session.  A bus error of anything else is left to the handler that was there
 * before, or ends the process, as it would have.  0; -EINVAL...
 *
 * One that has a handler of its own passes it info->si_addr if info->si_code is
 * above 0: true: it is mended, return; false: no page of a ring.  Signal-safe.
 */
int vmring_catch_sigbus(void);
bool vmring_survive_sigbus(const void *addr);

/*
 * Detaches, within a second: a bridge in another domain is waited for so long.
 * Pending requests that were not answered get the neutral verdict
 * from the producer, which disarms all events.  NULL is fine.
 */
void vmring_close(struct vmring *ring);

struct vmring_info {
    size_t size;
    uint32_t nr_vcpus, nr_lanes, nr_groups, arch, loss_policy, record_len;
    uint32_t verdicts, clock;
    uint64_t epoch, deadline_ns, async_len, slots_per_lane, p_len, c_len;
    uint64_t features;
    char target[64];           /* the producer's name for it, any bytes */
    uint64_t target_id;        /* never used again; 0: not told */
    uint32_t source;           /* XEN_VM_RING_SOURCE_*; 0: not told */
    uint32_t version;          /* in use: major << 16 | minor */
    uint32_t allowed_verdicts; /* that would have been allowed */
    uint32_t reserved;
};
int vmring_get_info(const struct vmring *ring, struct vmring_info *info);

/*
 * Replaces what is armed by `events` (textual form; "" disarms all).
 * `results`, if not NULL, gets one VMRING_SPEC_* per spec, in order.
 * Blocks for the producer's answer, which may take 4 ms more than the timeout
 * for each MSR and each 64 frames.  Returns the number of specs armed;
 * -EINVAL text malformed (nothing changed); -ENOTSUP or -EPERM if any is
 * unsupported or denied, -EIO if arming failed, -ESRCH if so and the target
 * has ended: then nothing stays armed, and `error` names it.  -EAGAIN: the
 * producer does not read what it is asked; -ETIMEDOUT: no answer in time, the
 * producer counts as gone from then on; -EINTR by vmring_opts.interrupted;
 * -ECONNRESET; -EPROTO, sticky.
 */
int vmring_subscribe(struct vmring *ring, const char *events, int *results,
                     char *error, size_t error_len);

/*
 * Asks which kinds can be armed: bit i of *mask is the i-th vmring_get_kind().
 * Blocks.  0, or an error as of vmring_subscribe() for want of an answer.
 */
int vmring_supported(struct vmring *ring, uint64_t *mask);

/*
 * A descriptor that polls readable when vmring_next() has something to do.
 * It belongs to the ring.  Valid after a vmring_next() that returned 0.
 */
int vmring_fd(const struct vmring *ring);

#define VMRING_NEXT_EVENT  1
#define VMRING_NEXT_TARGET 2

/*
 * Takes the next event: requests first, then records.  Never blocks.
 *  1          an event.  If event->seq is not 0 its vCPU waits.
 *  2          the target's state has changed: event->target and ->shutdown,
 *             all else is 0.  Every change that is seen is told once, and one
 *             more at the start if the target does not run then.  Who takes
 *             it for 0 loses nothing, as vmring_fd() polls readable.
 *  0          nothing now; the doorbells are armed: poll vmring_fd().
 *  -ENODATA   after vmring_quiesce(): that was the last.  Or unasked: the
 *             producer ends, in order; vmring_counts() can still be had.
 *  -ESRCH     the target has shut down or is destroyed, all is delivered.  A
 *             target that is suspended may go on, and has not ended.
 *  -ECONNRESET the producer is gone; all it had published is delivered.
 *  -EPROTO    the producer broke the protocol; sticky.
 */
int vmring_next(struct vmring *ring, struct vmring_event *event);

/* Stores the neutral verdict for `event` in *response. */
void vmring_neutral(const struct vmring_event *event,
                    struct xen_vm_ring_response *response);

/*
 * Answers a request; takes effect for that very request only.  The doorbell
 * may be held back until vmring_flush() or the next vmring_next().
 * 0; -EINVAL not a request, flags its reason does not allow, or more data
 * than there is room for, or an injection that x86 does not know or the target
 * cannot be given; -EPERM a verdict that was not negotiated; -EALREADY this
 * ring has answered it; -ESTALE it has been defaulted meanwhile (best effort).
 */
int vmring_respond(struct vmring *ring, const struct vmring_event *event,
                   const struct xen_vm_ring_response *response);

/* Rings for the answers given so far, if the producer waits for them. */
void vmring_flush(struct vmring *ring);

/*
 * Asks the producer to disarm everything and to say when the target is
 * quiet; vmring_next() ends with -ENODATA then.  Returns at once, but that
 * grant: gives xenstored timeout_ms to take it: 0, -EAGAIN,
 * -ECONNRESET, or -EPROTO from a ring that has lied before.
 */
int vmring_quiesce(struct vmring *ring);

/*
 * XEN_VM_RING_TARGET_* as of now.  *reason, if not NULL, gets the reason of a
 * target that has shut down or is destroyed, of one that does not 0.
 */
int vmring_target_state(const struct vmring *ring, unsigned int *reason);

/*
 * One row of the ledger.  The first five are the producer's own counts, the
 * last two this consumer's.
 */
struct vmring_count {
    uint32_t vcpu;
    uint16_t reason;
    uint16_t reserved;
    uint64_t requests;       /* synchronous events, attempted */
    uint64_t answered;       /* of them: verdict by a consumer */
    uint64_t defaulted;      /* of them: neutral verdict by the producer */
    uint64_t records;        /* asynchronous events, attempted */
    uint64_t discarded;      /* of them: found no room */
    uint64_t requests_taken; /* by this consumer */
    uint64_t records_taken;  /* by this consumer */
};

/* One lane, read by this consumer from the ring: head before lost. */
struct vmring_lane_count {
    uint32_t lane; /* vCPU, or nr_vcpus for the foreign lane */
    uint32_t reserved;
    uint64_t attempted; /* head + lost since the epoch began */
    uint64_t taken;     /* by this consumer, this epoch */
    uint64_t lost;      /* lost, and overwritten as far as is known */
    uint64_t pending;   /* pushed and not taken yet, flushed or not */
};

/*
 * The ledger rows that are not all zero, ordered by vCPU and reason, fetched
 * from the producer for the current epoch.  Blocks.  Returns their number and
 * an array to free(), or -errno as vmring_subscribe(), -ENOMEM.
 */
int vmring_counts(struct vmring *ring, struct vmring_count **counts);

/* The lanes' rows, nr_lanes of them, into an array to free(). */
int vmring_lane_counts(struct vmring *ring, struct vmring_lane_count **counts);

/* Of the ring and all its workers, those included that were closed. */
struct vmring_stats {
    size_t size;
    uint64_t requests, records; /* taken, this epoch */
    uint64_t responses;         /* given */
    uint64_t overwritten;       /* records that the producer overran */
    uint64_t drained;           /* records of the epoch before */
    uint64_t doorbells_sent, doorbells_received;
    uint64_t rejected; /* what broke rules: requests, records, frozen Ps */
};
int vmring_get_stats(const struct vmring *ring, struct vmring_stats *stats);

/* ------------------------------------------------------------ workers -- */

/*
 * Several threads for one ring: a worker takes and answers the events of one
 * doorbell group, and no lock or counter lies between it and another.  vCPU v
 * is of group v mod nr_groups, and so is lane v; nr_groups is asked for at
 * vmring_open().
 *
 * Rules.  The ring itself stays with one thread, its owner.  That one opens
 * workers before their threads start and closes them after these have ended;
 * while any is open it goes on calling vmring_next() by vmring_fd(), as control
 * messages are taken there: without it no worker learns that the target is
 * quiet, or the producer gone.  It is handed events of the groups that have no
 * worker, and records of the epoch before (epoch_mark), of all groups.  What it
 * calls may overlap with what workers call, but for opening and closing.  Each
 * worker is for one thread at a time.  The library starts no thread.
 *
 * The end.  Each worker gets its own, once all of its group is delivered; then
 * vmring_next() returns it, once every worker has had one.  A thread may leave
 * its worker alone after that.  But -EPROTO comes at once, to all, whichever
 * group it was found in.
 *
 * Counts.  vmring_counts(), vmring_lane_counts() and vmring_get_stats() are of
 * all threads; they are the owner's to call.  While workers take events, each
 * number is whole and does not go back, but two of them may be of different
 * instants; from the end on, as above, they are exact.
 */

/*
 * A worker for `group`, whose events vmring_next() hands out no more; call that
 * before vmring_fd() is polled again.  0; -EINVAL no such group; -EBUSY it has
 * a worker; -ENOMEM; -EMFILE, -ENFILE; -ENOSPC: as many descriptors as this
 * user may watch (epoll(7)).
 */
int vmring_worker_open(struct vmring *ring, uint32_t group,
                       struct vmring_worker **worker);

/*
 * Its group is the ring's again, and nothing of it is lost: vmring_next() goes
 * on where the worker was.  vmring_close() closes those that are open.  NULL is
 * fine.
 */
void vmring_worker_close(struct vmring_worker *worker);

/*
 * As vmring_next(), of this group alone, but nothing of the epoch before:
 * 1, 0 (then poll vmring_worker_fd()), -ENODATA, -ESRCH, -ECONNRESET, -EPROTO.
 */
int vmring_worker_next(struct vmring_worker *worker,
                       struct vmring_event *event);

/*
 * Polls readable when vmring_worker_next() has something to do, valid after
 * one that returned 0.  It stays the same, and belongs to the worker.
 */
int vmring_worker_fd(const struct vmring_worker *worker);

/*
 * As vmring_respond() and vmring_flush(), for requests of this group.  -EINVAL
 * also if it is of another group: the worker that was handed it answers it.
 */
int vmring_worker_respond(struct vmring_worker *worker,
                          const struct vmring_event *event,
                          const struct xen_vm_ring_response *response);
void vmring_worker_flush(struct vmring_worker *worker);

/* ----------------------------------------------------------- producer -- */

/* Who gave a verdict. */
#define VMRING_BY_CONSUMER 1
#define VMRING_BY_DEADLINE 2 /* neutral: the deadline has passed */
#define VMRING_BY_DETACH   3 /* neutral: the consumer detached, or closing */
#define VMRING_BY_OVERFLOW 4 /* neutral: too many requests of one vCPU */
#define VMRING_OVERDUE     5 /* no verdict yet: pause the target */

struct vmring_verdict {
    struct xen_vm_ring_event event;       /* the producer's private copy */
    struct xen_vm_ring_response response; /* flags 0: neutral */
    uint64_t cookie;      /* as given to vmring_producer_post() */
    uint32_t by;          /* VMRING_BY_* */
    uint32_t was_overdue; /* 1: VMRING_OVERDUE was given for it */
};

/* What a producer needs from its source of events.  Each may be NULL. */
struct vmring_producer_ops {
    size_t size;
    /*
     * Replace what is armed by these specs, all or nothing: fill results
     * with VMRING_SPEC_*; on any other than ARMED leave nothing armed and put
     * one line in error.  0 specs: disarm.
     */
    void (*subscribe)(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len);
    /* Which kinds can fire here: a mask as in vmring_supported(). */
    uint64_t (*supported)(void *ctx);
    /*
     * Is nothing on its way that would still be posted or pushed?  It is asked
     * once a consumer quiesces, by each vmring_producer_dispatch(), and by each
     * vmring_producer_collect() that has nothing.
     */
    bool (*quiet)(void *ctx);
    /* A consumer has attached (true: with these verdicts) or gone. */
    void (*attached)(void *ctx, bool is_attached, uint32_t verdicts);
    /*
     * For a source that arms bit by bit, between verdicts: is it still at
     * what subscribe() began?  It is asked right behind that, and by each
     * vmring_producer_dispatch() and _collect() until it says no, or its
     * consumer has gone.  `results` and `error` stay valid until then, and
     * vmring_producer_dispatch() answers the consumer. Meanwhile nothing else
     * is asked of the source but to disarm.  NULL: subscribe() is done when it
     * returns.
     */
    bool (*arming)(void *ctx);
    /*
     * Bytes of memory that a consumer's ring may take now: one that asks for
     * more is told how much there is.  NULL: as much as the kernel gives.
     */
    uint64_t (*room)(void *ctx);
    /*
     * For `grant:`: has this process's event channel `port` another end still?
     * 1 it has, 0 it has not, < 0 not known.  Asked twice a second at most.
     * By that an agent's domain that is destroyed, reset or boots another
     * kernel is known to be gone though xenstore does not say so.
     */
    int (*channel_is_bound)(void *ctx, uint32_t port);
    /*
     * Another descriptor of the memory `fd`, of an opening of its own for
     * reading alone, or -errno: 200 ms at most.  It is what a consumer is
     * handed, so that its memory can be taken back later.  NULL: opens
     * /proc/self/fd/N.  On failure it is sealed instead, and stays allocated
     * for as long as a consumer has it mapped.
     */
    int (*open_reading)(void *ctx, int fd);
};

#define VMRING_DEADLINE_NEUTRAL 0
#define VMRING_DEADLINE_PAUSE   1

struct vmring_producer_opts {
    size_t size;
    vmring_log_fn *log;
    void *log_ctx;
    const struct vmring_producer_ops *ops;
    void *ops_ctx;
    const char *target; /* name of the target, for the consumer; copied */
    uint32_t nr_vcpus;
    uint32_t arch;          /* XEN_VM_RING_ARCH_* */
    uint32_t verdicts;      /* allow-list: XEN_VM_RING_VERDICT_* */
    uint32_t reasons;       /* allow-list: 1 << XEN_VM_RING_REASON_*; 0: all */
    uint64_t deadline_ns;   /* default and maximum; 0: 1 s; UINT64_MAX: none */
    uint32_t on_deadline;   /* VMRING_DEADLINE_* */
    uint32_t source;        /* XEN_VM_RING_SOURCE_*; 0: not told */
    uint64_t max_async_len; /* 0: 64 MiB */
    bool foreign;           /* a lane for events of no vCPU */
    uint64_t target_id;     /* of this target and no other, ever; 0: not told */
};

/*
 * Makes a producer for a target.  -EINVAL, -E2BIG, -ENOMEM, -EMFILE.
 */
int vmring_producer_open(const struct vmring_producer_opts *opts,
                         struct vmring_producer **producer);

/*
 * Ends: every pending request comes back neutral through `drain` first (may
 * be NULL), consumers see XEN_VM_RING_PRODUCER_CLOSED.  NULL is fine.  Never
 * blocks.  What is left in xenstore is removed meanwhile; if the process ends
 * before that is done, its end is put off for 3 s at most.
 */
void vmring_producer_close(struct vmring_producer *producer,
                           void (*drain)(void *ctx,
                                         const struct vmring_verdict *verdict),
                           void *ctx);

/*
 * Serves consumers, one at a time, on `local:PATH`: creates the socket with
 * `mode` (0: 0600) and lets in root, this user, and, by the mode's group and
 * other bits, the peers that they allow.  A stale socket is replaced, a live
 * one gives -EADDRINUSE, a file that is none -EEXIST.  -EINVAL, -EACCES,
 * -ENOENT (folder), -ENAMETOOLONG.
 *
 * Or on `grant:DOMID/TARGET`: the agents of domain DOMID of Xen, which find it
 * under that name, and no others; `mode` is of no use then.  What goes wrong
 * there is logged in words.  -EINVAL; -ENOENT, -EACCES: no device of Xen here;
 * -EOPNOTSUPP: built without Xen's libraries.
 */
int vmring_producer_serve(struct vmring_producer *producer, const char *uri,
                          unsigned int mode);

/* Serves one connected unix socket; takes it over, also on failure. */
int vmring_producer_serve_fd(struct vmring_producer *producer, int fd);

/* Polls readable when vmring_producer_dispatch() has something to do. */
int vmring_producer_fd(const struct vmring_producer *producer);

/*
 * Control plane: accepts, negotiates, subscribes, acknowledges doorbells,
 * notices consumers that went.  Never blocks; bounded: peers that are not
 * attached have 20 ms of a call, and the memory of a ring comes, and goes, 4 ms
 * a call, for as many calls as it takes (over grant: in one, the Ps of earlier
 * epochs, too). Returns 0, or -EBADF if it serves nothing any more
 * (vmring_producer_serve_fd() and its consumer left).
 */
int vmring_producer_dispatch(struct vmring_producer *producer);

/* Is a consumer attached? */
bool vmring_producer_attached(const struct vmring_producer *producer);

/*
 * Has the attached consumer come to an orderly end, as if it had called
 * vmring_quiesce(): disarms everything; once the target is quiet, its
 * vmring_next() gives -ENODATA, unasked.  It can still fetch its counts, so
 * the caller waits for it to detach, for as long as it likes, before it closes.
 */
void vmring_producer_dismiss(struct vmring_producer *producer);

/*
 * A synchronous event of vCPU event->vcpu: to be answered.  flags, reason,
 * vcpu, altp2m_idx, length, u and regs are read.  `cookie` comes back with
 * the verdict.  Every post gives exactly one verdict by
 * vmring_producer_collect(). 0; -EINVAL bad vCPU, reason or length; -ENOMEM:
 * five requests of this vCPU wait already and there is no memory to note the
 * neutral verdict for one more; nothing was posted.  Otherwise constant time;
 * no system call but to read the clock.
 */
int vmring_producer_post(struct vmring_producer *producer,
                         const struct xen_vm_ring_event *event,
                         uint64_t cookie);

/*
 * An asynchronous event of `lane` (a vCPU, or nr_vcpus for the foreign
 * lane).  Cut to its head if records have no registers.
 * 1 published: the consumer sees it from the next vmring_producer_flush() on;
 * 0 counted lost; -EINVAL.  Constant time; no system call but to read the
 * clock.
 */
int vmring_producer_push(struct vmring_producer *producer, unsigned int lane,
                         const struct xen_vm_ring_event *event);

/*
 * Shows the consumer what was pushed since, and rings for that and what was
 * posted, if it waits.
 */
void vmring_producer_flush(struct vmring_producer *producer);

/*
 * The next verdict: 1 and *verdict, or 0 (then doorbells for answers are
 * armed).  Applies deadlines.  Each must be carried out exactly once.  What a
 * consumer waits for besides, vmring_producer_dispatch() does: if there is
 * such now, vmring_producer_fd() polls readable.
 */
int vmring_producer_collect(struct vmring_producer *producer,
                            struct vmring_verdict *verdict);

/* ms until the next deadline, rounded up; -1: none pending. */
int vmring_producer_timeout(const struct vmring_producer *producer);

/*
 * Gives up waiting for a consumer: every pending request, and every one that
 * is posted before the next consumer attaches, gets the neutral verdict
 * (VMRING_BY_DETACH) by vmring_producer_collect().  Nothing while one is
 * attached.
 */
void vmring_producer_release(struct vmring_producer *producer);

/* Requests without a verdict so far. */
unsigned int vmring_producer_pending(const struct vmring_producer *producer);

/*
 * Tells consumers: XEN_VM_RING_TARGET_*, and Xen's SHUTDOWN_* if it has shut
 * down or is destroyed.  SHUTDOWN with the reason suspend is no end: it runs
 * again, or is destroyed.
 */
void vmring_producer_set_target_state(struct vmring_producer *producer,
                                      unsigned int state, unsigned int reason);

struct vmring_producer_stats {
    size_t size;
    uint64_t epochs;   /* consumers attached so far */
    uint64_t requests; /* posted */
    uint64_t answered, by_deadline, by_detach, by_overflow;
    uint64_t records, discarded;
    uint64_t ignored; /* answers that broke a rule, and hints for nothing */
    uint64_t lane_faults;
    uint64_t doorbells_sent, doorbells_received;
    uint64_t kept_bytes; /* of rings that consumers may keep for good */
};
int vmring_producer_get_stats(const struct vmring_producer *producer,
                              struct vmring_producer_stats *stats);

/* The producer's own ledger over all epochs; as vmring_counts(). */
int vmring_producer_counts(const struct vmring_producer *producer,
                           struct vmring_count **counts);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* VMRING_H */
