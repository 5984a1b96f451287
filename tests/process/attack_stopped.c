/* SPDX-License-Identifier: MIT */
/*
 * Description: either side is stopped, by SIGSTOP, in each of its states: the
 * other goes on, a second consumer is told what is so, and afterwards the
 * stopped one goes on or its successor attaches.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

/* By hand, as the library does both in one call. */
enum { CONNECTED = NR_PHASES, ACCEPTED };

static const struct stop {
    const char *name;
    int phase;
    unsigned int leave;
    bool attached; /* a second one is told -EBUSY */
} stops[] = {
    {"before it connects", P_ATTACHING, 0, false},
    {"before it proposes", CONNECTED, 0, false},
    {"when it is accepted", ACCEPTED, 0, true},
    {"draining frozen Ps", P_DRAINING, 0, true},
    {"holding a request", P_REQUEST, 0, true},
    {"having answered", P_ANSWERED, 0, true},
    {"in the middle of records", P_RECORD, 0, true},
    {"armed", P_ASLEEP, 0, true},
    {"when it detaches", P_DETACHING, 30, true},
    {"detached", P_DETACHED, 30, false},
};

#define NR (sizeof(stops) / sizeof(stops[0]))

static void stop_by_hand(struct witness *w, int state)
{
    struct hostile h;
    int fd;

    if (state == CONNECTED) {
        fd = wired_connect(w->path);
        raise(SIGSTOP);
        close(fd);
    } else {
        hostile_attach(&h, w, XEN_VM_RING_POLICY_DISCARD);
        raise(SIGSTOP);
        hostile_traffic(&h, 100);
    }
    w->phase = P_DETACHED;
}

static pid_t start(struct witness *w, const struct stop *stop)
{
    struct conduct conduct = {
        .seed = 1, .leave = stop->leave, .stop_in = stop->phase};
    pid_t pid;

    if (stop->phase < NR_PHASES)
        return consumer_start(w, &conduct);
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        stop_by_hand(w, stop->phase);
        exit(0);
    }
    return pid;
}

static bool await_stop(struct witness *w, pid_t pid)
{
    uint64_t until = now_ns() + 30000000000ULL;
    int status = 0;

    while (waitpid(pid, &status, WNOHANG | WUNTRACED) != pid &&
           now_ns() < until)
        sleep_ns(50000);
    WITNESS(w, WIFSTOPPED(status), "status 0x%x", status);
    return WIFSTOPPED(status);
}

/* While it is stopped. */
static void check_others(struct witness *w, const struct stop *stop)
{
    struct conduct conduct = {.seed = 1};
    struct vmring *ring;
    int err;

    goes_on(w, 30);
    if (!stop->attached) {
        check_alive(w, stop->name);
        return;
    }
    ring = consumer_open(w, &conduct, &err);
    WITNESS(w, !ring && err == -EBUSY, "%s: %d", stop->name, err);
    vmring_close(ring);
    goes_on(w, 30);
}

/* Some records that nobody has read, so that there is something to drain. */
static void leave_some(struct witness *w)
{
    struct hostile h;

    hostile_attach(&h, w, XEN_VM_RING_POLICY_DISCARD);
    goes_on(w, 10);
    hostile_leave(&h);
}

static void perform(struct witness *w, const struct stop *stop, bool killed)
{
    unsigned int violations = w->violations;
    unsigned long sessions;
    pid_t pid;

    leave_some(w);
    pid = start(w, stop);
    if (!await_stop(w, pid))
        return;
    check_others(w, stop);
    sessions = w->sessions;
    if (!killed) {
        int from = w->phase;
        uint64_t until = now_ns() + 30000000000ULL;

        kill(pid, SIGCONT);
        while (w->phase == from && w->sessions == sessions && now_ns() < until)
            sleep_ns(50000);
        WITNESS(w, w->phase != from || w->sessions != sessions,
                "%s: it does not go on", stop->name);
        goes_on(w, 10);
    }
    kill(pid, SIGKILL);
    (void)reap(w, pid);
    check_after(w, stop->name);
    if (w->violations != violations)
        fprintf(stderr, "that was: %s, %s\n", stop->name,
                killed ? "killed" : "continued");
}

/* The producer is stopped: no call of its consumer waits for longer. */
static void stop_producer(struct witness *w, pid_t source)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = 100};
    struct conduct conduct = {.seed = 1};
    struct vmring *ring, *second;
    char uri[128], error[128];
    uint64_t mask;
    int ret = 0;

    snprintf(uri, sizeof(uri), "local:%s", w->path);
    while (!(ring = consumer_open(w, &conduct, &ret)) && ret == -EBUSY)
        sleep_ns(50000);
    CHECK(ring);
    for (int i = 0; i < 50; i++)
        (void)consumer_turn(w, &conduct, ring, &ret);
    kill(source, SIGSTOP);
    CHECK(await_stop(w, source));
    for (int i = 0; i < 1000; i++)
        (void)consumer_turn(w, &conduct, ring, &ret);
    WITNESS(w, ret == 0, "vmring_next: %d", ret);
    WITNESS(w, vmring_open(uri, &opts, &second) == -ETIMEDOUT, "it attached");
    vmring_flush(ring);
    WITNESS(w, vmring_quiesce(ring) == 0, "a request");
    vmring_close(ring);
    /* One that asks gives up, and says so from then on. */
    kill(source, SIGCONT);
    while ((ret = vmring_open(uri, &opts, &ring)) == -EBUSY ||
           ret == -ETIMEDOUT)
        sleep_ns(50000);
    CHECK_EQ(ret, 0);
    kill(source, SIGSTOP);
    CHECK(await_stop(w, source));
    ret = vmring_subscribe(ring, "cpuid", NULL, error, sizeof(error));
    WITNESS(w, ret == -ETIMEDOUT, "vmring_subscribe: %d", ret);
    ret = vmring_supported(ring, &mask);
    WITNESS(w, ret == -ECONNRESET, "vmring_supported: %d", ret);
    vmring_close(ring);
    kill(source, SIGCONT);
    check_after(w, "a stopped producer");
}

int main(void)
{
    struct witness *w;
    pid_t source;

    w = attack_scene(&source);
    check_after(w, "the start");
    for (size_t i = 0; i < 2 * NR && !w->violations; i++)
        perform(w, &stops[i / 2], i % 2);
    stop_producer(w, source);
    printf("%zu states, killed and continued; and the producer\n", NR);
    return attack_end(w, source) != 0;
}
