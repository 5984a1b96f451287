/* SPDX-License-Identifier: MIT */
/* witness_consumer.c: takes and answers, and notes each before it goes on. */
#include "witness.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "consumer/ring.h"
#include "witness_bells.h"

static struct witness *w;
static int stop_in;
static unsigned int seed;
static unsigned int session; /* number of this attach, over all consumers */
static uint64_t epoch;
static unsigned int nr_events;
static unsigned int previous[W_VCPUS], previous_frozen[W_VCPUS];
static uint64_t frozen_epoch;

static struct w_bells *arms(void)
{
    return &w->to_consumer[epoch % W_EPOCHS];
}

static struct w_bells *rings(void)
{
    return &w->to_source[epoch % W_EPOCHS];
}

/* It is there now; and stops there, if it is to. */
static void enter(int phase)
{
    w->phase = phase;
    if (stop_in != phase)
        return;
    stop_in = 0;
    raise(SIGSTOP);
}

static unsigned int number_of(const struct xen_vm_ring_event *event)
{
    return (unsigned int)(event->u.words[0] >> 32);
}

/*
 * Handed out: it may have been before only if whoever had it then crashed, or
 * left in the middle of draining frozen Ps, which are handed on whole.
 */
static void see(unsigned char *notes, uint16_t *by, bool marked, bool frozen)
{
    unsigned char bits = SEEN;

    if (*notes & SEEN) {
        bits |= marked ? 0 : UNMARKED;
        bits |= w->left[*by % W_EPOCHS] ? UNCAUSED : 0;
        w->twice++;
    }
    *by = frozen ? 0 : (uint16_t)session;
    __atomic_fetch_or(notes, bits, __ATOMIC_RELAXED);
}

static void answer(const struct conduct *conduct, struct vmring *ring,
                   const struct vmring_event *event, unsigned int number)
{
    unsigned char *notes = &w->vcpu[event->rec.vcpu].requests[number];
    struct xen_vm_ring_response response;
    int err;

    if (conduct->mute)
        return;
    vmring_neutral(event, &response);
    response.altp2m_idx = (uint16_t)number;
    if ((w->verdicts & XEN_VM_RING_VERDICT_DENY) && roll(&seed, 2))
        response.flags = XEN_VM_RING_FLAG_DENY;
    __atomic_fetch_or(notes, GIVING, __ATOMIC_SEQ_CST);
    err = vmring_respond(ring, event, &response);
    if (err == 0)
        __atomic_fetch_or(notes, GIVEN, __ATOMIC_SEQ_CST);
    WITNESS(w, err == 0 || err == -ESTALE, "%d", err);
    if (roll(&seed, 4) == 0)
        vmring_flush(ring);
    enter(P_ANSWERED);
}

static void take_request(const struct conduct *conduct, struct vmring *ring,
                         const struct vmring_event *event, unsigned int number)
{
    bool marked = event->rec.flags & XEN_VM_RING_FLAG_REPOSTED;
    struct w_vcpu *vcpu = &w->vcpu[event->rec.vcpu];

    enter(P_REQUEST);
    WITNESS(w, number && number <= vcpu->raised, "request %u of %u", number,
            vcpu->raised);
    if (!number || number >= W_EVENTS)
        return;
    w->reposted += marked;
    see(&vcpu->requests[number], &vcpu->request_by[number], marked, false);
    WITNESS(w, !vcpu->verdicts[number] || w->deadline != W_DEADLINE,
            "request %u of vCPU %u has its verdict", number, event->rec.vcpu);
    answer(conduct, ring, event, number);
}

/* What came of the attempts between two records of one lane. */
static void check_gap(const struct vmring_event *event, unsigned int number,
                      unsigned int *before)
{
    struct w_vcpu *vcpu = &w->vcpu[event->rec.vcpu];

    if (*before)
        WITNESS(w, number == *before + 1 + event->lost_before,
                "record %u of vCPU %u after %u, and %u lost", number,
                event->rec.vcpu, *before, event->lost_before);
    *before = number;
    for (unsigned int i = 1; i <= event->lost_before && i < number; i++)
        __atomic_fetch_or(&vcpu->records[number - i], TOLD_LOST,
                          __ATOMIC_RELAXED);
}

static void take_record(struct vmring *ring, const struct vmring_event *event,
                        unsigned int number)
{
    struct w_vcpu *vcpu = &w->vcpu[event->rec.vcpu];
    uint64_t of = event->epoch_mark ? ring->before_geo.epoch : epoch;
    unsigned int v = event->rec.vcpu;
    unsigned int expected = w->base[of % W_EPOCHS][v] +
                            (unsigned int)event->position + event->rec.lost + 1;

    enter(event->epoch_mark ? P_DRAINING : P_RECORD);
    /* Each attempt before it was published or counted: its own number says. */
    WITNESS(w, number == expected,
            "record %u of vCPU %u should be %u: epoch %llu, position %llu, "
            "%u lost",
            number, v, expected, (unsigned long long)of,
            (unsigned long long)event->position, event->rec.lost);
    WITNESS(w,
            !event->epoch_mark ==
                !(event->rec.flags & XEN_VM_RING_FLAG_REPOSTED),
            "%u", number);
    if (!number || number > vcpu->pushed || number >= W_EVENTS)
        return;
    if (event->epoch_mark && of != frozen_epoch) {
        frozen_epoch = of;
        memset(previous_frozen, 0, sizeof(previous_frozen));
    }
    w->drained += event->epoch_mark;
    check_gap(event, number,
              event->epoch_mark ? &previous_frozen[v] : &previous[v]);
    see(&vcpu->records[number], &vcpu->record_by[number], event->epoch_mark,
        event->epoch_mark);
}

bool consumer_turn(struct witness *witness, const struct conduct *conduct,
                   struct vmring *ring, int *ret)
{
    struct vmring_event event;
    unsigned int number;

    w = witness;
    *ret = vmring_next(ring, &event);
    if (*ret != 1) {
        w->settled = 1;
        return false;
    }
    if (!event.seq && !event.epoch_mark)
        w->settled = 1;
    number = number_of(&event.rec);
    nr_events++;
    WITNESS(w, event.rec.vcpu < W_VCPUS, "%u", event.rec.vcpu);
    WITNESS(w, witness_is_whole(&event.rec, number), "%s %u is torn",
            event.seq ? "request" : "record", number);
    if (event.rec.vcpu >= W_VCPUS)
        return true;
    if (event.seq)
        take_request(conduct, ring, &event, number);
    else
        take_record(ring, &event, number);
    return true;
}

struct vmring *consumer_open(struct witness *witness,
                             const struct conduct *conduct, int *err)
{
    struct vmring_opts opts = {.size = sizeof(opts),
                               .loss_policy = witness->policy,
                               .verdicts = witness->verdicts,
                               .nr_groups = conduct->nr_groups,
                               .record_len = conduct->record_len,
                               .async_len = conduct->async_len,
                               .timeout_ms = 30000};
    struct vmring_info info = {.size = sizeof(info)};
    struct vmring *ring;
    char uri[128];

    w = witness;
    nr_events = 0;
    seed = conduct->seed;
    stop_in = conduct->stop_in;
    frozen_epoch = 0;
    memset(previous, 0, sizeof(previous));
    snprintf(uri, sizeof(uri), "local:%s", w->path);
    enter(P_ATTACHING);
    *err = vmring_open(uri, &opts, &ring);
    if (*err)
        return NULL;
    CHECK_EQ(vmring_get_info(ring, &info), 0);
    epoch = info.epoch;
    witness_bells_are(arms, rings);
    session = __atomic_add_fetch(&w->sessions, 1, __ATOMIC_RELAXED);
    CHECK(session < W_EPOCHS);
    return ring;
}

/* The source's note of an epoch's begin comes just after it accepts. */
static void await_base(void)
{
    uint64_t until = now_ns() + 30000000000ULL;

    while (__atomic_load_n(&w->epochs, __ATOMIC_ACQUIRE) < epoch &&
           now_ns() < until)
        sched_yield();
    WITNESS(w, w->epochs >= epoch, "%u, not %u", w->epochs,
            (unsigned int)epoch);
    for (unsigned int v = 0; v < W_VCPUS; v++)
        previous[v] = w->base[epoch % W_EPOCHS][v];
}

static struct vmring *open_when_free(const struct conduct *conduct)
{
    uint64_t until = now_ns() + 30000000000ULL;
    struct vmring *ring;
    int err;

    /* The predecessor's last answers may still be looked at. */
    while (!(ring = consumer_open(w, conduct, &err)) && err == -EBUSY &&
           now_ns() < until)
        sleep_ns(20000);
    WITNESS(w, ring || err == -ESRCH, "vmring_open: %d", err);
    return ring;
}

static void check_frozen(struct vmring *ring)
{
    enter(P_DRAINING);
    for (unsigned int i = 0; i < ring->nr_before; i++) {
        check_region(w, ring->before[i].at, true);
        w->frozen_checked++;
    }
}

int consumer_session(struct witness *witness, const struct conduct *conduct)
{
    struct vmring *ring;
    unsigned int mine;
    int ret = 0;

    w = witness;
    ring = open_when_free(conduct);
    if (!ring)
        return -ESRCH;
    await_base();
    check_frozen(ring);
    while (!conduct->leave || nr_events < conduct->leave) {
        struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};

        if (consumer_turn(w, conduct, ring, &ret))
            continue;
        if (ret < 0)
            break;
        enter(P_ASLEEP);
        (void)poll(&pfd, 1, -1);
    }
    if (conduct->last && ret == -ESRCH)
        check_region(w, ring->p.at, false);
    enter(P_DETACHING);
    mine = session;
    vmring_close(ring);
    w->left[mine % W_EPOCHS] = 1;
    enter(P_DETACHED);
    /* Not all of the time is for coming and going. */
    sleep_ns(roll(&seed, 1000000));
    return ret < 0 ? ret : 0;
}

pid_t consumer_start(struct witness *witness, const struct conduct *conduct)
{
    pid_t pid;
    int ret;

    witness->phase = P_STARTED;
    witness->settled = 0;
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Stays longer each time, or it would never get through what is frozen. */
    for (struct conduct now = *conduct;
         !(ret = consumer_session(witness, &now)); now.leave *= 2)
        ;
    WITNESS(w, ret == -ESRCH, "vmring_next: %d", ret);
    exit(0);
}
