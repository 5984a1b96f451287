/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process/place.h"

void sleep_us(unsigned int us)
{
    struct timespec ts = {us / 1000000, (long)(us % 1000000) * 1000};

    while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
        ;
}

unsigned long now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (unsigned long)ts.tv_sec * 1000000 +
           (unsigned long)ts.tv_nsec / 1000;
}

void wait_for(volatile int *word, const char *what)
{
    for (int i = 0; !*word; i++) {
        if (i == 20000) {
            fprintf(stderr, "waited 20 s for %s\n", what);
            exit(1);
        }
        sleep_us(1000);
    }
}

int reap(pid_t pid)
{
    int status;

    for (int i = 0; i < 20000; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        sleep_us(1000);
    }
    fprintf(stderr, "process %d has not ended in 20 s\n", (int)pid);
    kill(pid, SIGKILL);
    exit(1);
}

/* ----------------------------------------------------------- producer -- */

/* Which request a vCPU waits for; 0: none. */
static unsigned int waiting[VCPUS];

static struct xen_vm_ring_event
make_event(unsigned int reason, unsigned int vcpu, unsigned int number)
{
    struct xen_vm_ring_event event = {
        .reason = (uint16_t)reason,
        .vcpu = (uint16_t)vcpu,
        .length = XEN_VM_RING_EVENT_HEAD,
    };

    for (int i = 0; i < 4; i++)
        event.u.words[i] = number;
    return event;
}

static void raise_some(struct scene *scene, struct vmring_producer *producer)
{
    for (unsigned int v = 0; v < VCPUS; v++) {
        struct xen_vm_ring_event event;

        for (int i = 0; i < 2 && scene->pushed[v] < MAX_EVENTS - 1; i++) {
            unsigned int number = ++scene->pushed[v];
            int published;

            event = make_event(XEN_VM_RING_REASON_MOV_TO_MSR, v, number);
            published = vmring_producer_push(producer, v, &event);
            CHECK(published >= 0);
            if (published)
                __atomic_fetch_or(&scene->records[v][number], PUBLISHED,
                                  __ATOMIC_RELAXED);
        }
        if (waiting[v] || scene->raised[v] == MAX_EVENTS - 1)
            continue;
        waiting[v] = ++scene->raised[v];
        event = make_event(XEN_VM_RING_REASON_CPUID, v, waiting[v]);
        CHECK_EQ(vmring_producer_post(producer, &event,
                                      (uint64_t)v << 32 | waiting[v]),
                 0);
    }
    vmring_producer_flush(producer);
}

static void note(void *ctx, const struct vmring_verdict *verdict)
{
    struct scene *scene = ctx;
    unsigned int v = (unsigned int)(verdict->cookie >> 32);
    unsigned int number = (unsigned int)verdict->cookie;

    if (v >= VCPUS || number >= MAX_EVENTS || waiting[v] != number ||
        verdict->event.u.words[3] != number ||
        (verdict->by == VMRING_BY_CONSUMER &&
         verdict->response.altp2m_idx != (uint16_t)number)) {
        scene->mistaken++;
        return;
    }
    scene->verdicts[v][number]++;
    scene->by[verdict->by]++;
    waiting[v] = 0;
}

static void produce(struct scene *scene)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .target = "scene",
        .nr_vcpus = VCPUS,
        .arch = XEN_VM_RING_ARCH_X86,
        .deadline_ns = (uint64_t)scene->deadline_ms * 1000000,
    };
    struct vmring_producer *producer;
    struct vmring_verdict verdict;
    char uri[128];

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    snprintf(uri, sizeof(uri), "local:%s", scene->path);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    scene->ready = 1;
    while (!scene->done || vmring_producer_attached(producer)) {
        struct pollfd pfd = {vmring_producer_fd(producer), POLLIN, 0};
        int timeout = vmring_producer_timeout(producer);

        if (!scene->stop && !scene->hold)
            raise_some(scene, producer);
        else if (scene->stop && !scene->done &&
                 !vmring_producer_pending(producer)) {
            scene->done = 1;
            vmring_producer_set_target_state(producer,
                                             XEN_VM_RING_TARGET_DESTROYED, 0);
        }
        if (timeout < 0 || timeout > 1)
            timeout = scene->paced || scene->stop || scene->hold ? 1 : 0;
        (void)poll(&pfd, 1, timeout);
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
        while (vmring_producer_collect(producer, &verdict) == 1)
            note(scene, &verdict);
    }
    scene->stats.size = sizeof(scene->stats);
    (void)vmring_producer_get_stats(producer, &scene->stats);
    vmring_producer_close(producer, note, scene);
}

struct scene *scene_make(int deadline_ms, int paced, pid_t *producer)
{
    struct scene *scene = mmap(NULL, sizeof(*scene), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(scene != MAP_FAILED);
    scene->deadline_ms = deadline_ms;
    scene->paced = paced;
    snprintf(scene->folder, sizeof(scene->folder), "/tmp/vmring-test-XXXXXX");
    CHECK(mkdtemp(scene->folder));
    snprintf(scene->path, sizeof(scene->path), "%s/ring", scene->folder);
    fflush(NULL);
    *producer = fork();
    CHECK(*producer >= 0);
    if (*producer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        produce(scene);
        exit(0);
    }
    wait_for(&scene->ready, "the producer");
    return scene;
}

void scene_drop(struct scene *scene)
{
    place_drop(scene->path);
    munmap(scene, sizeof(*scene));
}

/* ----------------------------------------------------------- consumer -- */

static void see(unsigned char *times, bool marked)
{
    if ((*times & SEEN_TIMES) && !marked)
        __atomic_fetch_or(times, SEEN_UNMARKED, __ATOMIC_RELAXED);
    if ((*times & SEEN_TIMES) < SEEN_TIMES)
        __atomic_fetch_add(times, 1, __ATOMIC_RELAXED);
}

static void take(struct scene *scene, struct vmring *ring, int what,
                 const struct vmring_event *event)
{
    bool marked = event->rec.flags & XEN_VM_RING_FLAG_REPOSTED;
    unsigned int v = event->rec.vcpu;
    unsigned int number = (unsigned int)event->rec.u.words[0];
    struct xen_vm_ring_response response;
    int err;

    CHECK(v < VCPUS && number > 0 && number < MAX_EVENTS);
    CHECK_EQ(event->rec.u.words[3], number);
    if (!event->seq) {
        CHECK_EQ(event->rec.reason, XEN_VM_RING_REASON_MOV_TO_MSR);
        CHECK_EQ(marked, event->epoch_mark);
        see(&scene->records[v][number], marked);
        scene->lost_before[v] += event->lost_before;
        return;
    }
    CHECK_EQ(event->rec.reason, XEN_VM_RING_REASON_CPUID);
    see(&scene->requests[v][number], marked);
    if (what == TAKE_ONLY)
        return;
    vmring_neutral(event, &response);
    response.altp2m_idx = (uint16_t)number;
    err = vmring_respond(ring, event, &response);
    CHECK(err == 0 || err == -ESTALE);
}

static void consume(struct scene *scene, const struct vmring_opts *opts,
                    int what, int end)
{
    struct vmring *ring;
    struct vmring_event event;
    char uri[128];
    int ret;

    snprintf(uri, sizeof(uri), "local:%s", scene->path);
    /* The predecessor's last answers may still be looked at. */
    for (int i = 0; (ret = vmring_open(uri, opts, &ring)) == -EBUSY; i++) {
        CHECK(i < 5000);
        sleep_us(1000);
    }
    CHECK_EQ(ret, 0);
    scene->attached = 1;
    while ((ret = vmring_next(ring, &event)) >= 0) {
        struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};

        if (ret == 0 || !event.epoch_mark)
            scene->settled = 1;
        if (ret == VMRING_NEXT_EVENT)
            take(scene, ring, what, &event);
        else
            (void)poll(&pfd, 1, -1);
    }
    CHECK_EQ(ret, end);
    vmring_close(ring);
}

pid_t consumer_start(struct scene *scene, const struct vmring_opts *opts,
                     int what, int end)
{
    pid_t pid;

    scene->attached = scene->settled = 0;
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        consume(scene, opts, what, end);
        exit(0);
    }
    return pid;
}

/* ------------------------------------------------------------- checks -- */

void check_requests(const struct scene *scene)
{
    CHECK_EQ(scene->mistaken, 0);
    for (unsigned int v = 0; v < VCPUS; v++) {
        for (unsigned int i = 1; i <= scene->raised[v]; i++) {
            CHECK_EQ(scene->verdicts[v][i], 1);
            CHECK(!(scene->requests[v][i] & SEEN_UNMARKED));
        }
    }
}

void check_records(const struct scene *scene)
{
    unsigned long missing = 0, spurious = 0, unmarked = 0;

    for (unsigned int v = 0; v < VCPUS; v++) {
        for (unsigned int i = 1; i <= scene->pushed[v]; i++) {
            unsigned char seen = scene->records[v][i];

            missing += (seen & PUBLISHED) && !(seen & SEEN_TIMES);
            spurious += !(seen & PUBLISHED) && (seen & SEEN_TIMES);
            unmarked += !!(seen & SEEN_UNMARKED);
        }
    }
    CHECK_EQ(missing, 0);
    CHECK_EQ(spurious, 0);
    CHECK_EQ(unmarked, 0);
}
