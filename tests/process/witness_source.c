/* SPDX-License-Identifier: MIT */
/* witness_source.c: raises events, and notes each before and after. */
#include "witness.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "producer/handle.h"
#include "witness_bells.h"

#define MAX_WAITING 7 /* of a vCPU: two more than its FIFO holds */

/* A request that has no verdict yet. */
struct waiting {
    unsigned int number;
    uint64_t before, after; /* when it was posted */
    bool late;              /* it was overdue at the last look */
};

static struct witness *w;
static struct vmring_producer *producer;
static struct waiting waiting[W_VCPUS][MAX_WAITING];
static unsigned int nr_waiting[W_VCPUS], nr_all, last[W_VCPUS];
static unsigned int seed;

static uint64_t word_of(unsigned int number, unsigned int i)
{
    return (uint64_t)number << 32 | (number * 2654435761u + i);
}

struct xen_vm_ring_event witness_event(unsigned int reason, unsigned int vcpu,
                                       unsigned int number)
{
    struct xen_vm_ring_event event = {
        .reason = (uint16_t)reason,
        .vcpu = (uint16_t)vcpu,
        .length = number & 1 ? XEN_VM_RING_EVENT_FULL : XEN_VM_RING_EVENT_HEAD,
    };

    for (unsigned int i = 0; i < 4; i++)
        event.u.words[i] = word_of(number, i);
    for (unsigned int i = 0; number & 1 && i < XEN_VM_RING_REGS_LEN / 8; i++)
        event.regs.words[i] = word_of(number, 4 + i);
    return event;
}

bool witness_is_whole(const struct xen_vm_ring_event *event,
                      unsigned int number)
{
    bool whole = true;

    for (unsigned int i = 0; i < 4; i++)
        whole &= event->u.words[i] == word_of(number, i);
    for (unsigned int i = 0; event->length == XEN_VM_RING_EVENT_FULL &&
                             i < XEN_VM_RING_REGS_LEN / 8;
         i++)
        whole &= event->regs.words[i] == word_of(number, 4 + i);
    return whole;
}

/* ---------------------------------------------------------- doorbells -- */

struct w_bells *source_rings(void)
{
    return &w->to_consumer[producer->core.geo.epoch % W_EPOCHS];
}

struct w_bells *source_arms(void)
{
    return &w->to_source[producer->core.geo.epoch % W_EPOCHS];
}

/* -------------------------------------------------------------- events -- */

static void push_one(unsigned int v)
{
    struct w_vcpu *vcpu = &w->vcpu[v];
    unsigned int number = vcpu->pushed + 1;
    struct xen_vm_ring_event event;
    int published;

    if (number >= W_EVENTS)
        return;
    event = witness_event(XEN_VM_RING_REASON_MOV_TO_MSR, v, number);
    vcpu->pushed = number;
    published = vmring_producer_push(producer, v, &event);
    if (published == 1)
        __atomic_fetch_or(&vcpu->records[number], PUBLISHED, __ATOMIC_RELAXED);
    vcpu->done = number;
    WITNESS(w, published >= 0, "%d", published);
}

static void post_one(unsigned int v)
{
    struct w_vcpu *vcpu = &w->vcpu[v];
    struct waiting *now = &waiting[v][nr_waiting[v]];
    struct xen_vm_ring_event event;

    if (nr_waiting[v] == MAX_WAITING || vcpu->raised + 1 >= W_EVENTS)
        return;
    now->number = vcpu->raised + 1;
    event = witness_event(XEN_VM_RING_REASON_WRITE_CTRLREG, v, now->number);
    vcpu->raised = now->number;
    now->before = now_ns();
    CHECK_EQ(
        vmring_producer_post(producer, &event, (uint64_t)v << 32 | now->number),
        0);
    now->after = now_ns();
    now->late = false;
    nr_waiting[v]++;
    nr_all++;
    vcpu->posted = now->number;
}

static void raise_some(void)
{
    /* Mostly what a vCPU raises; now and then more than its FIFO holds. */
    unsigned int most = roll(&seed, 16) ? 1 : MAX_WAITING;

    for (unsigned int v = 0; v < W_VCPUS; v++) {
        unsigned int records = roll(&seed, 5);

        while (records--)
            push_one(v);
        while (nr_waiting[v] < most)
            post_one(v);
    }
    vmring_producer_flush(producer);
}

/* ------------------------------------------------------------ verdicts -- */

/* A hostile consumer may answer whatever it likes, within its mask. */
static void check_flags(const struct vmring_verdict *verdict)
{
    uint32_t allowed = 0;

    if (verdict->by == VMRING_BY_CONSUMER &&
        (w->verdicts & XEN_VM_RING_VERDICT_DENY))
        allowed = XEN_VM_RING_FLAG_DENY;
    WITNESS(w, !(verdict->response.flags & ~allowed), "flags 0x%x, mask 0x%x",
            verdict->response.flags, w->verdicts);
    WITNESS(w, verdict->response.reason == verdict->event.reason, "%u",
            verdict->response.reason);
}

static void check_answer(const struct vmring_verdict *verdict, unsigned int v,
                         unsigned int number)
{
    const struct w_vcpu *vcpu = &w->vcpu[v];

    if (verdict->by == VMRING_BY_CONSUMER) {
        WITNESS(w, vcpu->requests[number] & GIVING,
                "request %u of vCPU %u was answered by nobody", number, v);
        WITNESS(w, verdict->response.altp2m_idx == (uint16_t)number,
                "request %u has the answer of %u", number,
                verdict->response.altp2m_idx);
    } else if (w->deadline == W_DEADLINE) {
        /* Where no deadline comes, an answer that was given counts. */
        WITNESS(w, !(vcpu->requests[number] & GIVEN),
                "the answer to request %u of vCPU %u was ignored", number, v);
    }
}

static void note(void *ctx, const struct vmring_verdict *verdict)
{
    unsigned int v = (unsigned int)(verdict->cookie >> 32);
    unsigned int number = (unsigned int)verdict->cookie, i;
    uint64_t now = now_ns();

    (void)ctx;
    w->by[verdict->by & 7]++;
    WITNESS(w, v < W_VCPUS && number && number < W_EVENTS, "%u %u", v, number);
    if (verdict->by == VMRING_OVERDUE) {
        w->vcpu[v].overdue[number]++;
        return;
    }
    WITNESS(w, witness_is_whole(&verdict->event, number), "%u", number);
    w->vcpu[v].verdicts[number]++;
    for (i = 0; i < nr_waiting[v] && waiting[v][i].number != number; i++)
        ;
    WITNESS(w, i < nr_waiting[v], "request %u of vCPU %u resumed twice", number,
            v);
    if (i == nr_waiting[v])
        return;
    if (verdict->by == VMRING_BY_DEADLINE)
        WITNESS(w, now >= waiting[v][i].before + w->deadline, "%u", number);
    if (verdict->by != VMRING_BY_OVERFLOW) {
        WITNESS(w, number > last[v], "%u after %u", number, last[v]);
        last[v] = number;
    }
    check_flags(verdict);
    if (!w->hostile)
        check_answer(verdict, v, number);
    nr_all--;
    nr_waiting[v]--;
    memmove(&waiting[v][i], &waiting[v][i + 1],
            (nr_waiting[v] - i) * sizeof(waiting[v][0]));
}

/*
 * All that is there at `now` has been collected: nothing is overdue.  But an
 * answer that comes while deadlines are looked at can bring forward a request
 * that is too late itself; the producer comes back for that one at once.
 */
static void check_deadlines(uint64_t now)
{
    for (unsigned int v = 0; v < W_VCPUS; v++) {
        /* Only the visible one is paused for. */
        unsigned int nr = w->pause && nr_waiting[v] ? 1 : nr_waiting[v];

        for (unsigned int i = 0; i < nr; i++) {
            struct waiting *it = &waiting[v][i];
            unsigned char told = w->vcpu[v].overdue[it->number];
            bool late = !told && it->after + w->deadline <= now;

            WITNESS(w, !late || !it->late,
                    "request %u of vCPU %u is held beyond its deadline",
                    it->number, v);
            WITNESS(w, !late || vmring_producer_timeout(producer) == 0, "%d",
                    vmring_producer_timeout(producer));
            WITNESS(w, told <= 1, "request %u was overdue twice", it->number);
            it->late = late;
        }
    }
}

static void collect(void)
{
    struct vmring_verdict verdict;
    uint64_t now = now_ns();

    while (vmring_producer_collect(producer, &verdict) == 1)
        note(NULL, &verdict);
    check_deadlines(now);
    WITNESS(w, vmring_producer_pending(producer) == nr_all, "%u, not %u",
            vmring_producer_pending(producer), nr_all);
}

/* ---------------------------------------------------------------- turns -- */

static void attached(void *ctx, bool is_attached, uint32_t verdicts)
{
    (void)ctx;
    (void)verdicts;
    if (!is_attached)
        return;
    for (unsigned int v = 0; v < W_VCPUS; v++)
        w->base[(w->epochs + 1) % W_EPOCHS][v] = w->vcpu[v].pushed;
    CHECK(w->epochs + 2 < W_EPOCHS);
    __atomic_store_n(&w->epochs, w->epochs + 1, __ATOMIC_RELEASE);
}

/* Has all that was raised its verdict, and was every record seen? */
static bool all_is_done(void)
{
    if (nr_all || !w->epochs)
        return false;
    for (unsigned int v = 0; v < W_VCPUS; v++) {
        static unsigned int from[W_VCPUS];

        for (unsigned int i = from[v] + 1; i <= w->vcpu[v].pushed; i++) {
            unsigned char seen = w->vcpu[v].records[i];

            if ((seen & PUBLISHED) && !(seen & (SEEN | TOLD_LOST)))
                return false;
            from[v] = i;
        }
    }
    return true;
}

/*
 * One burst, then nothing until all of it is done with: a wake-up that is
 * lost is made good by nobody.
 */
static void take_step(void)
{
    static bool began;
    struct pollfd pfd = {vmring_producer_fd(producer), POLLIN, 0};
    int timeout = vmring_producer_timeout(producer);
    int ready = poll(&pfd, 1, timeout == 0 ? 0 : 1);

    if (ready > 0 || timeout == 0 || !began) {
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
        collect();
    }
    began = true;
    if (!w->stop && !w->hold && vmring_producer_attached(producer) &&
        all_is_done()) {
        raise_some();
        w->rounds++;
    }
}

static void take_turn(void)
{
    struct pollfd pfd = {vmring_producer_fd(producer), POLLIN, 0};
    int timeout = vmring_producer_timeout(producer);

    if (!w->stop && !w->hold) {
        raise_some();
        w->rounds++;
    }
    if (timeout < 0 || timeout > 1)
        timeout = w->stop || w->hold || roll(&seed, 4) == 0;
    (void)poll(&pfd, 1, timeout);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    collect();
}

static void answer_probe(void)
{
    if (w->probe) {
        w->stats.size = sizeof(w->stats);
        CHECK_EQ(vmring_producer_get_stats(producer, &w->stats), 0);
        w->pending = nr_all;
        w->attached = vmring_producer_attached(producer);
        w->fds = open_descriptors();
        w->maps = mapped_regions();
        w->probe = 0;
    }
    /* Everybody may look: nothing is raised until it is over. */
    w->held = w->hold;
}

static void note_given_up(void)
{
    struct vmring_count *rows;
    int nr = vmring_producer_counts(producer, &rows);

    CHECK(nr >= 0);
    for (int i = 0; i < nr; i++)
        if (rows[i].reason == XEN_VM_RING_REASON_UNKNOWN)
            w->given_up[rows[i].vcpu] += rows[i].discarded;
    free(rows);
    w->stats.size = sizeof(w->stats);
    CHECK_EQ(vmring_producer_get_stats(producer, &w->stats), 0);
}

static void produce(void)
{
    static const struct vmring_producer_ops ops = {.size = sizeof(ops),
                                                   .attached = attached};
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .ops = &ops,
        .target = "witness",
        .nr_vcpus = W_VCPUS,
        .arch = XEN_VM_RING_ARCH_X86,
        .verdicts = w->verdicts,
        .deadline_ns = w->deadline,
        .on_deadline =
            w->pause ? VMRING_DEADLINE_PAUSE : VMRING_DEADLINE_NEUTRAL,
    };
    char uri[128];

    seed = w->seed;
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    snprintf(uri, sizeof(uri), "local:%s", w->path);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    w->ready = 1;
    while (!w->finished || vmring_producer_attached(producer)) {
        w->turns++;
        if (w->lockstep && !w->stop)
            take_step();
        else
            take_turn();
        answer_probe();
        if (w->stop && !w->finished && !nr_all) {
            vmring_producer_set_target_state(producer,
                                             XEN_VM_RING_TARGET_DESTROYED, 0);
            w->finished = 1;
        }
    }
    collect();
    note_given_up();
    vmring_producer_close(producer, note, NULL);
}

pid_t source_start(struct witness *witness)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    w = witness;
    witness_bells_are(source_arms, source_rings);
    produce();
    exit(0);
}
