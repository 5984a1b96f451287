/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer, and a consumer, end after each single instruction
 * of what they do with a ring: what the other finds is whole, counted, and
 * given one verdict.
 *
 * The ring is the core's, in shared memory; the child is single-stepped.
 */
#include <sys/mman.h>

#include "core/atomic.h"
#include "core/consumer.h"
#include "core/producer.h"
#include "crash_stepper.h"
#include "unit/check.h"

#define SLOTS    4
#define DEADLINE 1000
#define CTRLREG  XEN_VM_RING_REASON_WRITE_CTRLREG

/* What is shared by both processes, besides the regions. */
struct notes {
    uint64_t attempted;   /* pushes begun */
    uint64_t taken[64];   /* by number: records handed out by the dead */
    uint64_t answering;   /* an answer is being given */
    uint64_t answered;    /* it has been */
    uint64_t verdicts;    /* the dead producer's */
    uint64_t rung, armed; /* doorbells */
};

static struct vmr_geometry geo;
static unsigned char *p, *c, *successors_p, *successors_c;
static struct notes *notes;
static struct vmr_producer tx;
static struct vmr_consumer rx;
static void *tx_memory, *rx_memory;
static const char *name;

#define HOLDS(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: killed in %s at step %lu: not so: %s\n",   \
                    __FILE__, __LINE__, name, stepper_at(), #cond);            \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

static void *shared(size_t len)
{
    void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED);
    return at;
}

static struct xen_vm_ring_event numbered(uint32_t reason, uint64_t number)
{
    struct xen_vm_ring_event event = {.reason = (uint16_t)reason,
                                      .length = XEN_VM_RING_EVENT_FULL};

    for (int i = 0; i < 4; i++)
        event.u.words[i] = number * 1000 + (unsigned int)i;
    for (int i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        event.regs.words[i] = number * 1000 + 4 + (unsigned int)i;
    return event;
}

static uint64_t number_of(const struct xen_vm_ring_event *event)
{
    struct xen_vm_ring_event right =
        numbered(event->reason, event->u.words[0] / 1000);

    HOLDS(event->length == XEN_VM_RING_EVENT_FULL);
    HOLDS(!memcmp(&event->u, &right.u, sizeof(right.u)));
    HOLDS(!memcmp(&event->regs, &right.regs, sizeof(right.regs)));
    return event->u.words[0] / 1000;
}

/* ------------------------------------------------- what both ends can do -- */

static void push(void)
{
    struct xen_vm_ring_event event =
        numbered(XEN_VM_RING_REASON_MOV_TO_MSR, notes->attempted + 1);

    notes->attempted++;
    (void)vmr_producer_push(&tx, 0, &event);
}

static void flush(void)
{
    if (vmr_producer_flush(&tx))
        notes->rung++;
}

static void post(uint64_t number)
{
    struct vmr_request request = {.event = numbered(CTRLREG, number),
                                  .cookie = number,
                                  .deadline = DEADLINE};

    CHECK(vmr_producer_post(&tx, &request));
}

static bool collect(uint64_t now, struct vmr_verdict *verdict)
{
    return vmr_producer_collect(&tx, now, verdict);
}

/* Takes one event as a consumer does, and notes it before it goes on. */
static enum vmr_next take(struct xen_vm_ring_event *event)
{
    uint32_t where;
    enum vmr_next next = vmr_consumer_next(&rx, 0, event, &where);

    if (next == VMR_NEXT_RECORD)
        notes->taken[event->u.words[0] / 1000]++;
    return next;
}

static void answer(const struct xen_vm_ring_event *event)
{
    struct xen_vm_ring_response response = {
        .reason = CTRLREG, .flags = XEN_VM_RING_FLAG_SET_REGISTERS};

    for (int i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        response.data.words[i] = 7000 + (unsigned int)i;
    notes->answering = 1;
    CHECK(vmr_consumer_answer(&rx, 0, event->state, &response));
    notes->answered = 1;
    (void)vmr_consumer_flush(&rx, 0);
}

/* ------------------------------------------------------------- scenarios -- */

/* What is there before; what the child does; what holds when it is dead. */
struct scenario {
    const char *name;
    void (*prepare)(void);
    void (*act)(void);
    void (*check)(void);
    uint32_t policy;
};

static void push_some(void)
{
    push();
    push();
    flush();
}

static void push_full(void)
{
    for (int i = 0; i < SLOTS; i++)
        push();
    flush();
}

/* The consumer has taken them, sleeps, and is to be rung. */
static void drained_and_armed(void)
{
    struct xen_vm_ring_event event;

    push_some();
    while (take(&event) == VMR_NEXT_RECORD)
        ;
    CHECK(vmr_consumer_arm(&rx, 0));
    notes->armed++;
}

static void push_and_flush(void)
{
    push();
    flush();
    push();
    flush();
}

static uint64_t word(const void *region, uint64_t off)
{
    return vmr_load_acquire(
        (const xen_vm_ring_u64 *)(const void *)((const char *)region + off));
}

/* The producer is dead: attempts = head + lost, but for the one in flight. */
static void check_lane(void)
{
    uint64_t head = word(p, geo.lane_off), lost = word(p, geo.lane_off + 8);
    uint64_t seen = 0, last = 0;
    struct xen_vm_ring_event event;
    enum vmr_next next;
    uint32_t where;

    HOLDS(head + lost == notes->attempted ||
          head + lost + 1 == notes->attempted);
    for (int i = 0; i < 64; i++)
        seen += notes->taken[i];
    vmr_consumer_rescan(&rx, 0);
    while ((next = vmr_consumer_next(&rx, 0, &event, &where)) !=
           VMR_NEXT_NONE) {
        HOLDS(next != VMR_NEXT_BROKEN);
        if (next != VMR_NEXT_RECORD)
            continue;
        HOLDS(number_of(&event) > last);
        last = number_of(&event);
        seen++;
    }
    /* Delivered, overwritten, or lost: nothing is left over. */
    HOLDS(seen + rx.lanes[0].overwritten == head);
    if (geo.loss_policy == XEN_VM_RING_POLICY_DISCARD)
        HOLDS(rx.lanes[0].overwritten == 0);
    HOLDS(notes->rung <= notes->armed);
}

/* A request of the dead is whole, or is not there. */
static void check_request(void)
{
    struct xen_vm_ring_event event;
    uint32_t where;
    enum vmr_next next;

    vmr_consumer_rescan(&rx, 0);
    next = vmr_consumer_next(&rx, 0, &event, &where);
    HOLDS(next == VMR_NEXT_NONE || next == VMR_NEXT_REQUEST);
    if (next == VMR_NEXT_REQUEST)
        HOLDS(number_of(&event) >= 1 && number_of(&event) <= 2);
    HOLDS(notes->rung <= notes->armed);
    HOLDS(notes->verdicts <= 2);
}

static void arm_only(void)
{
    struct xen_vm_ring_event event;

    while (take(&event) != VMR_NEXT_NONE)
        ;
    CHECK(vmr_consumer_arm(&rx, 0));
    notes->armed++;
}

static void post_and_flush(void)
{
    post(1);
    flush();
}

static void posted_twice_and_answered(void)
{
    struct xen_vm_ring_event event;

    post(1);
    post(2);
    flush();
    CHECK(take(&event) == VMR_NEXT_REQUEST);
    answer(&event);
    arm_only();
}

static void collect_and_flush(void)
{
    struct vmr_verdict verdict;

    while (collect(1, &verdict))
        notes->verdicts++;
    flush();
}

static void freeze(void)
{
    vmr_producer_freeze(&tx);
}

/* ---- The consumer is killed, and the producer goes on. */

static void posted(void)
{
    push_full();
    post(1);
    flush();
}

static void consume_all(void)
{
    struct xen_vm_ring_event event;
    enum vmr_next next;

    while ((next = take(&event)) != VMR_NEXT_NONE)
        if (next == VMR_NEXT_REQUEST)
            answer(&event);
    (void)vmr_consumer_arm(&rx, 0);
}

/* The successor's P: the request is there only if it has no verdict. */
static void check_successor(bool decided)
{
    struct vmr_geometry next = geo;
    struct xen_vm_ring_event event;
    struct vmr_verdict verdict;
    uint32_t where;

    next.epoch++;
    memset(successors_p, 0, geo.p_len);
    memset(successors_c, 0, geo.c_len);
    vmr_geometry_publish(&next, (void *)successors_p);
    vmr_producer_attach(&tx, &next, successors_p, successors_c);
    vmr_consumer_init(&rx, &next, rx_memory, successors_p, successors_c);
    if (decided) {
        HOLDS(vmr_consumer_next(&rx, 0, &event, &where) == VMR_NEXT_NONE);
        HOLDS(!collect(DEADLINE + 1, &verdict));
        return;
    }
    HOLDS(vmr_consumer_next(&rx, 0, &event, &where) == VMR_NEXT_REQUEST);
    HOLDS(number_of(&event) == 1);
    HOLDS(event.flags & XEN_VM_RING_FLAG_REPOSTED);
    HOLDS(!collect(DEADLINE - 1, &verdict));
    HOLDS(collect(DEADLINE, &verdict));
    HOLDS(verdict.by == VMR_BY_DEADLINE);
    HOLDS(verdict.response.flags == 0);
    HOLDS(!collect(DEADLINE + 1, &verdict));
}

/* Each record was handed out, or is there for the successor. */
static void check_frozen(void)
{
    struct vmr_lane_rx lane;
    struct xen_vm_ring_event event;

    vmr_producer_freeze(&tx);
    HOLDS(tx.lane_faults == 0);
    vmr_lane_rx_init(&lane, &geo, 0, p, NULL);
    vmr_lane_rx_resume(&lane);
    while (vmr_lane_pull(&lane, &event) == VMR_PULL_EVENT)
        notes->taken[number_of(&event)] += 2;
    for (uint64_t i = 1; i <= notes->attempted; i++)
        HOLDS(notes->taken[i] >= 1 && notes->taken[i] <= 3);
}

static void check_producer_goes_on(void)
{
    struct vmr_verdict verdict;
    bool decided = false;

    vmr_producer_sweep(&tx);
    while (collect(1, &verdict)) {
        HOLDS(!decided);
        HOLDS(verdict.by == VMR_BY_CONSUMER && notes->answering);
        HOLDS(verdict.response.flags == XEN_VM_RING_FLAG_SET_REGISTERS);
        for (int i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
            HOLDS(verdict.response.data.words[i] == 7000 + (unsigned int)i);
        decided = true;
    }
    /* What was given counts, hint or no hint. */
    HOLDS(decided || !notes->answered);
    check_frozen();
    check_successor(decided);
}

static const struct scenario scenarios[] = {
    {"a push", push_some, push_and_flush, check_lane, 0},
    {"a push for one who sleeps", drained_and_armed, push_and_flush, check_lane,
     0},
    {"a push that finds no room", push_full, push_and_flush, check_lane, 0},
    {"a push that overwrites", push_full, push_and_flush, check_lane, 1},
    {"a post", arm_only, post_and_flush, check_request, 0},
    {"a retirement", posted_twice_and_answered, collect_and_flush,
     check_request, 0},
    {"a freeze", push_full, freeze, check_lane, 0},
    {"all that a consumer does", posted, consume_all, check_producer_goes_on,
     0},
    {"all that a consumer does, overwriting", posted, consume_all,
     check_producer_goes_on, 1},
};

/* --------------------------------------------------------------- running -- */

static void lay_out(uint32_t policy)
{
    geo = (struct vmr_geometry){
        .epoch = 1,
        .nr_vcpus = 1,
        .nr_lanes = 1,
        .nr_groups = 1,
        .loss_policy = policy,
        .verdicts = XEN_VM_RING_VERDICT_SET_REGISTERS,
        .record_len = 448,
        .arch = XEN_VM_RING_ARCH_X86,
    };
    CHECK(vmr_geometry_lay_out(&geo, SLOTS * 448));
}

static void make(void)
{
    lay_out(0);
    p = shared(geo.p_len);
    c = shared(geo.c_len);
    notes = shared(sizeof(*notes));
    successors_p = calloc(1, geo.p_len);
    successors_c = calloc(1, geo.c_len);
    tx_memory = calloc(1, vmr_producer_size(1, 1));
    rx_memory = calloc(1, vmr_consumer_size(&geo));
    CHECK(successors_p && successors_c && tx_memory && rx_memory);
    stepper_keep(p, geo.p_len);
    stepper_keep(c, geo.c_len);
    stepper_keep(notes, sizeof(*notes));
    stepper_keep(&tx, sizeof(tx));
    stepper_keep(&rx, sizeof(rx));
    stepper_keep(tx_memory, vmr_producer_size(1, 1));
    stepper_keep(rx_memory, vmr_consumer_size(&geo));
}

static void make_fresh(const struct scenario *scenario)
{
    memset(p, 0, geo.p_len);
    memset(c, 0, geo.c_len);
    memset(notes, 0, sizeof(*notes));
    vmr_geometry_publish(&geo, (void *)p);
    vmr_producer_init(&tx, tx_memory, 1, 1);
    vmr_producer_attach(&tx, &geo, p, c);
    vmr_consumer_init(&rx, &geo, rx_memory, p, c);
    scenario->prepare();
}

int main(void)
{
    unsigned long all = 0;

    make();
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        const struct scenario *scenario = &scenarios[i];
        unsigned long steps;

        name = scenario->name;
        lay_out(scenario->policy);
        make_fresh(scenario);
        steps = stepper_run(scenario->act, scenario->check);
        printf("%5lu instructions of %s\n", steps, name);
        all += steps;
    }
    printf("%lu instants to be killed at\n", all);
    return 0;
}
