/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer's and the consumers' threads, both kinds of events,
 * sleeping by the doorbells alone: nothing torn, missing or counted twice.
 * A wake-up that is lost hangs; the test's limit reports it.
 *
 * usage: stress POLICY GROUPS
 */
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rig.h"

#define VCPUS      6
#define MAX_GROUPS 3

#ifdef VMR_TSAN
#define ROUNDS 12000
#else
#define ROUNDS 400000
#endif

static struct rig rig;
static int to_producer, to_group[MAX_GROUPS];

/* The producer's own count, and each consumer's of its own lanes. */
static uint64_t attempts[VCPUS + 1], posted, collected, rings;
static uint64_t answer_rings[MAX_GROUPS], armings[MAX_GROUPS];
static uint64_t requests[MAX_GROUPS], pulled[VCPUS + 1];

static void ring(int fd)
{
    uint64_t one = 1;

    CHECK(write(fd, &one, sizeof(one)) == sizeof(one));
}

static void sleep_on(int fd)
{
    uint64_t value;

    CHECK(read(fd, &value, sizeof(value)) == sizeof(value));
}

static void ring_groups(uint64_t groups)
{
    for (uint32_t g = 0; g < rig.geo.nr_groups; g++) {
        if (groups & 1ULL << g) {
            rings++;
            ring(to_group[g]);
        }
    }
}

static void check_whole(const struct xen_vm_ring_event *event)
{
    for (int i = 1; i < 4; i++)
        CHECK_EQ(event->u.words[i], event->u.words[0]);
}

static void collect(void)
{
    struct vmr_verdict verdict;

    while (rig_collect(&rig, &verdict)) {
        CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
        CHECK_EQ(verdict.response.altp2m_idx, (uint16_t)verdict.request.cookie);
        collected++;
    }
    ring_groups(vmr_producer_flush(&rig.tx));
}

static void wait_for_verdicts(uint64_t left)
{
    for (;;) {
        collect();
        if (posted - collected <= left)
            return;
        if (vmr_producer_arm(&rig.tx))
            sleep_on(to_producer);
    }
}

static void *produce(void *unused)
{
    uint64_t seed = 42;

    for (uint64_t i = 1; i <= ROUNDS; i++) {
        for (uint32_t n = rig_random(&seed) % 8; n; n--) {
            uint32_t lane = rig_random(&seed) % (VCPUS + 1);
            struct xen_vm_ring_event event = rig_event(
                XEN_VM_RING_REASON_MOV_TO_MSR, lane % VCPUS, ++attempts[lane]);

            (void)vmr_producer_push(&rig.tx, lane, &event);
        }
        if (rig_random(&seed) % 4 == 0) {
            struct vmr_request request = rig_request(
                rig_random(&seed) % VCPUS, posted + 1, VMR_NO_DEADLINE);

            if (vmr_producer_post(&rig.tx, &request))
                posted++;
        }
        if (rig_random(&seed) % 3 == 0)
            ring_groups(vmr_producer_flush(&rig.tx));
        if (rig_random(&seed) % 64 == 0)
            wait_for_verdicts(rig_random(&seed) % 8);
    }
    wait_for_verdicts(0);
    vmr_producer_set_target(&rig.tx, XEN_VM_RING_TARGET_DESTROYED, 0);
    ring_groups(vmr_producer_flush(&rig.tx));
    ring_groups(vmr_producer_wake(&rig.tx));
    return unused;
}

static void tell(uint32_t group)
{
    if (vmr_consumer_flush(&rig.rx, group)) {
        answer_rings[group]++;
        ring(to_producer);
    }
}

static void answer(uint32_t group, const struct xen_vm_ring_event *event,
                   uint32_t vcpu)
{
    struct xen_vm_ring_response response = {
        .reason = event->reason,
        .altp2m_idx = (uint16_t)event->u.words[0],
    };

    CHECK(vmr_consumer_answer(&rig.rx, vcpu, event->state, &response));
    if (++requests[group] % 2)
        tell(group);
}

/* Nothing is visible. false: and nothing more will be. */
static bool rest(uint32_t group)
{
    uint64_t reason;
    bool ended;

    tell(group);
    ended =
        vmr_consumer_target(&rig.rx, &reason) == XEN_VM_RING_TARGET_DESTROYED;
    armings[group]++;
    if (!vmr_consumer_arm(&rig.rx, group))
        return true;
    if (ended)
        return false;
    sleep_on(to_group[group]);
    vmr_consumer_disarm(&rig.rx, group);
    return true;
}

static void *consume(void *arg)
{
    uint32_t group = (uint32_t)(uintptr_t)arg, where;
    uint64_t last[VCPUS + 1] = {0};
    struct xen_vm_ring_event event;

    for (;;) {
        switch (vmr_consumer_next(&rig.rx, group, &event, &where)) {
        case VMR_NEXT_REQUEST:
            check_whole(&event);
            answer(group, &event, where);
            break;
        case VMR_NEXT_RECORD:
            check_whole(&event);
            CHECK(event.u.words[0] > last[where]);
            last[where] = event.u.words[0];
            pulled[where]++;
            break;
        case VMR_NEXT_NONE:
            if (!rest(group))
                return NULL;
            break;
        case VMR_NEXT_AGAIN:
            break;
        case VMR_NEXT_BROKEN:
            CHECK(!"fault");
        }
    }
}

/* delivered + lost = attempted, for every lane. */
static void check_ledger(void)
{
    uint64_t lost_in_all = 0;

    for (uint32_t lane = 0; lane <= VCPUS; lane++) {
        const struct vmr_lane_rx *rx = &rig.rx.lanes[lane];
        uint64_t head, lost;

        vmr_consumer_lane(&rig.rx, lane, &head, &lost);
        CHECK_EQ(head + lost, attempts[lane]);
        CHECK_EQ(rx->tail, head);
        CHECK_EQ(rx->taken, pulled[lane]);
        CHECK_EQ(pulled[lane] + rx->overwritten + lost, attempts[lane]);
        if (rig.geo.loss_policy == XEN_VM_RING_POLICY_DISCARD)
            CHECK_EQ(rx->overwritten, 0);
        else
            CHECK_EQ(lost, 0);
        lost_in_all += lost + rx->overwritten;
    }
    printf("%llu records lost, %llu requests, %llu doorbells\n",
           (unsigned long long)lost_in_all, (unsigned long long)posted,
           (unsigned long long)rings);
}

int main(int argc, char **argv)
{
    pthread_t producer, consumers[MAX_GROUPS];
    struct vmr_geometry geo;
    uint64_t taken = 0, armed = 0;
    uint32_t groups;

    CHECK(argc == 3);
    groups = (uint32_t)atoi(argv[2]);
    CHECK(groups >= 1 && groups <= MAX_GROUPS);
    geo = rig_geometry(VCPUS, groups, (uint32_t)atoi(argv[1]), 16);
    rig_make(&rig, &geo);
    to_producer = eventfd(0, 0);
    CHECK(to_producer >= 0);
    for (uint32_t g = 0; g < groups; g++) {
        to_group[g] = eventfd(0, 0);
        CHECK(to_group[g] >= 0);
        CHECK(!pthread_create(&consumers[g], NULL, consume,
                              (void *)(uintptr_t)g));
    }
    CHECK(!pthread_create(&producer, NULL, produce, NULL));
    CHECK(!pthread_join(producer, NULL));
    for (uint32_t g = 0; g < groups; g++) {
        CHECK(!pthread_join(consumers[g], NULL));
        taken += requests[g];
        armed += armings[g];
    }
    CHECK(posted > 1000);
    CHECK_EQ(collected, posted);
    CHECK_EQ(taken, posted);
    CHECK(rings <= armed);
    CHECK_EQ(rig.tx.ignored, 0);
    CHECK_EQ(rig.tx.lane_faults, 0);
    check_ledger();
    return 0;
}
