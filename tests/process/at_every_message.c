/* SPDX-License-Identifier: MIT */
/*
 * Description: a peer that stalls, lies or leaves at any message of the control
 * channel costs the other side no time beyond what is documented, no CPU while
 * nothing comes, no memory and no descriptor.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "transport/local/socket.h"
#include "wired.h"

#define MS         1000000ULL
#define TIMEOUT_MS 300
/* Of CPU: who spins takes the whole timeout. */
#define SPUN_MS  (TIMEOUT_MS * 5 / 6)
#define SLACK_MS 3000 /* of a machine that has other things to do */
#define KEPT_KIB 4096 /* what malloc() may keep */

/* Where it happens; and what. */
enum step { AT_PROPOSE, AT_SUPPORTED, AT_SUBSCRIBE, AT_COUNT, AT_QUIESCE, END };
enum deed { STALL, LEAVE, SHUT, OTHER, SHORT, NOISE, ENDLESS, NR_DEEDS };

static const char *const steps[] = {"proposal", "question for support",
                                    "subscription", "count", "quiesce"};
static const char *const deeds[] = {"stalls",     "leaves",    "shuts",
                                    "says other", "says less", "says noise",
                                    "says no end"};

static char path[96], uri[128];

static uint64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

static uint64_t cpu_of(pid_t pid)
{
    struct timespec ts;
    clockid_t clock;

    CHECK_EQ(clock_getcpuclockid(pid, &clock), 0);
    CHECK_EQ(clock_gettime(clock, &ts), 0);
    return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

static long rss_kib(pid_t pid)
{
    char name[64], line[256];
    long kib = -1;
    FILE *status;

    snprintf(name, sizeof(name), "/proc/%d/status", (int)pid);
    status = fopen(name, "re");
    CHECK(status);
    while (fgets(line, sizeof(line), status))
        (void)sscanf(line, "VmRSS: %ld", &kib);
    fclose(status);
    CHECK(kib >= 0);
    return kib;
}

static int fds_of(pid_t pid)
{
    char name[64];
    DIR *dir;
    int nr = 0;

    snprintf(name, sizeof(name), "/proc/%d/fd", (int)pid);
    dir = opendir(name);
    CHECK(dir);
    while (readdir(dir))
        nr++;
    closedir(dir);
    return nr;
}

/* ------------------------------------------------ a consumer that is honest */

/* What became of it; how long its longest call took. */
struct report {
    volatile uint64_t longest, cpu;
    volatile long grown_kib;
    volatile int fds_more;
};

static struct report *report;

static void timed(uint64_t from)
{
    uint64_t took = now() - from;

    if (took > report->longest)
        report->longest = took;
}

#define TIMED(call)                                                            \
    do {                                                                       \
        uint64_t timed_from = now();                                           \
                                                                               \
        (void)(call);                                                          \
        timed(timed_from);                                                     \
    } while (0)

static void wait_quiet(struct vmring *ring)
{
    uint64_t until = now() + TIMEOUT_MS * MS;
    struct vmring_event event;

    while (now() < until) {
        struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};
        int ret = 0;

        TIMED(ret = vmring_next(ring, &event));
        if (ret < 0)
            return;
        (void)poll(&pfd, 1, 50);
    }
}

static void session(void)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = TIMEOUT_MS};
    struct vmring_count *counts = NULL;
    struct vmring *ring;
    uint64_t kinds, from = now();
    char error[256];
    int err = vmring_open(uri, &opts, &ring);

    timed(from);
    if (err)
        return;
    TIMED(vmring_supported(ring, &kinds));
    TIMED(vmring_subscribe(ring, "cpuid", NULL, error, sizeof(error)));
    TIMED(vmring_counts(ring, &counts));
    TIMED(vmring_quiesce(ring));
    wait_quiet(ring);
    TIMED(vmring_close(ring));
    free(counts);
}

static void consume(void)
{
    long kib = rss_kib(getpid());
    int fds = fds_of(getpid());
    struct rusage used;

    session();
    CHECK_EQ(getrusage(RUSAGE_SELF, &used), 0);
    report->cpu =
        (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 * MS +
        (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
    report->grown_kib = rss_kib(getpid()) - kib;
    report->fds_more = fds_of(getpid()) - fds;
}

/* ------------------------------------------------- and its producer, by hand
 */

struct evil {
    struct wired_producer wired;
    int control; /* of it */
    enum step step;
    enum deed deed;
    uint32_t next; /* row of its counts without end */
};

static const struct {
    uint32_t asked, answer;
    size_t len;
} exchange[] = {
    [AT_PROPOSE] = {VMRING_LOCAL_PROPOSE, VMRING_LOCAL_ACCEPT,
                    sizeof(struct vmring_local_accept)},
    [AT_SUPPORTED] = {VMRING_LOCAL_SUPPORTED, VMRING_LOCAL_SUPPORT,
                      sizeof(struct vmring_local_support)},
    [AT_SUBSCRIBE] = {VMRING_LOCAL_SUBSCRIBE, VMRING_LOCAL_SUBSCRIBED,
                      sizeof(struct vmring_local_subscribed)},
    [AT_COUNT] = {VMRING_LOCAL_COUNT, VMRING_LOCAL_COUNTS,
                  offsetof(struct vmring_local_counts, rows)},
    [AT_QUIESCE] = {VMRING_LOCAL_QUIESCE, VMRING_LOCAL_QUIET, 0},
};

static void answer_as_one_should(struct evil *evil, enum step step)
{
    static struct vmring_local_counts none = {.next = VMRING_LOCAL_NO_MORE};
    static struct vmring_local_subscribed subscribed = {.nr = 1};
    static struct vmring_local_support support;
    const void *bodies[] = {NULL, &support, &subscribed, &none, NULL};

    if (step == AT_PROPOSE)
        wired_hand_over(&evil->wired, 4);
    else
        (void)socket_send(evil->control, exchange[step].answer, bodies[step],
                          exchange[step].len, NULL, 0);
}

/* As long as it is listened to. */
static void say_no_end(struct evil *evil)
{
    struct vmring_local_counts more = {.next = ++evil->next};
    struct pollfd pfd = {evil->control, POLLRDHUP, 0};

    if (evil->step == AT_COUNT) {
        pause_ms(TIMEOUT_MS * 2 / 3);
        (void)socket_send(evil->control, VMRING_LOCAL_COUNTS, &more,
                          offsetof(struct vmring_local_counts, rows), NULL, 0);
        return;
    }
    while (poll(&pfd, 1, 0) == 0)
        (void)socket_send(evil->control, VMRING_LOCAL_QUIET, NULL, 0, NULL, 0);
}

/* false: there will be no more of it. */
static bool commit(struct evil *evil)
{
    unsigned char noise[sizeof(struct vmring_local_subscribed)];
    uint32_t type = exchange[evil->step].answer;
    size_t len = exchange[evil->step].len;

    memset(noise, 0xa5, sizeof(noise));
    switch (evil->deed) {
    case LEAVE:
        return false;
    case SHUT:
        CHECK_EQ(shutdown(evil->control, SHUT_WR), 0);
        return true;
    case OTHER:
        (void)socket_send(evil->control, VMRING_LOCAL_PROPOSE, NULL, 0, NULL,
                          0);
        return true;
    case SHORT:
        (void)socket_send(evil->control, type, noise, len / 2, NULL, 0);
        return true;
    case NOISE:
        (void)socket_send(evil->control, type, noise, len, NULL, 0);
        return true;
    case ENDLESS:
        say_no_end(evil);
        return true;
    default:
        return true;
    }
}

static enum step step_of(uint32_t type)
{
    enum step step = AT_PROPOSE;

    while (step < END && exchange[step].asked != type)
        step++;
    return step;
}

static void produce(struct evil *evil)
{
    unsigned char body[VMRING_LOCAL_MAX];
    uint32_t type;

    while (socket_wait(evil->control, 30000) == 0) {
        enum step step;

        if (socket_recv(evil->control, &type, body, sizeof(body) - 8, NULL, 0,
                        NULL) < 0)
            return;
        step = step_of(type);
        if (step == END)
            continue;
        if (step != evil->step)
            answer_as_one_should(evil, step);
        else if (!commit(evil))
            return;
    }
}

static void meet_producer(const struct wired_producer *wired, enum step step,
                          enum deed deed)
{
    struct evil evil = {.wired = *wired, .step = step, .deed = deed};
    uint64_t limit = (TIMEOUT_MS + SLACK_MS) * MS;
    int status;
    pid_t pid;

    memset(report, 0, sizeof(*report));
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(wired->listener);
        consume();
        exit(0);
    }
    wired_accept(&evil.wired);
    evil.control = evil.wired.control;
    produce(&evil);
    wired_hang_up(&evil.wired);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
    if (report->longest > limit || report->grown_kib > KEPT_KIB ||
        report->fds_more || (deed != ENDLESS && report->cpu > SPUN_MS * MS))
        fprintf(stderr,
                "a producer that %s at a %s: %llu ms in a call, %llu ms of "
                "CPU, %ld KiB and %d descriptors more\n",
                deeds[deed], steps[step],
                (unsigned long long)(report->longest / MS),
                (unsigned long long)(report->cpu / MS), report->grown_kib,
                report->fds_more);
    CHECK(report->longest <= limit);
    CHECK(deed == ENDLESS || report->cpu <= SPUN_MS * MS);
    CHECK(report->grown_kib <= KEPT_KIB);
    CHECK_EQ(report->fds_more, 0);
}

static void every_producer(void)
{
    struct wired_producer wired;

    wired_listen(&wired, path);
    for (enum step step = AT_PROPOSE; step < END; step++)
        for (enum deed deed = STALL; deed < NR_DEEDS; deed++)
            meet_producer(&wired, step, deed);
    wired_unlisten(&wired, path);
}

/* --------------------------------- a producer that is honest, and consumers */

#define MAX_HELD 64

static int held[MAX_HELD]; /* the C of each session that is over */
static unsigned int nr_held;

/* Those before the step, as one should; how many descriptors it got. */
static void ask_until(int control, enum step step)
{
    struct xen_vm_ring_propose propose = wired_propose();
    struct vmring_local_count from = {0};
    const void *bodies[] = {&propose, NULL, "cpuid", &from, NULL};
    const size_t lens[] = {sizeof(propose), 0, 5, sizeof(from), 0};
    unsigned char answer[VMRING_LOCAL_MAX];
    uint32_t type;

    for (enum step at = AT_PROPOSE; at < step; at++) {
        int fds[VMRING_LOCAL_MAX_FDS];
        unsigned int nr = 0;

        CHECK_EQ(socket_send(control, exchange[at].asked, bodies[at], lens[at],
                             NULL, 0),
                 0);
        CHECK_EQ(socket_wait(control, 30000), 0);
        CHECK(socket_recv(control, &type, answer, sizeof(answer) - 8, fds,
                          VMRING_LOCAL_MAX_FDS, &nr) >= 0);
        CHECK_EQ(type, exchange[at].answer);
        if (nr > 1 && nr_held < MAX_HELD) {
            held[nr_held++] = fds[1];
            fds[1] = -1;
        }
        while (nr--)
            if (fds[nr] >= 0)
                close(fds[nr]);
    }
}

static void commit_as_consumer(int control, enum step step, enum deed deed)
{
    unsigned char noise[256];
    int fds[60];

    memset(noise, 0xa5, sizeof(noise));
    switch (deed) {
    case SHUT:
        CHECK_EQ(shutdown(control, SHUT_RDWR), 0);
        break;
    case OTHER:
        (void)socket_send(control, 99, NULL, 0, NULL, 0);
        break;
    case SHORT:
        CHECK_EQ(send(control, "x", 1, MSG_NOSIGNAL), 1);
        break;
    case NOISE:
        for (int i = 0; i < 60; i++)
            fds[i] = control;
        (void)socket_send(control, exchange[step].asked, noise, sizeof(noise),
                          fds, 60);
        break;
    case ENDLESS:
        for (int i = 0; i < 2000; i++)
            (void)socket_send(control, exchange[step].asked, "cpuid", 5, NULL,
                              0);
        break;
    default:
        break;
    }
}

static void meet_consumer(pid_t server, enum step step, enum deed deed)
{
    int control = wired_connect(path);
    uint64_t cpu;

    CHECK_EQ(fcntl(control, F_SETFL, O_NONBLOCK), 0);
    ask_until(control, step);
    commit_as_consumer(control, step, deed);
    if (deed == LEAVE)
        close(control);
    pause_ms(50);
    cpu = cpu_of(server);
    pause_ms(200);
    cpu = cpu_of(server) - cpu;
    if (cpu > 100 * MS)
        fprintf(stderr, "a consumer that %s at a %s: %llu ms of CPU\n",
                deeds[deed], steps[step], (unsigned long long)(cpu / MS));
    CHECK(cpu <= 100 * MS);
    if (deed != LEAVE)
        close(control);
    wired_check_alive(path, 0);
}

static void check_nothing_held(void)
{
    CHECK(nr_held > 0);
    for (unsigned int i = 0; i < nr_held; i++) {
        struct stat st;

        CHECK_EQ(fstat(held[i], &st), 0);
        CHECK_EQ(st.st_blocks, 0);
        close(held[i]);
    }
}

static void every_consumer(void)
{
    struct vmring_producer_opts opts = wired_opts();
    pid_t server = wired_serve(path, &opts, 0);
    long kib;
    int fds, most;

    wired_check_alive(path, 0);
    pause_ms(100);
    kib = rss_kib(server);
    fds = fds_of(server);
    for (enum step step = AT_PROPOSE; step < END; step++)
        for (enum deed deed = STALL; deed < NR_DEEDS; deed++)
            meet_consumer(server, step, deed);
    /* The frozen Ps of consumers that left without a word. */
    most = fds + 2 * XEN_VM_RING_MAX_PREV;
    /* It may not have got round to the last ones yet. */
    for (int i = 0;
         i < 300 && (rss_kib(server) > kib + KEPT_KIB || fds_of(server) > most);
         i++)
        pause_ms(100);
    if (rss_kib(server) > kib + KEPT_KIB || fds_of(server) > most)
        fprintf(stderr, "%ld KiB more, %d descriptors more\n",
                rss_kib(server) - kib, fds_of(server) - fds);
    CHECK(rss_kib(server) <= kib + KEPT_KIB);
    CHECK(fds_of(server) <= most);
    check_nothing_held();
    wired_end(server);
}

int main(void)
{
    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(report != MAP_FAILED);
    wired_path(path);
    snprintf(uri, sizeof(uri), "local:%s", path);
    every_producer();
    every_consumer();
    place_drop(path);
    return 0;
}
