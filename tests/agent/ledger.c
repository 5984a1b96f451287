/* SPDX-License-Identifier: MIT */
/* Description: a ledger adds up exactly if nothing is missing or twice. */
#include "../../agent/ledger/ledger.h"

#include "../unit/check.h"

#define CTRLREG XEN_VM_RING_REASON_WRITE_CTRLREG
#define CPUID   XEN_VM_RING_REASON_CPUID
#define GREQ    XEN_VM_RING_REASON_GUEST_REQUEST

/* Two vCPUs: what the producer and the ring say is set by each case. */
static struct vmring_count counts[8];
static struct vmring_lane_count lanes[2];

static void open_with(struct ledger *ledger, uint32_t policy, size_t nr_counts)
{
    struct vmring_info info = {
        .nr_vcpus = 2, .nr_lanes = 2, .loss_policy = policy};

    CHECK_EQ(ledger_open(ledger, &info, false), 0);
    ledger->counts = calloc(8, sizeof(*counts));
    ledger->lanes = calloc(2, sizeof(*lanes));
    memcpy(ledger->counts, counts, sizeof(counts));
    memcpy(ledger->lanes, lanes, sizeof(lanes));
    ledger->nr_counts = nr_counts;
    ledger->has_counts = true;
}

static void handed(struct ledger *ledger, uint16_t vcpu, uint16_t reason,
                   unsigned int nr, enum given given)
{
    struct vmring_event event = {.seq = given != GIVEN_NONE};

    event.lane = event.rec.vcpu = vcpu;
    event.rec.reason = reason;
    for (unsigned int i = 0; i < nr; i++)
        ledger_count(ledger, &event, given);
}

/* vCPU 0: 5 CPUIDs, one defaulted untaken; vCPU 1: 10 CR writes, 3 lost. */
static void set_plain(uint64_t discarded)
{
    memset(counts, 0, sizeof(counts));
    memset(lanes, 0, sizeof(lanes));
    counts[0] = (struct vmring_count){.vcpu = 0,
                                      .reason = CPUID,
                                      .requests = 5,
                                      .answered = 4,
                                      .defaulted = 1};
    counts[1] = (struct vmring_count){
        .vcpu = 1, .reason = CTRLREG, .records = 10, .discarded = discarded};
    lanes[1] = (struct vmring_lane_count){
        .lane = 1, .attempted = 10, .taken = 7, .lost = 3};
}

/* What only a later version names is in the producer's row of reason 0. */
static void check_unknown_reason(void)
{
    struct ledger ledger;

    set_plain(3);
    counts[0].reason = counts[1].reason = 0;
    open_with(&ledger, XEN_VM_RING_POLICY_DISCARD, 2);
    handed(&ledger, 0, 17, 3, GIVEN_TAKEN);
    handed(&ledger, 0, 0xffff, 1, GIVEN_TAKEN);
    handed(&ledger, 1, 999, 7, GIVEN_NONE);
    CHECK_EQ(ledger_settle(&ledger, NULL), 0);
    CHECK_STR(ledger.why, "");
    CHECK_EQ(ledger.result, LEDGER_ADDS_UP);
    CHECK_EQ(ledger.nr_rows, 2);
    CHECK_EQ(ledger_delivered(&ledger.total), 11);
    ledger_close(&ledger);
}

static void check_plain(void)
{
    struct ledger ledger;

    set_plain(3);
    open_with(&ledger, XEN_VM_RING_POLICY_DISCARD, 2);
    handed(&ledger, 0, CPUID, 4, GIVEN_TAKEN);
    handed(&ledger, 1, CTRLREG, 7, GIVEN_NONE);
    CHECK_EQ(ledger_settle(&ledger, NULL), 0);
    CHECK_STR(ledger.why, "");
    CHECK_EQ(ledger.result, LEDGER_ADDS_UP);
    CHECK_EQ(ledger.nr_rows, 2);
    CHECK_EQ(ledger.rows[1].lost, 3);
    CHECK_EQ(ledger.total.lost, 3);
    CHECK_EQ(ledger_delivered(&ledger.total), 11);
    ledger_close(&ledger);
}

/* One thing is changed each time; the line has to name where. */
static void check_differs(unsigned int cpuids, unsigned int writes,
                          const char *where)
{
    struct ledger ledger;

    open_with(&ledger, XEN_VM_RING_POLICY_DISCARD, 2);
    handed(&ledger, 0, CPUID, cpuids, GIVEN_TAKEN);
    handed(&ledger, 1, CTRLREG, writes, GIVEN_NONE);
    CHECK_EQ(ledger_settle(&ledger, NULL), 0);
    CHECK_EQ(ledger.result, LEDGER_DIFFERS);
    CHECK_HAS(ledger.why, where);
    ledger_close(&ledger);
}

static void check_differences(void)
{
    set_plain(3);
    check_differs(4, 6, "lane 1");
    check_differs(4, 8, "lane 1");
    check_differs(3, 7, "vCPU 0 cpuid"); /* answered, but not by us */
    check_differs(6, 7, "vCPU 0 cpuid"); /* more than were raised */
    set_plain(2);
    check_differs(4, 7, "vCPU 1 write_ctrlreg");
    set_plain(3);
    counts[0].defaulted = 0;
    check_differs(4, 7, "vCPU 0 cpuid");
    set_plain(3);
    lanes[1].pending = 1;
    lanes[1].attempted = 11;
    check_differs(4, 7, "lane 1");
    set_plain(3);
    lanes[1].lost = 4;
    lanes[1].attempted = 11;
    check_differs(4, 7, "lane 1");
    set_plain(3);
    counts[1].vcpu = 2;
    check_differs(4, 7, "lane 2");
    set_plain(3);
    counts[1].reason = 99;
    check_differs(4, 7, "vCPU 1");
}

/* Under overwrite the ring tells how much a lane lost, not of what. */
static void check_overwrite(void)
{
    struct ledger ledger;

    set_plain(0);
    open_with(&ledger, XEN_VM_RING_POLICY_OVERWRITE, 2);
    handed(&ledger, 0, CPUID, 4, GIVEN_TAKEN);
    handed(&ledger, 1, CTRLREG, 7, GIVEN_NONE);
    CHECK_EQ(ledger_settle(&ledger, NULL), 0);
    CHECK_STR(ledger.why, "");
    CHECK(ledger.rows[0].lost_known && ledger.rows[1].lost_known);
    CHECK_EQ(ledger.rows[1].lost, 3);
    ledger_close(&ledger);

    counts[1].records = 6;
    counts[2] = (struct vmring_count){.vcpu = 1, .reason = GREQ, .records = 4};
    open_with(&ledger, XEN_VM_RING_POLICY_OVERWRITE, 3);
    handed(&ledger, 0, CPUID, 4, GIVEN_TAKEN);
    handed(&ledger, 1, CTRLREG, 5, GIVEN_NONE);
    handed(&ledger, 1, GREQ, 2, GIVEN_NONE);
    CHECK_EQ(ledger_settle(&ledger, NULL), 0);
    CHECK_STR(ledger.why, "");
    CHECK(!ledger.rows[1].lost_known && !ledger.rows[2].lost_known);
    CHECK(ledger.total.lost_known);
    CHECK_EQ(ledger.total.lost, 3);
    ledger_close(&ledger);
}

static void check_apart(void)
{
    struct vmring_event old = {.epoch_mark = 1};
    struct vmring_event again = {.seq = 1};
    struct ledger ledger;

    set_plain(3);
    open_with(&ledger, XEN_VM_RING_POLICY_DISCARD, 2);
    old.rec.reason = CTRLREG;
    old.lane = old.rec.vcpu = 1;
    ledger_count(&ledger, &old, GIVEN_NONE);
    again.rec.reason = CPUID;
    again.rec.flags = XEN_VM_RING_FLAG_REPOSTED;
    ledger_count(&ledger, &again, GIVEN_TAKEN);
    handed(&ledger, 0, CPUID, 3, GIVEN_TAKEN);
    handed(&ledger, 0, CPUID, 1, GIVEN_LATE);
    handed(&ledger, 1, CTRLREG, 7, GIVEN_NONE);
    CHECK_EQ(ledger_settle(&ledger, NULL), 0);
    CHECK_STR(ledger.why, "");
    CHECK_EQ(ledger.total.own.drained, 1);
    CHECK_EQ(ledger.total.own.reposted, 1);
    CHECK_EQ(ledger.total.own.late, 1);
    CHECK_EQ(ledger_delivered(&ledger.total), 12);
    ledger_close(&ledger);
}

static void check_unchecked(void)
{
    struct ledger ledger;

    set_plain(3);
    open_with(&ledger, XEN_VM_RING_POLICY_DISCARD, 2);
    CHECK_EQ(ledger_settle(&ledger, "it goes on"), 0);
    CHECK_EQ(ledger.result, LEDGER_UNCHECKED);
    ledger_close(&ledger);

    open_with(&ledger, XEN_VM_RING_POLICY_DISCARD, 0);
    ledger.has_counts = false;
    free(ledger.counts);
    ledger.counts = NULL;
    handed(&ledger, 1, CTRLREG, 7, GIVEN_NONE);
    CHECK_EQ(ledger_settle(&ledger, NULL), 0);
    CHECK_EQ(ledger.result, LEDGER_UNCHECKED);
    CHECK_EQ(ledger.total.lost, 3);
    ledger_close(&ledger);
}

int main(void)
{
    check_plain();
    check_unknown_reason();
    check_differences();
    check_overwrite();
    check_apart();
    check_unchecked();
    return 0;
}
