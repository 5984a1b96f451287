/* SPDX-License-Identifier: MIT */
/*
 * Description: events are armed and disarmed in slices of few calls and little
 * time, all or nothing, and only what differs; until all is armed, what is
 * armed anew is withheld.
 */
#include <errno.h>

#include "bridge/monitor/subscription.h"
#include "bridge/monitor/support.h"
#include "bridge/source.h"
#include "check.h"
#include "fake_monitor_ops.h"

#define MS 1000000ULL

/* As documented (docs/ARCHITECTURE.md). */
#define MOST_CALLS 130 /* 64 steps, of which each may be off and on */
#define MOST_NS    (7 * MS)

#define ALL_MSRS "msr:0-0x1fff msr:0xc0000000-0xc0001fff"
/* But for those that Xen does not bear to be watched. */
#define NR_ALL (2 * 0x2000 - 5)

static struct target target;
static struct ring ring;
static struct arming *arming;
static int results[VMRING_MAX_SPECS];
static char text[512];

static void start(void)
{
    fake_ops =
        (struct fake_ops){.call_ns = 20000, .last_frame = FAKE_FRAMES - 1};
    memset(fake_ops.frame, XENMEM_access_rwx, sizeof(fake_ops.frame));
    target = (struct target){
        .nr_vcpus = 4,
        .arch = XEN_VM_RING_ARCH_X86,
        .is_intel = true,
        .has_mem_access = true,
        .capabilities = UINT32_MAX,
    };
    ring = (struct ring){.target = &target, .page = &ring};
    arming = subscription_open(&ring);
    CHECK(arming);
}

static void end(void)
{
    free(arming);
}

/* What is asked for, and the first slice of it. */
static void ask(const char *events)
{
    static struct vmring_spec specs[VMRING_MAX_SPECS];
    unsigned int before = fake_ops.calls;
    uint64_t began = fake_ops.now;
    int nr =
        vmring_specs_parse(events, specs, VMRING_MAX_SPECS, text, sizeof(text));

    CHECK(nr >= 0);
    text[0] = '\0';
    memset(results, 0x55, sizeof(results));
    subscription_begin(arming, specs, (unsigned int)nr, results, text,
                       sizeof(text));
    CHECK(fake_ops.calls - before <= MOST_CALLS);
    CHECK(fake_ops.now - began <= MOST_NS);
}

/* One turn of the loop, when it is due. */
static void turn(void)
{
    unsigned int before = fake_ops.calls;
    uint64_t began = fake_ops.now, took;
    int due = subscription_turn(arming);

    took = fake_ops.now - began;
    CHECK(fake_ops.calls - before <= MOST_CALLS);
    CHECK(took <= MOST_NS);
    if (!arming->busy) {
        CHECK_EQ(due, SOURCE_WAIT);
        return;
    }
    /* The guest has twice as long, and no call comes before that. */
    CHECK(due >= 1 && (uint64_t)due * MS >= 2 * took);
    before = fake_ops.calls;
    fake_ops.now += (uint64_t)(due - 1) * MS;
    (void)subscription_turn(arming);
    CHECK_EQ(fake_ops.calls, before);
    fake_ops.now += MS;
}

static void wait_for_it(void)
{
    for (int i = 0; arming->busy; i++) {
        CHECK(i < 10000);
        turn();
    }
}

static unsigned int nr_msrs(void)
{
    unsigned int nr = 0;

    for (int w = 0; w < 4; w++) {
        for (int i = 0; i < 0x2000; i++)
            nr += fake_ops.msr[w][i] != 0;
    }
    return nr;
}

static unsigned int nr_frames(unsigned int access)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < FAKE_FRAMES; i++)
        nr += fake_ops.frame[i] == access;
    return nr;
}

static void nothing_is_armed(void)
{
    CHECK_EQ(nr_msrs(), 0);
    CHECK_EQ(nr_frames(XENMEM_access_rwx), FAKE_FRAMES);
    CHECK_EQ(fake_ops.cpuid, 0);
    CHECK_EQ(fake_ops.io, 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(fake_ops.ctrlreg[i], 0);
    CHECK_EQ(arming->nr_specs, 0);
}

static void in_slices(void)
{
    unsigned int calls;

    start();
    ask(ALL_MSRS " cr3");
    CHECK(arming->busy);
    /* Not before all else: it would wait with a verdict for it. */
    CHECK_EQ(fake_ops.ctrlreg[1], 0);
    wait_for_it();
    CHECK_EQ(nr_msrs(), NR_ALL);
    CHECK_EQ(fake_ops.ctrlreg[1], 1);
    CHECK_EQ(results[0] | results[1] | results[2], 0);
    CHECK_EQ(fake_ops.calls, NR_ALL + 1);

    /* The same again costs nothing, and is done at once. */
    calls = fake_ops.calls;
    for (int i = 0; i < 3; i++) {
        ask("cr3 " ALL_MSRS);
        CHECK(!arming->busy);
        CHECK_EQ(results[0], VMRING_SPEC_ARMED);
    }
    CHECK_EQ(fake_ops.calls, calls);

    /* Only what differs. */
    ask("msr:0-0xff msr:0x100:onchange msr:0x101-0x1fff cr3");
    wait_for_it();
    CHECK_EQ(nr_msrs(), 0x2000 - 5);
    CHECK_EQ(fake_ops.msr[0][0xff], 1);
    CHECK_EQ(fake_ops.msr[0][0x100], 2);
    CHECK_EQ(fake_ops.calls - calls, 0x2000 + 2);

    ask("");
    CHECK(arming->busy);
    wait_for_it();
    nothing_is_armed();
    end();
}

/* However long one call takes, the slice has its limit in time. */
static void calls_that_take_long(void)
{
    start();
    fake_ops.call_ns = 700000;
    ask("msr:0-0xff");
    CHECK(fake_ops.calls <= 6);
    wait_for_it();
    CHECK_EQ(nr_msrs(), 0x100 - 2);
    end();
}

static void frames(void)
{
    unsigned int calls;

    start();
    ask("mem:w@0-0x7fff mem:x@0x9000-0x9000");
    CHECK(arming->busy);
    CHECK(!fake_ops.walks_suppressed);
    wait_for_it();
    CHECK(fake_ops.walks_suppressed);
    CHECK_EQ(nr_frames(XENMEM_access_rx), 0x8000);
    CHECK_EQ(nr_frames(XENMEM_access_rw), 1);
    CHECK(fake_ops.most_frames <= 64);
    calls = fake_ops.calls;

    ask("mem:w@0-0x7fff mem:x@0x9000-0x9000");
    CHECK(!arming->busy);
    CHECK_EQ(fake_ops.calls, calls);

    /* A range in the middle of another, and one behind it. */
    ask("mem:w@0-0xfff mem:wx@0x1000-0x103f mem:w@0x1040-0x7fff");
    wait_for_it();
    CHECK_EQ(fake_ops.calls - calls, 2);
    CHECK_EQ(nr_frames(XENMEM_access_rx), 0x8000 - 0x40);
    CHECK_EQ(nr_frames(XENMEM_access_r), 0x40);
    CHECK_EQ(fake_ops.frame[0x9000], XENMEM_access_rwx);

    /* Broken off, and back. */
    ask("mem:x@0x10-0xefff");
    turn();
    turn();
    ask("");
    turn();
    ask("");
    wait_for_it();
    nothing_is_armed();
    end();
}

static void too_many_frames(void)
{
    start();
    ask("cpuid");
    ask("cpuid mem:w@0x10000");
    wait_for_it();
    CHECK(results[1] != VMRING_SPEC_ARMED);
    CHECK_HAS(text, "last frame, 0xffff");
    nothing_is_armed();

    fake_ops.last_frame = UINT32_MAX;
    ask("mem:w@0-0x7fffff cpuid mem:x@0x800000-0x1000000");
    wait_for_it();
    CHECK_EQ(results[0], VMRING_SPEC_ARMED);
    CHECK_EQ(results[2], VMRING_SPEC_FAILED);
    CHECK_HAS(text, "16777216 frames");
    nothing_is_armed();
    end();
}

/* Wherever it fails, nothing stays armed and the consumer hears why. */
static void all_or_nothing(void)
{
    static const unsigned int at[] = {1, 2, 63, 64, 300, 301, 1025, 1026, 1027};

    for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        int nr_failed = 0;

        start();
        ask("cr4");
        fake_ops.fails_at = at[i];
        ask("msr:0x1200-0x13ff msr:0x1000-0x11ff cr3 cpuid mem:r@0-0x1fff");
        wait_for_it();
        if (i == 0) { /* cr4 cannot be disarmed, and all else goes on */
            CHECK_EQ(results[0], VMRING_SPEC_ARMED);
            CHECK_EQ(nr_msrs(), 0x400);
            end();
            continue;
        }
        CHECK_HAS(text, "Cannot allocate memory");
        nothing_is_armed();
        for (int k = 0; k < 5; k++)
            nr_failed += results[k] == VMRING_SPEC_FAILED;
        CHECK_EQ(nr_failed, 1);
        end();
    }
}

static bool withholds(unsigned int reason, uint64_t number)
{
    struct xen_vm_ring_event event = {.reason = (uint16_t)reason};

    if (reason == XEN_VM_RING_REASON_MOV_TO_MSR)
        event.u.mov_to_msr.msr = number;
    if (reason == XEN_VM_RING_REASON_WRITE_CTRLREG)
        event.u.write_ctrlreg.index = (uint32_t)number;
    if (reason == XEN_VM_RING_REASON_MEM_ACCESS)
        event.u.mem_access.gfn = number;
    return subscription_withholds(arming, &event);
}

static void withheld_until_all_is_armed(void)
{
    start();
    ask("cpuid msr:0x10-0x20 mem:w@5-7 cr3");
    wait_for_it();
    ask("cpuid msr:0-0x1fff mem:w@5-7 cr4");
    CHECK(arming->busy);
    CHECK(!withholds(XEN_VM_RING_REASON_CPUID, 0));
    CHECK(!withholds(XEN_VM_RING_REASON_MOV_TO_MSR, 0x20));
    CHECK(withholds(XEN_VM_RING_REASON_MOV_TO_MSR, 0x21));
    CHECK(withholds(XEN_VM_RING_REASON_MOV_TO_MSR, 0xf));
    CHECK(!withholds(XEN_VM_RING_REASON_MEM_ACCESS, 7));
    CHECK(withholds(XEN_VM_RING_REASON_MEM_ACCESS, 8));
    CHECK(!withholds(XEN_VM_RING_REASON_WRITE_CTRLREG, 1));
    CHECK(withholds(XEN_VM_RING_REASON_WRITE_CTRLREG, 2));
    wait_for_it();
    CHECK(!withholds(XEN_VM_RING_REASON_MOV_TO_MSR, 0x21));
    CHECK(!withholds(XEN_VM_RING_REASON_WRITE_CTRLREG, 2));

    /* While it is disarmed it is what was asked for. */
    ask("");
    CHECK(arming->busy);
    CHECK(!withholds(XEN_VM_RING_REASON_MOV_TO_MSR, 0x21));
    wait_for_it();
    end();
}

/* The bridge is to end: what was begun is broken off. */
static void broken_off(void)
{
    unsigned int calls;

    start();
    ask("cr3 " ALL_MSRS);
    turn();
    turn();
    calls = fake_ops.calls;
    CHECK(nr_msrs() > 0);
    ask("");
    wait_for_it();
    nothing_is_armed();
    CHECK(fake_ops.calls <= 2 * calls + 1);
    end();
}

static void domain_ends(void)
{
    start();
    ask("cr3 " ALL_MSRS);
    turn();
    ring.page = NULL;
    CHECK_EQ(subscription_turn(arming), SOURCE_WAIT);
    CHECK(!arming->busy);
    CHECK_EQ(results[0], VMRING_SPEC_FAILED);
    CHECK_HAS(text, "ended");
    ask("cpuid");
    CHECK(!arming->busy);
    CHECK_EQ(results[0], VMRING_SPEC_FAILED);
    CHECK_HAS(text, "ended");
    ask("");
    CHECK(!arming->busy);
    end();
}

/* Somebody who did not clean up behind himself. */
static void armed_already(void)
{
    start();
    fake_ops.msr[3][0x82] = 2;
    fake_ops.cpuid = 1;
    ask("msr:0xc0000082 cpuid");
    wait_for_it();
    CHECK_EQ(results[0] | results[1], VMRING_SPEC_ARMED);
    CHECK_EQ(fake_ops.msr[3][0x82], 1);
    ask("");
    wait_for_it();
    nothing_is_armed();
    end();
}

/* By a domctl of which only 4.18's libxenctrl has a function. */
static void instructions_of_io(void)
{
    start();
    ask("io cpuid");
    wait_for_it();
    CHECK_EQ(results[0] | results[1], VMRING_SPEC_ARMED);
    CHECK_EQ(fake_ops.io, 1);
    ask("cpuid");
    wait_for_it();
    CHECK_EQ(fake_ops.io, 0);
    fake_ops.fails_at = 1;
    ask("cpuid io");
    wait_for_it();
    CHECK_EQ(results[1], VMRING_SPEC_FAILED);
    CHECK_HAS(text, "Cannot allocate memory");
    nothing_is_armed();
    CHECK(support_kinds(&target) & UINT64_C(1) << 16);

    target.has_devices = true;
    CHECK(!(support_kinds(&target) & UINT64_C(1) << 16));
    ask("io");
    CHECK_EQ(results[0], VMRING_SPEC_UNSUPPORTED);
    CHECK_HAS(text, "HVM");
    target.capabilities &= ~(1u << 13);
    ask("io");
    CHECK_EQ(results[0], VMRING_SPEC_UNSUPPORTED);
    CHECK_HAS(text, "needs Xen 4.18");
    nothing_is_armed();
    end();
}

/* One that waits would come again for ever. */
static void exits(void)
{
    start();
    ask("vmexit:async");
    wait_for_it();
    CHECK_EQ(results[0], VMRING_SPEC_ARMED);
    ask("cpuid vmexit");
    wait_for_it();
    CHECK_EQ(results[1], VMRING_SPEC_UNSUPPORTED);
    CHECK_HAS(text, "vmexit:async");
    nothing_is_armed();
    end();
}

static void deny_arms_again(void)
{
    start();
    ask("cr0:async cr3 cpuid");
    wait_for_it();
    CHECK_EQ(fake_ops.ctrlreg[0], 2);
    CHECK_EQ(fake_ops.ctrlreg[1], 1);
    subscription_attached(arming, true, XEN_VM_RING_VERDICT_DENY);
    CHECK_EQ(fake_ops.ctrlreg[0], 1);
    CHECK_EQ(fake_ops.ctrlreg[1], 1);
    end();
}

int main(void)
{
    in_slices();
    calls_that_take_long();
    frames();
    too_many_frames();
    all_or_nothing();
    withheld_until_all_is_armed();
    broken_off();
    domain_ends();
    armed_already();
    exits();
    instructions_of_io();
    deny_arms_again();
    return 0;
}
