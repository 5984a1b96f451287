/* SPDX-License-Identifier: MIT */
/*
 * Description: posts, answers, deadlines, detaches and attaches at random:
 * every request gets exactly one verdict, none later than its deadline.
 */
#include "rig.h"

#define VCPUS    80
#define REQUESTS 60000

static struct rig rig;
static uint64_t deadline_of[REQUESTS];
static unsigned char verdicts[REQUESTS];
static uint64_t next, open_requests, seed = 11;
static uint64_t by[VMR_OVERDUE + 1];

static void collect(void)
{
    struct vmr_verdict verdict;

    while (rig_collect(&rig, &verdict)) {
        uint64_t i = verdict.request.cookie;

        CHECK(i < next);
        CHECK_EQ(verdicts[i]++, 0);
        CHECK_EQ(verdict.request.event.u.words[0], i);
        if (verdict.by == VMR_BY_DEADLINE)
            CHECK(deadline_of[i] <= rig.now);
        by[verdict.by]++;
        open_requests--;
    }
    (void)vmr_producer_flush(&rig.tx);
}

static void consume(void)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    for (uint32_t n = rig_random(&seed) % 30; n; n--) {
        enum vmr_next got = vmr_consumer_next(
            &rig.rx, rig_random(&seed) % rig.geo.nr_groups, &event, &where);

        if (got == VMR_NEXT_REQUEST && rig_random(&seed) % 4 &&
            rig_slot(&rig, where)->state == event.state)
            (void)rig_answer(&rig, &event, where);
    }
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(VCPUS, 3, 0, 2);
    bool attached = true;

    rig_make(&rig, &geo);
    while (next < REQUESTS) {
        for (uint32_t n = rig_random(&seed) % 20; n && next < REQUESTS; n--) {
            struct vmr_request request =
                rig_request(rig_random(&seed) % VCPUS, next,
                            rig.now + rig_random(&seed) % 200);

            deadline_of[next] = request.deadline;
            if (vmr_producer_post(&rig.tx, &request)) {
                open_requests++;
            } else {
                verdicts[next] = 1;
                by[VMR_BY_OVERFLOW]++;
            }
            next++;
        }
        (void)vmr_producer_flush(&rig.tx);
        if (attached)
            consume();
        collect();
        rig.now += rig_random(&seed) % 20;
        if (rig_random(&seed) % 200 == 0 && attached) {
            vmr_producer_sweep(&rig.tx);
            collect();
            if (rig_random(&seed) & 1)
                vmr_producer_release(&rig.tx);
            attached = false;
        } else if (rig_random(&seed) % 20 == 0 && !attached) {
            rig.geo.nr_groups = 1 + rig_random(&seed) % 5;
            CHECK(vmr_geometry_lay_out(&rig.geo, 81 * 128));
            rig_attach(&rig);
            attached = true;
        }
        /* Only what is hidden behind another can be beyond its time. */
        for (uint64_t i = next > 400 ? next - 400 : 0; i < next; i++)
            CHECK(verdicts[i] || deadline_of[i] + 240 > rig.now);
    }
    rig.now += 1000;
    for (int i = 0; i < 10; i++)
        collect();
    CHECK_EQ(open_requests, 0);
    for (uint64_t i = 0; i < REQUESTS; i++)
        CHECK_EQ(verdicts[i], 1);
    CHECK(by[VMR_BY_CONSUMER] && by[VMR_BY_DEADLINE] && by[VMR_BY_DETACH]);
    CHECK_EQ(by[VMR_OVERDUE], 0);
    return 0;
}
