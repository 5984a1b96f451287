/* SPDX-License-Identifier: MIT */
/*
 * vm_ring.h: the ABI between a producer of vCPU events (Xen, or a bridge that
 * empties the ring of vm_event.h) and a consumer (an introspection agent).
 *
 * Layout and constants only.  docs/ABI.md holds the rules: who may write a
 * word, in which order, and what each side checks.
 *
 * Two regions, each one page range:
 *  P, written by the producer; the consumer maps it read-only where it can;
 *  C, written by the consumer; the producer only sets and clears hint words
 *     in it, and takes no address, length, port or mask from it.
 *
 * All fields are little-endian.  64-bit words are 8-byte aligned, each group
 * of words with one writer has a line of XEN_VM_RING_LINE bytes of its own,
 * and reserved fields are zero.  Those of propose and response are checked;
 * those of header, event and accept may get a meaning in a later minor version,
 * which a consumer that does not know it passes over.
 *
 * 1.1 has 1.0's layout.  "Since 1.1": reserved before, and zero still where a
 * producer does not know it or has nothing to say.
 */
#ifndef XEN_PUBLIC_VM_RING_H
#define XEN_PUBLIC_VM_RING_H

#ifndef __XEN__
#include <stdint.h>
#endif

/* Eight-byte aligned on every architecture, i386 included. */
typedef uint64_t xen_vm_ring_u64 __attribute__((__aligned__(8)));

#define XEN_VM_RING_MAGIC         0x676e5256U /* "VRng" */
#define XEN_VM_RING_VERSION_MAJOR 1
#define XEN_VM_RING_VERSION_MINOR 1
/* One comparable word, as in propose and accept. */
#define XEN_VM_RING_VERSION                                                    \
    ((XEN_VM_RING_VERSION_MAJOR << 16) | XEN_VM_RING_VERSION_MINOR)

#define XEN_VM_RING_LINE       128 /* no two writers share one */
#define XEN_VM_RING_LANE       256 /* a lane's lines in P */
#define XEN_VM_RING_PAGE       4096
#define XEN_VM_RING_SLOT       512 /* a request or response slot */
#define XEN_VM_RING_MIN_SLOTS  2   /* records in a lane, at least */
#define XEN_VM_RING_MAX_VCPUS  4096
#define XEN_VM_RING_MAX_GROUPS 64
#define XEN_VM_RING_MAX_PREV   8  /* frozen Ps handed on at once */
#define XEN_VM_RING_MIN_RECORD 64 /* an event without registers */
#define XEN_VM_RING_MAX_RECORD 512
#define XEN_VM_RING_MAX_ASYNC  (1U << 30) /* bytes of records, all lanes */

/* Architecture of the target: which member of the register block is valid. */
#define XEN_VM_RING_ARCH_X86 1
#define XEN_VM_RING_ARCH_ARM 2

/* What the `time` of an event counts. */
#define XEN_VM_RING_CLOCK_MONOTONIC 1 /* ns, the producer's CLOCK_MONOTONIC */
#define XEN_VM_RING_CLOCK_SYSTEM    2 /* ns, Xen's system time */

/* Where the events come from: since 1.1; 0: not told. */
#define XEN_VM_RING_SOURCE_XEN       1
#define XEN_VM_RING_SOURCE_KVM       2
#define XEN_VM_RING_SOURCE_REPLAY    3 /* recorded before: no verdict counts */
#define XEN_VM_RING_SOURCE_SIMULATED 4

/*
 * Feature bits.  The first two say what the ring is, and are told whether they
 * were asked for or not.
 */
#define XEN_VM_RING_FEATURE_REGISTERS (1U << 0) /* register blocks */
#define XEN_VM_RING_FEATURE_FOREIGN   (1U << 1) /* a lane for other callers */
/* Since 1.1.  In use if they were asked for; reserved, nobody has them. */
#define XEN_VM_RING_FEATURE_PARTIAL (1U << 2) /* FLAG_REGS_PARTIAL */
#define XEN_VM_RING_FEATURE_PLANES  (1U << 3) /* planes other than 0 */
/* Since 1.1.  Required: an answer, and nothing begins. */
#define XEN_VM_RING_FEATURE_ASK (1U << 4)
/* What a ring may have whose reader knows no more than 1.0. */
#define XEN_VM_RING_FEATURES                                                   \
    (XEN_VM_RING_FEATURE_REGISTERS | XEN_VM_RING_FEATURE_FOREIGN)

/* What a full lane does with the next record. */
#define XEN_VM_RING_POLICY_DISCARD   0 /* the newest is lost */
#define XEN_VM_RING_POLICY_OVERWRITE 1 /* the oldest is lost */

/*
 * Verdicts, each negotiated.  None is needed to observe: a response
 * without flags is the neutral verdict, as if nobody had looked.
 */
#define XEN_VM_RING_VERDICT_DENY           (1U << 0)
#define XEN_VM_RING_VERDICT_SET_REGISTERS  (1U << 1)
#define XEN_VM_RING_VERDICT_EMULATE        (1U << 2)
#define XEN_VM_RING_VERDICT_STEP           (1U << 3)
#define XEN_VM_RING_VERDICT_ALTP2M         (1U << 4)
#define XEN_VM_RING_VERDICT_INJECT         (1U << 5)
#define XEN_VM_RING_VERDICT_NEXT_INTERRUPT (1U << 6)
#define XEN_VM_RING_VERDICT_RESET          (1U << 7) /* vmtrace, fork state */
#define XEN_VM_RING_VERDICT_CONTINUE       (1U << 8) /* since 1.1 */
#define XEN_VM_RING_VERDICTS               0x1ffU
#define XEN_VM_RING_VERDICTS_1_0           0xffU /* all that 1.0 knows */

/* Reasons: numerically VM_EVENT_REASON_* of vm_event.h. */
#define XEN_VM_RING_REASON_UNKNOWN             0
#define XEN_VM_RING_REASON_MEM_ACCESS          1
#define XEN_VM_RING_REASON_MEM_SHARING         2
#define XEN_VM_RING_REASON_MEM_PAGING          3
#define XEN_VM_RING_REASON_WRITE_CTRLREG       4
#define XEN_VM_RING_REASON_MOV_TO_MSR          5
#define XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT 6
#define XEN_VM_RING_REASON_SINGLESTEP          7
#define XEN_VM_RING_REASON_GUEST_REQUEST       8
#define XEN_VM_RING_REASON_DEBUG_EXCEPTION     9
#define XEN_VM_RING_REASON_CPUID               10
#define XEN_VM_RING_REASON_PRIVILEGED_CALL     11
#define XEN_VM_RING_REASON_INTERRUPT           12
#define XEN_VM_RING_REASON_DESCRIPTOR_ACCESS   13
#define XEN_VM_RING_REASON_EMUL_UNIMPLEMENTED  14
#define XEN_VM_RING_REASON_VMEXIT              15
#define XEN_VM_RING_REASON_IO_INSTRUCTION      16 /* since 1.1; Xen 4.18 */
#define XEN_VM_RING_NR_REASONS                 17
#define XEN_VM_RING_NR_REASONS_1_0             16 /* all that 1.0 knows */

/* Flags 0 to 15: numerically VM_EVENT_FLAG_* of vm_event.h. */
#define XEN_VM_RING_FLAG_VCPU_PAUSED        (1U << 0)
#define XEN_VM_RING_FLAG_FOREIGN            (1U << 1)
#define XEN_VM_RING_FLAG_EMULATE            (1U << 2)
#define XEN_VM_RING_FLAG_EMULATE_NOWRITE    (1U << 3)
#define XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP  (1U << 4)
#define XEN_VM_RING_FLAG_SET_EMUL_READ_DATA (1U << 5)
#define XEN_VM_RING_FLAG_DENY               (1U << 6)
#define XEN_VM_RING_FLAG_ALTERNATE_P2M      (1U << 7)
#define XEN_VM_RING_FLAG_SET_REGISTERS      (1U << 8)
#define XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA (1U << 9)
#define XEN_VM_RING_FLAG_GET_NEXT_INTERRUPT (1U << 10)
#define XEN_VM_RING_FLAG_FAST_SINGLESTEP    (1U << 11)
#define XEN_VM_RING_FLAG_NESTED_P2M         (1U << 12)
#define XEN_VM_RING_FLAG_RESET_VMTRACE      (1U << 13)
#define XEN_VM_RING_FLAG_RESET_FORK_STATE   (1U << 14)
#define XEN_VM_RING_FLAG_RESET_FORK_MEMORY  (1U << 15)
/* In a response they say what the request has said, and mean nothing. */
#define XEN_VM_RING_FLAGS_VOID                                                 \
    (XEN_VM_RING_FLAG_VCPU_PAUSED | XEN_VM_RING_FLAG_FOREIGN)
/* Flags of this ring alone. */
#define XEN_VM_RING_FLAG_INJECT (1U << 16) /* a response's inject */
#define XEN_VM_RING_FLAG_REPOSTED                                              \
    (1U << 17) /* seen by an earlier                                           \
                  consumer, perhaps */
/* Since 1.1.  A response: do nothing, go on.  Alone, for any reason. */
#define XEN_VM_RING_FLAG_CONTINUE (1U << 18)
/* Since 1.1.  A record: it had registers, and its lane has no room for them. */
#define XEN_VM_RING_FLAG_REGS_CUT (1U << 19)
/*
 * Since 1.1, reserved.  An event: some registers are not known, and zero; with
 * FEATURE_PARTIAL only.  The instruction is complete, rip is behind it; the
 * instruction has not advanced, rip is at it.  Neither: not told.
 */
#define XEN_VM_RING_FLAG_REGS_PARTIAL (1U << 20)
#define XEN_VM_RING_FLAG_COMPLETED    (1U << 21)
#define XEN_VM_RING_FLAG_NOT_ADVANCED (1U << 22)

/* The register block, x86: as vm_event_regs_x86, bitfields as whole words. */
struct xen_vm_ring_regs_x86 {
    xen_vm_ring_u64 rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
    xen_vm_ring_u64 r8, r9, r10, r11, r12, r13, r14, r15;
    xen_vm_ring_u64 rflags, dr6, dr7, rip;
    xen_vm_ring_u64 cr0, cr2, cr3, cr4;
    xen_vm_ring_u64 sysenter_cs, sysenter_esp, sysenter_eip;
    xen_vm_ring_u64 msr_efer, msr_star, msr_lstar, gdtr_base;
    xen_vm_ring_u64 npt_base, vmtrace_pos;
    uint32_t cs_base, ss_base, ds_base, es_base;
    xen_vm_ring_u64 fs_base, gs_base;
    /* Selector caches: limit in bits 0-19, access rights in bits 20-31. */
    uint32_t cs, ss, ds, es, fs, gs;
    xen_vm_ring_u64 shadow_gs;
    uint16_t gdtr_limit, cs_sel, ss_sel, ds_sel, es_sel, fs_sel, gs_sel;
    uint16_t known; /* FLAG_REGS_PARTIAL: XEN_VM_RING_KNOWN_*; else 0 */
};

/* Which of them are known, with FLAG_REGS_PARTIAL: since 1.1, reserved. */
#define XEN_VM_RING_KNOWN_ABCD     (1U << 0) /* rax to rdx */
#define XEN_VM_RING_KNOWN_GENERAL  (1U << 1) /* the others up to r15 */
#define XEN_VM_RING_KNOWN_RIP      (1U << 2)
#define XEN_VM_RING_KNOWN_RFLAGS   (1U << 3)
#define XEN_VM_RING_KNOWN_CONTROL  (1U << 4) /* cr0 to cr4 */
#define XEN_VM_RING_KNOWN_DEBUG    (1U << 5) /* dr6, dr7 */
#define XEN_VM_RING_KNOWN_MSRS     (1U << 6) /* sysenter_* and msr_* */
#define XEN_VM_RING_KNOWN_SEGMENTS (1U << 7) /* selectors, bases, gdtr */

/* The register block, arm: as vm_event_regs_arm. */
struct xen_vm_ring_regs_arm {
    xen_vm_ring_u64 ttbr0, ttbr1, ttbcr, pc, cpsr;
};

#define XEN_VM_RING_REGS_LEN 344
#define XEN_VM_RING_INSN_LEN 16

struct xen_vm_ring_emul_read {
    uint32_t size;
    uint8_t data[XEN_VM_RING_REGS_LEN - 4];
};

union xen_vm_ring_tail {
    struct xen_vm_ring_regs_x86 x86;
    struct xen_vm_ring_regs_arm arm;
    struct xen_vm_ring_emul_read emul_read;  /* responses only */
    uint8_t emul_insn[XEN_VM_RING_INSN_LEN]; /* responses only */
    xen_vm_ring_u64 words[XEN_VM_RING_REGS_LEN / 8];
};

/* What happened, by reason; 32 bytes. */
struct xen_vm_ring_mem_access {
    xen_vm_ring_u64 gfn;
    xen_vm_ring_u64 offset;
    xen_vm_ring_u64 gla;
    uint32_t flags;  /* MEM_ACCESS_* of vm_event.h */
    uint32_t origin; /* xen_vm_ring_origin's */
};

struct xen_vm_ring_write_ctrlreg {
    uint32_t index; /* VM_EVENT_X86_* of vm_event.h */
    uint32_t reserved;
    xen_vm_ring_u64 new_value;
    xen_vm_ring_u64 old_value;
};

struct xen_vm_ring_mov_to_msr {
    xen_vm_ring_u64 msr;
    xen_vm_ring_u64 new_value;
    xen_vm_ring_u64 old_value;
};

struct xen_vm_ring_debug { /* breakpoint, single-step, debug exception */
    xen_vm_ring_u64 gfn;
    xen_vm_ring_u64 pending_dbg;
    uint32_t insn_len;
    uint32_t type; /* HVMOP_TRAP_* of hvm/hvm_op.h */
};

struct xen_vm_ring_cpuid {
    uint32_t insn_len;
    uint32_t leaf;
    uint32_t subleaf;
    uint32_t reserved;
};

struct xen_vm_ring_desc_access {
    xen_vm_ring_u64 exit_qualification;
    uint32_t instr_info;
    uint32_t descriptor; /* VM_EVENT_DESC_* of vm_event.h */
    uint32_t is_write;
    uint32_t reserved;
};

struct xen_vm_ring_interrupt {
    uint32_t vector;
    uint32_t type;
    uint32_t error_code;
    uint32_t reserved;
    xen_vm_ring_u64 cr2;
};

struct xen_vm_ring_vmexit {
    xen_vm_ring_u64 reason;
    xen_vm_ring_u64 qualification;
};

struct xen_vm_ring_io { /* since 1.1: IN, OUT, INS, OUTS */
    uint32_t bytes;
    uint32_t port;
    uint32_t in;  /* 1: from the port */
    uint32_t str; /* 1: INS, OUTS */
};

/* The last bytes, of every reason; since 1.1.  0: not told. */
struct xen_vm_ring_origin {
    xen_vm_ring_u64 of_reason[3];
    uint32_t of_mem_access;
    uint16_t view_gen; /* of view altp2m_idx, from 1: which of that number */
    uint8_t plane;     /* 1 + VTL or VMPL that was left */
    uint8_t reserved;
};

union xen_vm_ring_data {
    struct xen_vm_ring_mem_access mem_access;
    struct xen_vm_ring_write_ctrlreg write_ctrlreg;
    struct xen_vm_ring_mov_to_msr mov_to_msr;
    struct xen_vm_ring_debug debug;
    struct xen_vm_ring_cpuid cpuid;
    struct xen_vm_ring_desc_access desc_access;
    struct xen_vm_ring_interrupt interrupt;
    struct xen_vm_ring_vmexit vmexit;
    struct xen_vm_ring_io io;
    struct xen_vm_ring_origin origin;
    xen_vm_ring_u64 words[4];
};

/*
 * An event, in a request slot or in a lane.  `length` says how much of it is
 * there: XEN_VM_RING_EVENT_HEAD, or XEN_VM_RING_EVENT_FULL with registers.
 */
struct xen_vm_ring_event {
    /*
     * Request: seq, odd while posted, even once retired.
     * Record at position h: 2h + 2 when whole; with overwriting 2h + 1 while
     * it is written.
     */
    xen_vm_ring_u64 state;
    xen_vm_ring_u64 time; /* when the producer saw it, see clock */
    uint32_t flags;       /* XEN_VM_RING_FLAG_* */
    uint32_t lost;        /* records lost in this lane so far, mod 2^32 */
    uint16_t reason;      /* XEN_VM_RING_REASON_* */
    uint16_t vcpu;
    uint16_t altp2m_idx;
    uint16_t length;
    union xen_vm_ring_data u;
    union xen_vm_ring_tail regs;
};

#define XEN_VM_RING_EVENT_HEAD 64
#define XEN_VM_RING_EVENT_FULL (XEN_VM_RING_EVENT_HEAD + XEN_VM_RING_REGS_LEN)

/* An exception or interrupt for the producer to inject, HVMOP_inject_trap. */
struct xen_vm_ring_inject {
    uint32_t vector;
    uint32_t type; /* HVMOP_TRAP_* */
    uint32_t error_code;
    uint32_t insn_len;
    xen_vm_ring_u64 cr2;
};

/* The verdict on one request. */
struct xen_vm_ring_response {
    xen_vm_ring_u64 seq; /* that of the request; stored last */
    uint32_t flags;      /* XEN_VM_RING_FLAG_*; 0 is the neutral verdict */
    uint16_t reason;     /* that of the request */
    uint16_t altp2m_idx; /* with ALTERNATE_P2M or FAST_SINGLESTEP */
    struct xen_vm_ring_inject inject; /* with INJECT */
    xen_vm_ring_u64 reserved[3];      /* zero, and checked */
    union xen_vm_ring_tail data;      /* SET_REGISTERS or SET_EMUL_* */
};

/*
 * P: two lines a lane.  attempts = head + lost + lost_contended: of a vCPU's
 * lane at any instant, of the foreign one once it is flushed.  shown is head
 * as of the last flush, alone on its line, as the consumer polls it.
 */
struct xen_vm_ring_lane {
    xen_vm_ring_u64 head;           /* records pushed since the epoch began */
    xen_vm_ring_u64 lost;           /* records that found no room */
    xen_vm_ring_u64 lost_contended; /* foreign lane: found its lock taken */
    xen_vm_ring_u64 resume;         /* frozen: where the next consumer starts */
    xen_vm_ring_u64 reserved[12];
    xen_vm_ring_u64 shown; /* records flushed: those to take */
    xen_vm_ring_u64 reserved_shown[15];
};

/* P: one line a group. */
struct xen_vm_ring_p_group {
    /* Non-zero: ring for answers, once for each value it takes. */
    xen_vm_ring_u64 armed;
    xen_vm_ring_u64 reserved[15];
};

/* C: one line a lane. */
struct xen_vm_ring_cursor {
    xen_vm_ring_u64 cons; /* positions done with, taken or overwritten */
    xen_vm_ring_u64 reserved[15];
};

/*
 * C: the first line of a group.  After it in the group's block, at offsets
 * that the header gives, bitmaps of 64-bit words: attention for requests,
 * attention for lanes, answered.  vCPU or lane v is bit v / nr_groups of
 * group v mod nr_groups.
 */
struct xen_vm_ring_c_group {
    xen_vm_ring_u64 armed; /* 1: ring when attention is set */
    xen_vm_ring_u64 reserved[15];
};

/* Target state, in the header's second part. */
#define XEN_VM_RING_TARGET_RUNNING   0
#define XEN_VM_RING_TARGET_PAUSED    1
#define XEN_VM_RING_TARGET_SHUTDOWN  2 /* shutdown_reason: SHUTDOWN_* */
#define XEN_VM_RING_TARGET_DESTROYED 3

/* Of SHUTDOWN_*, the one that is no end: it may run again. */
#define XEN_VM_RING_SHUTDOWN_SUSPEND 2

#define XEN_VM_RING_PRODUCER_LIVE   0
#define XEN_VM_RING_PRODUCER_FROZEN 1 /* a later epoch has begun */
#define XEN_VM_RING_PRODUCER_CLOSED 2 /* it has ended in order */

/* P, offset 0. */
struct xen_vm_ring_header {
    /* Immutable once live. */
    uint32_t magic;
    uint16_t major, minor; /* in use */
    uint32_t header_len;   /* of this structure; more may follow in minor + 1 */
    uint32_t arch;
    xen_vm_ring_u64 features;
    xen_vm_ring_u64 epoch; /* of this attach, from 1 */
    xen_vm_ring_u64 p_len, c_len;
    xen_vm_ring_u64 deadline; /* ns an answer may take; 0: for ever */
    uint32_t nr_vcpus;
    uint32_t nr_lanes; /* nr_vcpus, one more with a foreign lane */
    uint32_t nr_groups;
    uint32_t policy;
    uint32_t verdicts; /* XEN_VM_RING_VERDICT_* in use */
    uint32_t clock;
    uint32_t slot_len; /* bytes from one request or response to the next */
    uint32_t record_len;
    xen_vm_ring_u64 slots_per_lane; /* a power of two */
    /* Offsets in P. */
    xen_vm_ring_u64 request_off, p_group_off, lane_off, record_off;
    /* Offsets in C. */
    xen_vm_ring_u64 response_off, cursor_off, c_group_off;
    /* In a C group's block: its length and the offsets of its bitmaps. */
    uint32_t c_group_len;
    uint32_t attn_request_off, attn_lane_off, answered_off;
    /* Since 1.1. */
    xen_vm_ring_u64 target_id; /* never used again; 0: not told */
    uint32_t source;           /* XEN_VM_RING_SOURCE_* */
    uint32_t reserved_source;
    xen_vm_ring_u64 reserved[9];

    /* Changed while live, by the producer. */
    xen_vm_ring_u64 target_state; /* XEN_VM_RING_TARGET_* */
    xen_vm_ring_u64 shutdown_reason;
    xen_vm_ring_u64 producer_state; /* XEN_VM_RING_PRODUCER_* */
    xen_vm_ring_u64 reserved_live[13];
};

/* A deadline that never comes, in a proposal; elsewhere it is 0. */
#define XEN_VM_RING_FOR_EVER (~(xen_vm_ring_u64)0)

/* Negotiation: what a consumer proposes. */
struct xen_vm_ring_propose {
    uint32_t magic;
    uint32_t length;                   /* of this structure */
    uint32_t version_min, version_max; /* XEN_VM_RING_VERSION */
    xen_vm_ring_u64 features_wanted, features_required;
    xen_vm_ring_u64 async_len; /* bytes of records, all lanes */
    /* ns; 0: the producer's default; XEN_VM_RING_FOR_EVER, since 1.1 */
    xen_vm_ring_u64 deadline;
    uint32_t record_len; /* 0: the smallest that holds registers */
    uint32_t policy;
    uint32_t nr_groups;
    uint32_t verdicts;
    xen_vm_ring_u64 reserved[8];
};

/* What the producer refuses for. */
#define XEN_VM_RING_ACCEPTED           0
#define XEN_VM_RING_REFUSED_MALFORMED  1 /* magic, length, reserved fields */
#define XEN_VM_RING_REFUSED_VERSION    2
#define XEN_VM_RING_REFUSED_FEATURE    3
#define XEN_VM_RING_REFUSED_ASYNC_LEN  4 /* see min_async_len, max_async_len */
#define XEN_VM_RING_REFUSED_RECORD     5
#define XEN_VM_RING_REFUSED_POLICY     6
#define XEN_VM_RING_REFUSED_GROUPS     7
#define XEN_VM_RING_REFUSED_VERDICTS   8
#define XEN_VM_RING_REFUSED_DEADLINE   9
#define XEN_VM_RING_REFUSED_BUSY       10 /* another consumer is attached */
#define XEN_VM_RING_REFUSED_PERMISSION 11
#define XEN_VM_RING_REFUSED_MEMORY     12
#define XEN_VM_RING_REFUSED_TARGET     13 /* the target is gone */
#define XEN_VM_RING_REFUSED_ASKED      14 /* for nothing: FEATURE_ASK */

/* The producer's answer: it accepts, or has the limits it refuses by. */
struct xen_vm_ring_accept {
    uint32_t magic;
    uint32_t length;
    uint32_t result; /* XEN_VM_RING_ACCEPTED or _REFUSED_* */
    uint32_t version;
    xen_vm_ring_u64 features;
    xen_vm_ring_u64 async_len; /* in use: nr_lanes * slots * record_len */
    xen_vm_ring_u64 deadline;
    uint32_t record_len;
    uint32_t policy;
    uint32_t nr_groups;
    uint32_t verdicts;
    xen_vm_ring_u64 epoch;
    xen_vm_ring_u64 p_len, c_len;
    /* Frozen Ps that nobody has drained, the oldest first; 0: no more. */
    xen_vm_ring_u64 prev_p_len[XEN_VM_RING_MAX_PREV];
    /* Limits, of this producer at this time: when it accepts, too. */
    xen_vm_ring_u64 min_async_len, max_async_len; /* for this record_len */
    xen_vm_ring_u64 max_deadline;                 /* 0: none */
    uint32_t nr_vcpus;
    uint32_t arch;
    uint32_t max_groups;
    uint32_t allowed_verdicts;
    xen_vm_ring_u64 reserved[1];
};

/*
 * Grant binding (docs/BINDING-GRANT.md).  What is granted stands in directory
 * pages, which are granted read-only themselves; the rendezvous carries the
 * reference of the first.  The references of all pages follow one another, from
 * one directory page to the next: those of P, of C, and of each frozen P, the
 * oldest first. 0 is no reference.
 */
#define XEN_VM_RING_DIRECTORY_MAGIC   0x64675256U /* "VRgd" */
#define XEN_VM_RING_DIRECTORY_VERSION 1
#define XEN_VM_RING_DIRECTORY_REFS    992
#define XEN_VM_RING_DIRECTORY_MAX     (1U << 19) /* references in all of them */

struct xen_vm_ring_directory {
    uint32_t magic;
    uint32_t version;
    uint32_t index;   /* of this page, from 0 */
    uint32_t next;    /* reference of the one after it; 0: it is the last */
    uint32_t nr_refs; /* in this page; full, but for the last */
    uint32_t life;    /* reference of xen_vm_ring_life, granted writable */
    uint32_t p_pages, c_pages;
    uint32_t prev_pages[XEN_VM_RING_MAX_PREV]; /* 0: no more */
    xen_vm_ring_u64 epoch;
    xen_vm_ring_u64 reserved[7];
    uint32_t refs[XEN_VM_RING_DIRECTORY_REFS];
};

/*
 * Who still maps what, on a page of its own.  Each side's word is non-zero
 * while it does; its kernel clears the first byte when it lets go, of itself
 * or because the process has died, and rings the doorbell of group 0.
 */
#define XEN_VM_RING_LIFE_GONE    0
#define XEN_VM_RING_LIFE_OFFERED 1 /* consumer: has not mapped anything */
#define XEN_VM_RING_LIFE_MAPPED  2

struct xen_vm_ring_life {
    xen_vm_ring_u64 producer;
    xen_vm_ring_u64 reserved[15];
    xen_vm_ring_u64 consumer;
    xen_vm_ring_u64 reserved_consumer[15];
};

#endif /* XEN_PUBLIC_VM_RING_H */
