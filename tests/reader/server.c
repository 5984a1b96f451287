/* SPDX-License-Identifier: MIT */
/*
 * server.c: one session of a producer, from docs/BINDING-LOCAL.md.
 *
 * usage: server PATH VCPUS COUNT
 *
 * Each vCPU raises COUNT events: a CPUID every eighth, writes of CR3 else;
 * what is not armed is not raised.  Prints its ledger as JSON at the end.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

#define STAY_MS 10000 /* B14 */
#define TURN    32    /* events of a vCPU between two flushes */

static struct ring ring;
static int control;
static unsigned char body[VMRING_LOCAL_MAX];
static uint64_t count, raised[MAX_VCPUS];
static bool cr3, cr3_waits, cpuid; /* armed */
static bool quiescing, gone, has_ended;

_Noreturn void fail(const char *what)
{
    fprintf(stderr, "server: %s\n", what);
    exit(2);
}

uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* ------------------------------------------------------------- messages -- */

static void say_with(uint32_t type, const void *what, size_t len,
                     const int *fds, unsigned int nr)
{
    struct vmring_local_header header = {type,
                                         (uint32_t)(sizeof(header) + len)};
    struct iovec iov[2] = {{&header, sizeof(header)},
                           {(void *)(uintptr_t)what, len}};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(VMRING_LOCAL_MAX_FDS * sizeof(int))];
    } passed = {.bytes = {0}};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};

    if (nr) {
        struct cmsghdr *c = &passed.align;

        message.msg_control = passed.bytes;
        message.msg_controllen = CMSG_SPACE(nr * sizeof(int));
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(nr * sizeof(int));
        memcpy(CMSG_DATA(c), fds, nr * sizeof(int));
    }
    /* B6: who does not read is hung up on. */
    if (sendmsg(control, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        gone = true;
}

static void say(uint32_t type, const void *what, size_t len)
{
    say_with(type, what, len, NULL, 0);
}

/* The body's length; -1: nothing, or it has gone. */
static ssize_t hear(uint32_t *type)
{
    struct vmring_local_header header;
    struct iovec iov[2] = {{&header, sizeof(header)}, {body, sizeof(body) - 1}};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
    ssize_t len = recvmsg(control, &message, MSG_DONTWAIT);

    if (len < (ssize_t)sizeof(header) || header.length != (size_t)len) {
        struct pollfd pfd = {.fd = control};

        gone = gone || len >= 0 || poll(&pfd, 1, 0) > 0; /* B2, B4 */
        return -1;
    }
    *type = header.type;
    return len - (ssize_t)sizeof(header);
}

/* W4, of the little that this guest knows. */
static void subscribe(size_t len)
{
    struct vmring_local_subscribed answer = {.nr = 0};
    bool wants_cr3 = false, waits = true, wants_cpuid = false;

    body[len] = '\0';
    quiescing = false; /* B13 */
    for (char *word = strtok((char *)body, " ,\t\n"); word;
         word = strtok(NULL, " ,\t\n")) {
        unsigned char result = VMRING_LOCAL_ARMED;

        if (!strcmp(word, "cpuid") || !strcmp(word, "cpuid:sync")) {
            wants_cpuid = true;
        } else if (!strncmp(word, "cr3", 3)) {
            wants_cr3 = true;
            waits = strcmp(word, "cr3:async") != 0;
        } else {
            result = VMRING_LOCAL_UNSUPPORTED;
            snprintf(answer.text, sizeof(answer.text),
                     "this guest never raises it");
        }
        if (answer.nr < sizeof(answer.results))
            answer.results[answer.nr++] = result;
    }
    cr3 = wants_cr3 && !answer.text[0];
    cr3_waits = waits;
    cpuid = wants_cpuid && !answer.text[0];
    say(VMRING_LOCAL_SUBSCRIBED, &answer, sizeof(answer));
}

/* B10, B11. */
static void tell_counts(uint32_t from)
{
    static struct vmring_local_counts answer;
    uint32_t all = ring.header.nr_vcpus * NR_REASONS, i = from;

    (void)ring_collect(&ring, false);
    answer.nr = 0;
    for (; i < all && answer.nr < VMRING_LOCAL_MAX_ROWS; i++) {
        const struct tally *t =
            &ring.vcpus[i / NR_REASONS].tally[i % NR_REASONS];

        if (t->requests || t->records)
            answer.rows[answer.nr++] = (struct vmring_local_row){
                .vcpu = i / NR_REASONS,
                .reason = i % NR_REASONS,
                .requests = t->requests,
                .answered = t->answered,
                .defaulted = t->defaulted,
                .records = t->records,
                .discarded = t->discarded,
            };
    }
    answer.next = i < all ? i : VMRING_LOCAL_NO_MORE;
    say(VMRING_LOCAL_COUNTS, &answer, 8 + answer.nr * sizeof(answer.rows[0]));
}

static void message(uint32_t type, size_t len)
{
    struct vmring_local_support support = {1 << 1 | 1 << 5}; /* cr3, cpuid */
    struct vmring_local_count ask;

    if (type == VMRING_LOCAL_SUBSCRIBE) {
        subscribe(len);
    } else if (type == VMRING_LOCAL_COUNT && len == sizeof(ask)) {
        memcpy(&ask, body, sizeof(ask));
        tell_counts(ask.from);
    } else if (type == VMRING_LOCAL_SUPPORTED && !len) {
        say(VMRING_LOCAL_SUPPORT, &support, sizeof(support));
    } else if (type == VMRING_LOCAL_QUIESCE && !len) {
        cr3 = cpuid = false;
        quiescing = true;
    } else if (type != VMRING_LOCAL_DRAINED || len) {
        gone = true; /* DETACH, and what B4 has */
    }
}

/* --------------------------------------------------------------- attach -- */

static bool may_attach(void)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(control, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid()); /* B26 */
}

/* true: attached. */
static bool attach(void)
{
    struct vmring_local_accept answer = {.target = "reader"};
    int fds[2 + XEN_VM_RING_MAX_GROUPS];
    struct pollfd pfd = {.fd = control, .events = POLLIN};
    uint32_t type = 0;
    ssize_t len;

    if (poll(&pfd, 1, STAY_MS) <= 0 || (len = hear(&type)) < 0 ||
        type != VMRING_LOCAL_PROPOSE)
        return false;
    answer.body = negotiate(&ring, body, (size_t)len, may_attach());
    if (answer.body.result) {
        if (answer.body.result == XEN_VM_RING_REFUSED_PERMISSION)
            memset(answer.target, 0, sizeof(answer.target)); /* N4 */
        say(VMRING_LOCAL_ACCEPT, &answer, sizeof(answer));
        return false; /* B8 */
    }
    ring_make(&ring, &answer.body);
    fds[0] = ring.p_fd;
    fds[1] = ring.c_fd;
    for (uint32_t g = 0; g < ring.header.nr_groups; g++)
        fds[2 + g] = ring.theirs[g];
    say_with(VMRING_LOCAL_ACCEPT, &answer, sizeof(answer), fds,
             2 + ring.header.nr_groups);
    for (uint32_t g = 0; g < 2 + ring.header.nr_groups; g++)
        close(fds[g]);
    return !gone;
}

static int listen_at(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    strncpy(at.sun_path, path, sizeof(at.sun_path) - 1);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(fd, 8) < 0)
        fail("cannot serve");
    return fd;
}

/* ---------------------------------------------------------------- guest -- */

static void raise_one(uint32_t v)
{
    struct xen_vm_ring_event event = {
        .time = now_ns(), .vcpu = (uint16_t)v, .length = 64};
    bool is_cpuid = raised[v] % 8 == 7;

    event.reason =
        is_cpuid ? XEN_VM_RING_REASON_CPUID : XEN_VM_RING_REASON_WRITE_CTRLREG;
    raised[v]++;
    if (is_cpuid ? !cpuid : !cr3)
        return;
    if (is_cpuid) {
        event.u.cpuid.insn_len = 2;
    } else {
        event.u.write_ctrlreg.index = 1; /* CR3 */
        event.u.write_ctrlreg.new_value = raised[v];
    }
    if (!is_cpuid && !cr3_waits) {
        ring_push(&ring, v, &event);
        return;
    }
    event.flags = XEN_VM_RING_FLAG_VCPU_PAUSED;
    ring_post(&ring, v, &event);
}

/* true: something was raised. */
static bool run_guest(void)
{
    bool any = false;

    if (!cr3 && !cpuid)
        return false;
    for (uint32_t v = 0; v < ring.header.nr_vcpus; v++)
        for (int i = 0; i < TURN && raised[v] < count && !ring.vcpus[v].pends;
             i++) {
            raise_one(v);
            any = true;
        }
    return any;
}

static bool has_run(void)
{
    for (uint32_t v = 0; v < ring.header.nr_vcpus; v++)
        if (raised[v] < count || ring.vcpus[v].pends)
            return false;
    return true;
}

/* ----------------------------------------------------------------- loop -- */

static void sleep_until_rung(void)
{
    struct pollfd pfd[1 + XEN_VM_RING_MAX_GROUPS] = {
        {.fd = control, .events = POLLIN}};
    uint32_t nr = ring.header.nr_groups;

    for (uint32_t g = 0; g < nr; g++) {
        pfd[1 + g].fd = ring.bells[g];
        pfd[1 + g].events = POLLIN;
    }
    if (poll(pfd, 1 + nr, ring_pends(&ring) ? 20 : 1000) <= 0)
        return;
    for (uint32_t g = 0; g < nr; g++) {
        char bytes[64];
        ssize_t got = pfd[1 + g].revents ? 1 : 0;

        while (got > 0) /* B22 */
            got = recv(ring.bells[g], bytes, sizeof(bytes), MSG_DONTWAIT);
        if (pfd[1 + g].revents && got == 0) { /* B23 */
            close(ring.bells[g]);
            ring.bells[g] = -1;
        }
    }
}

static void turn(void)
{
    bool any = run_guest();
    uint32_t type;
    ssize_t len = hear(&type);

    ring_flush(&ring);
    any = ring_collect(&ring, false) || any;
    if (len >= 0)
        message(type, (size_t)len);
    if (!has_ended && has_run()) {
        ring_end(&ring);
        has_ended = any = true;
    }
    if (quiescing && !ring_pends(&ring)) { /* B13 */
        ring_flush(&ring);
        quiescing = false;
        say(VMRING_LOCAL_QUIET, NULL, 0);
    }
    if (!any && len < 0 && !gone && ring_arm(&ring))
        sleep_until_rung();
}

static void print(void)
{
    struct tally all = {.requests = 0};

    for (uint32_t v = 0; v < ring.header.nr_vcpus; v++)
        for (int r = 0; r < NR_REASONS; r++) {
            const struct tally *t = &ring.vcpus[v].tally[r];

            all.requests += t->requests;
            all.answered += t->answered;
            all.defaulted += t->defaulted;
            all.records += t->records;
            all.discarded += t->discarded;
        }
    printf("{\"requests\": %llu, \"answered\": %llu, \"defaulted\": %llu, "
           "\"records\": %llu, \"lost\": %llu, \"ignored\": %llu}\n",
           (unsigned long long)all.requests, (unsigned long long)all.answered,
           (unsigned long long)all.defaulted, (unsigned long long)all.records,
           (unsigned long long)all.discarded, (unsigned long long)ring.ignored);
}

int main(int argc, char **argv)
{
    int listener;

    if (argc != 4)
        fail("usage: server PATH VCPUS COUNT");
    listener = listen_at(argv[1]);
    printf("ready\n");
    fflush(stdout);
    ring.header.nr_vcpus = (uint32_t)strtoul(argv[2], NULL, 10);
    count = strtoull(argv[3], NULL, 10);
    if (!ring.header.nr_vcpus || ring.header.nr_vcpus > MAX_VCPUS)
        fail("vCPUs: 1 to 64");
    do {
        gone = false;
        control = accept(listener, NULL, NULL);
        if (control < 0)
            fail("nobody comes");
    } while (!attach() && close(control) == 0);
    while (!gone)
        turn();
    (void)ring_collect(&ring, true); /* E3 */
    close(control);
    print();
    return 0;
}
