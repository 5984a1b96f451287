/* SPDX-License-Identifier: MIT */
#include "attack_victim.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/local/socket.h"
#include "witness.h"

#define HANG 30000000000ULL

/* -------------------------------------------------------------- victim -- */

static void take(struct victim *v, struct vmring *ring,
                 const struct vmring_event *event)
{
    struct xen_vm_ring_response response;
    unsigned int number = (unsigned int)(event->rec.u.words[0] >> 32);
    int err;

    v->events++;
    CLAIM(v, event->lane < V_VCPUS && event->rec.vcpu == event->lane,
          "lane %u, vCPU %u", event->lane, event->rec.vcpu);
    CLAIM(v,
          event->rec.length == XEN_VM_RING_EVENT_HEAD ||
              event->rec.length == XEN_VM_RING_EVENT_FULL,
          "length %u", event->rec.length);
    if (!v->lies)
        CLAIM(v, witness_is_whole(&event->rec, number), "%u is torn", number);
    if (!event->seq)
        return;
    vmring_neutral(event, &response);
    err = vmring_respond(ring, event, &response);
    CLAIM(v, err == 0 || err == -ESTALE || v->lies, "%d", err);
}

static int session(struct victim *v, struct vmring *ring)
{
    int ret;

    for (;;) {
        struct vmring_event event;

        ret = vmring_next(ring, &event);
        v->calls++;
        if (ret < 0)
            break;
        if (ret == VMRING_NEXT_EVENT)
            take(v, ring, &event);
        else
            sleep_ns(10000); /* whatever is flipped need not ring */
        if (v->subscribes && v->asked == 1) {
            char error[128];

            v->asked =
                vmring_subscribe(ring, "cpuid", NULL, error, sizeof(error));
        }
    }
    return ret;
}

/* What is broken stays broken. */
static void check_sticky(struct victim *v, struct vmring *ring, int ret)
{
    struct vmring_stats stats = {.size = sizeof(stats)};
    struct vmring_event event;

    for (int i = 0; i < 3 && ret == -EPROTO; i++)
        CLAIM(v, vmring_next(ring, &event) == -EPROTO, "%d", i);
    CHECK_EQ(vmring_get_stats(ring, &stats), 0);
    v->rejected = stats.rejected;
}

static void victim(struct victim *v)
{
    struct vmring_opts opts = {.size = sizeof(opts), .nr_groups = 2};
    char uri[128];

    snprintf(uri, sizeof(uri), "local:%s", v->path);
    while (!v->quit) {
        struct vmring *ring;
        int ret;

        v->fds = open_descriptors();
        v->maps = mapped_regions();
        v->asked = 1;
        opts.timeout_ms = v->timeout_ms;
        opts.loss_policy = v->policy;
        v->open_end = vmring_open(uri, &opts, &ring);
        if (v->open_end) {
            v->end = v->open_end;
        } else {
            v->sessions++;
            ret = session(v, ring);
            check_sticky(v, ring, ret);
            vmring_close(ring);
            v->end = ret;
        }
        /* Until the other side has seen what came of it. */
        while (v->end && !v->quit)
            sleep_ns(20000);
    }
}

pid_t victim_start(struct evil *evil)
{
    struct victim *v = mmap(NULL, sizeof(*v), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct sockaddr_un addr;
    pid_t pid;

    CHECK(v != MAP_FAILED);
    *evil =
        (struct evil){.v = v, .control = -1, .seed = (unsigned int)now_ns()};
    evil->p = evil->c = REGION_NONE;
    wired_path(v->path);
    v->timeout_ms = 30000;
    CHECK_EQ(socket_address(v->path, &addr), 0);
    evil->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK(evil->listener >= 0);
    CHECK_EQ(bind(evil->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    CHECK_EQ(listen(evil->listener, 8), 0);
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_TIMERSLACK, 1000);
        close(evil->listener);
        victim(v);
        exit(0);
    }
    return pid;
}

unsigned int victim_end(struct evil *evil, pid_t pid)
{
    struct victim *v = evil->v;
    uint64_t until = now_ns() + HANG;
    unsigned int violations;
    int status = -1;

    evil_hang_up(evil);
    v->quit = 1;
    close(evil->listener); /* whoever still waits there is turned away */
    while (waitpid(pid, &status, WNOHANG) != pid) {
        if (now_ns() > until)
            kill(pid, SIGKILL);
        sleep_ns(100000);
    }
    CLAIM(v, status == 0, "the victim's end: 0x%x", status);
    violations = v->violations;
    place_drop(v->path);
    munmap(v, sizeof(*v));
    return violations;
}

void victim_goes_on(struct evil *evil, unsigned int calls)
{
    struct victim *v = evil->v;
    unsigned long from = v->calls;
    uint64_t until = now_ns() + HANG;

    while (v->calls < from + calls && !v->end) {
        if (now_ns() > until) {
            CLAIM(v, now_ns() < until, "the consumer is held");
            exit(1);
        }
        sleep_ns(20000);
    }
}

int victim_ends(struct evil *evil)
{
    uint64_t until = now_ns() + HANG;

    while (!evil->v->end && now_ns() < until)
        sleep_ns(20000);
    CLAIM(evil->v, evil->v->end, "the session does not end");
    return evil->v->end;
}

/* ---------------------------------------------------------------- evil -- */

void evil_hang_up(struct evil *evil)
{
    if (evil->control < 0)
        return;
    close(evil->control);
    evil->control = -1;
    for (unsigned int i = 0; i < evil->nr_bells; i++)
        if (evil->bells[i] >= 0)
            close(evil->bells[i]);
    region_drop(&evil->p);
    region_drop(&evil->c);
    free(evil->memory);
    while (evil->nr_before)
        region_drop(&evil->before[--evil->nr_before]);
}

/* Between sessions it has what it had before the first. */
static void check_leaks(struct victim *v)
{
    static int fds;

    if (!fds)
        fds = v->fds;
    CLAIM(v, v->fds == fds, "%d descriptors, not %d", v->fds, fds);
    CLAIM(v, v->maps == 0, "%d regions", v->maps);
}

static void answer_with(struct evil *evil, const int *theirs)
{
    struct vmring_local_accept answer = {
        .body =
            {
                .magic = XEN_VM_RING_MAGIC,
                .length = sizeof(answer.body),
                .version = XEN_VM_RING_VERSION,
                .async_len = evil->geo.nr_records * evil->geo.nr_lanes *
                             evil->geo.record_len,
                .arch = evil->geo.arch,
                .record_len = evil->geo.record_len,
                .policy = evil->geo.loss_policy,
                .nr_groups = evil->geo.nr_groups,
                .p_len = evil->p.len,
                .c_len = evil->c.len,
                .nr_vcpus = V_VCPUS,
                .epoch = 1,
            },
        .target = "evil",
    };
    int fds[VMRING_LOCAL_MAX_FDS];
    unsigned int nr = 0;

    fds[nr++] = evil->p.fd;
    fds[nr++] = evil->c.fd;
    for (unsigned int i = 0; i < evil->nr_before; i++) {
        answer.body.prev_p_len[i] = evil->before[i].len;
        fds[nr++] = evil->before[i].fd;
    }
    for (unsigned int i = 0; i < evil->nr_bells; i++)
        fds[nr++] = theirs[i];
    CHECK_EQ(socket_send(evil->control, VMRING_LOCAL_ACCEPT, &answer,
                         sizeof(answer), fds, nr),
             0);
}

/* Its next connection that asks for this policy; its proposal is read. */
static void await_proposal(struct evil *evil, uint64_t until)
{
    struct victim *v = evil->v;
    unsigned char proposal[512];

    v->end = 0;
    for (;;) {
        evil->control = accept4(evil->listener, NULL, NULL, SOCK_CLOEXEC);
        CHECK(evil->control >= 0);
        CHECK_EQ(socket_wait(evil->control, 30000), 0);
        CHECK(recv(evil->control, proposal, sizeof(proposal), 0) > 0);
        if (v->policy == evil->policy)
            return;
        /* It would not take what it has not asked for. */
        v->policy = evil->policy;
        close(evil->control);
        while (!v->end && now_ns() < until)
            sleep_ns(20000);
        v->end = 0;
    }
}

/* Regions, and a core's producer over them. */
static void make_ring(struct evil *evil)
{
    evil->geo = (struct vmr_geometry){.epoch = 1,
                                      .nr_vcpus = V_VCPUS,
                                      .nr_lanes = V_VCPUS,
                                      .nr_groups = 2,
                                      .minor = XEN_VM_RING_VERSION_MINOR,
                                      .record_len = 448,
                                      .loss_policy = evil->policy,
                                      .arch = XEN_VM_RING_ARCH_X86};
    CHECK(vmr_geometry_lay_out(&evil->geo, V_VCPUS * 4 * 448));
    CHECK_EQ(
        region_make(&evil->p, "vmring-p", evil->geo.p_len, !evil->unsealed), 0);
    CHECK_EQ(region_make(&evil->c, "vmring-c", evil->geo.c_len, 0), 0);
    vmr_geometry_publish(&evil->geo, evil->p.at);
    evil->memory = calloc(1, vmr_producer_size(V_VCPUS, V_VCPUS));
    CHECK(evil->memory);
    vmr_producer_init(&evil->tx, evil->memory, V_VCPUS, V_VCPUS);
    vmr_producer_attach(&evil->tx, &evil->geo, evil->p.at, evil->c.at);
}

void evil_attach(struct evil *evil)
{
    struct victim *v = evil->v;
    unsigned long sessions = v->sessions;
    uint64_t until = now_ns() + HANG;
    int theirs[2];

    await_proposal(evil, until);
    check_leaks(v);
    make_ring(evil);
    for (evil->nr_bells = 0; evil->nr_bells < 2; evil->nr_bells++) {
        int ends[2];

        CHECK_EQ(doorbell_make(ends), 0);
        evil->bells[evil->nr_bells] = ends[0];
        theirs[evil->nr_bells] = ends[1];
    }
    if (evil->before_answer)
        evil->before_answer(evil);
    answer_with(evil, theirs);
    close(theirs[0]);
    close(theirs[1]);
    while (v->sessions == sessions && !v->end && now_ns() < until)
        sleep_ns(20000);
}

static void ring(struct evil *evil, uint64_t groups)
{
    for (unsigned int g = 0; g < evil->nr_bells; g++)
        if ((groups & 1ULL << g) && evil->bells[g] >= 0)
            doorbell_ring(evil->bells[g]);
}

void evil_ring(struct evil *evil)
{
    ring(evil, ~0ULL);
}

void evil_traffic(struct evil *evil, unsigned int rounds)
{
    struct vmr_verdict verdict;

    while (rounds--) {
        for (uint32_t v = 0; v < V_VCPUS; v++) {
            struct xen_vm_ring_event event =
                witness_event(XEN_VM_RING_REASON_MOV_TO_MSR, v, ++evil->number);
            struct vmr_request request = {.deadline = VMR_NO_DEADLINE};

            (void)vmr_producer_push(&evil->tx, v, &event);
            request.event = witness_event(XEN_VM_RING_REASON_WRITE_CTRLREG, v,
                                          evil->number);
            (void)vmr_producer_post(&evil->tx, &request);
        }
        ring(evil, vmr_producer_flush(&evil->tx));
        while (vmr_producer_collect(&evil->tx, 0, &verdict))
            ;
        (void)vmr_producer_arm(&evil->tx);
    }
}

struct again {
    struct evil *evil;
    void (*fn)(struct evil *evil);
    int stop;
};

static void *call_again(void *arg)
{
    struct again *again = arg;

    do
        again->fn(again->evil);
    while (!__atomic_load_n(&again->stop, __ATOMIC_RELAXED));
    return NULL;
}

void evil_again(struct evil *evil, void (*fn)(struct evil *evil),
                unsigned int calls)
{
    struct again again = {evil, fn, 0};
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, call_again, &again), 0);
    victim_goes_on(evil, calls);
    __atomic_store_n(&again.stop, 1, __ATOMIC_RELAXED);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* ---------------------------------------------------------------- acts -- */

static void perform(struct evil *e, const struct act *act)
{
    struct victim *v = e->v;
    unsigned int violations = v->violations;
    unsigned long calls;
    bool lies = act->policy || act->again;

    v->subscribes = 0;
    v->timeout_ms = act->asked == -ETIMEDOUT ? 500 : 30000;
    v->lies = lies || act->unsealed;
    e->policy = act->policy;
    e->unsealed = act->unsealed;
    if (act->before)
        act->before(e);
    evil_attach(e);
    calls = v->calls;
    CLAIM(v, v->sessions, "%s: %d", act->name, v->end);
    if (act->once)
        act->once(e);
    if (act->again)
        evil_again(e, act->again, 300);
    evil_ring(e);
    if (act->end == GOES_ON || act->end == ANYHOW) {
        victim_goes_on(e, 20);
        CLAIM(v, v->end == 0 || (v->end == -EPROTO && act->end == ANYHOW),
              "%s: %d", act->name, v->end);
    } else {
        CLAIM(v, victim_ends(e) == act->end, "%s: %d, not %d", act->name,
              v->end, act->end);
    }
    if (act->asked)
        CLAIM(v, v->asked == act->asked, "%s: %d", act->name, v->asked);
    CLAIM(v, v->calls > calls || v->end, "%s", act->name);
    evil_hang_up(e);
    victim_ends(e);
    if (v->violations != violations)
        fprintf(stderr, "that was: %s\n", act->name);
}

int victim_meets(const struct act *acts, size_t nr, bool verbose)
{
    struct evil evil;
    pid_t pid = victim_start(&evil);

    for (size_t i = 0; i < nr && !evil.v->violations; i++) {
        uint64_t began = now_ns();

        perform(&evil, &acts[i]);
        if (verbose)
            printf("%6.1f ms  %s\n", (double)(now_ns() - began) / 1e6,
                   acts[i].name);
    }
    printf("%zu acts, %lu sessions, %lu calls\n", nr, evil.v->sessions,
           evil.v->calls);
    return victim_end(&evil, pid) != 0;
}
