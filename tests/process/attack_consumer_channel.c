/* SPDX-License-Identifier: MIT */
/*
 * Description: what a hostile consumer does with doorbells, pages and messages,
 * and what the producer makes of each.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "transport/local/socket.h"

/* ------------------------------------------------------------ doorbells -- */

static xen_vm_ring_u64 *bits_of(struct hostile *h, uint32_t group, uint32_t off)
{
    return (void *)(h->c + h->geo.c_group_off +
                    (uint64_t)group * h->geo.c_group_len + off);
}

/* Armed for ever, and no doorbell is ever taken: its buffer fills. */
static void always_armed(struct hostile *h)
{
    for (uint32_t g = 0; g < h->geo.nr_groups; g++) {
        __atomic_store_n(bits_of(h, g, h->geo.attn_request_off), 0,
                         __ATOMIC_RELAXED);
        __atomic_store_n(bits_of(h, g, h->geo.attn_lane_off), 0,
                         __ATOMIC_RELAXED);
        __atomic_store_n(bits_of(h, g, 0), ~0ULL, __ATOMIC_RELAXED);
    }
}

/* Until its doorbells are full: nobody takes a byte of some hundred. */
static void fill_doorbells(struct hostile *h)
{
    uint64_t until = now_ns() + 30000000000ULL, from;

    probe(h->w);
    from = h->w->stats.doorbells_sent;
    while (h->w->stats.doorbells_sent < from + 700 && now_ns() < until) {
        while_again(h, always_armed, 100);
        probe(h->w);
    }
    WITNESS(h->w, h->w->stats.doorbells_sent >= from + 700, "only %llu",
            (unsigned long long)(h->w->stats.doorbells_sent - from));
}

static void flood_doorbells(struct hostile *h)
{
    static const char bytes[4096];

    for (unsigned int i = 0; i < h->nr_bells; i++)
        (void)!send(h->bells[i], bytes, sizeof(bytes),
                    MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The flag is the open file's: ours is not theirs. */
static void blocking_flags(struct hostile *h)
{
    for (unsigned int i = 0; i < h->nr_bells; i++)
        CHECK_EQ(fcntl(h->bells[i], F_SETFL, 0), 0);
    CHECK_EQ(fcntl(h->control, F_SETFL, 0), 0);
}

static void close_doorbells(struct hostile *h)
{
    for (unsigned int i = 0; i < h->nr_bells; i++) {
        close(h->bells[i]);
        h->bells[i] = -1;
    }
}

static void shut(struct hostile *h, int how)
{
    for (unsigned int i = 0; i < h->nr_bells; i++)
        CHECK_EQ(shutdown(h->bells[i], how), 0);
}

static void shut_read(struct hostile *h)
{
    shut(h, SHUT_RD);
}

static void shut_write(struct hostile *h)
{
    shut(h, SHUT_WR);
}

static void shut_both(struct hostile *h)
{
    shut(h, SHUT_RDWR);
}

/* Descriptors by way of a doorbell: nobody takes them. */
static void pass_by_doorbell(struct hostile *h)
{
    int fds[2] = {h->p_fd, h->c_fd};

    for (int i = 0; i < 20; i++)
        (void)socket_send(h->bells[0], 0, NULL, 0, fds, 2);
}

/* ---------------------------------------------------------------- pages -- */

static void punch_holes(struct hostile *h)
{
    CHECK_EQ(fallocate(h->c_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                       (off_t)h->accept.c_len),
             0);
}

static void as_another_user(const struct hostile *h)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        char self[64];

        CHECK_EQ(setgid(65534), 0);
        CHECK_EQ(setuid(65534), 0);
        snprintf(self, sizeof(self), "/proc/self/fd/%d", h->p_fd);
        CHECK(fchmod(h->p_fd, 0666) < 0);
        CHECK(open(self, O_RDWR) < 0);
        CHECK(truncate(self, 0) < 0);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
}

/* Whatever is tried on the descriptors is refused by the kernel. */
static void resize_and_seal(struct hostile *h)
{
    const int fds[] = {h->p_fd, h->c_fd};

    for (int i = 0; i < 2; i++) {
        /* P is open for reading alone: EINVAL and EBADF say so. */
        CHECK(ftruncate(fds[i], 0) < 0);
        CHECK(ftruncate(fds[i], 1 << 20) < 0);
        CHECK(fallocate(fds[i], 0, 0, 1 << 20) < 0);
        for (int seal = 1; seal <= F_SEAL_FUTURE_WRITE; seal <<= 1)
            CHECK(fcntl(fds[i], F_ADD_SEALS, seal) < 0 && errno == EPERM);
    }
    CHECK(mmap(NULL, h->accept.p_len, PROT_WRITE, MAP_SHARED, h->p_fd, 0) ==
          MAP_FAILED);
    CHECK(mprotect((void *)(uintptr_t)h->p, h->accept.p_len,
                   PROT_READ | PROT_WRITE) < 0);
    CHECK(pwrite(h->p_fd, "x", 1, 0) < 0);
    CHECK(fallocate(h->p_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                    4096) < 0);
    /* Whoever is another user; ours could write in its memory as well. */
    if (geteuid() == 0)
        as_another_user(h);
}

/* -------------------------------------------------------------- messages -- */

static void say(struct hostile *h, uint32_t type, const void *body, size_t len)
{
    (void)socket_send(h->control, type, body, len, NULL, 0);
}

static void nothing(struct hostile *h)
{
    CHECK_EQ(send(h->control, "", 0, MSG_NOSIGNAL), 0);
}

static void one_byte(struct hostile *h)
{
    CHECK_EQ(send(h->control, "x", 1, MSG_NOSIGNAL), 1);
}

static void giant(struct hostile *h)
{
    static const unsigned char bytes[VMRING_LOCAL_MAX * 2];

    (void)!send(h->control, bytes, sizeof(bytes), MSG_NOSIGNAL);
}

static void propose_again(struct hostile *h)
{
    struct xen_vm_ring_propose propose = wired_propose();

    say(h, VMRING_LOCAL_PROPOSE, &propose, sizeof(propose));
}

static void producers_message(struct hostile *h)
{
    static const struct vmring_local_accept accept;

    say(h, VMRING_LOCAL_ACCEPT, &accept, sizeof(accept));
}

/* Told so, and why; nothing else comes of it. */
static void told_of(struct hostile *h, const char *needle)
{
    struct vmring_local_subscribed answer;
    uint32_t type;

    CHECK_EQ(socket_wait(h->control, 30000), 0);
    CHECK_EQ(
        socket_recv(h->control, &type, &answer, sizeof(answer), NULL, 0, NULL),
        sizeof(answer));
    CHECK_EQ(type, VMRING_LOCAL_SUBSCRIBED);
    CHECK_EQ(answer.nr, 0);
    CHECK_HAS(answer.text, needle);
}

static void events_with_nul(struct hostile *h)
{
    say(h, VMRING_LOCAL_SUBSCRIBE, "cpuid\0cr3", 9);
    told_of(h, "NUL");
}

static void events_of_nonsense(struct hostile *h)
{
    static char text[VMRING_LOCAL_MAX - 8];

    memset(text, ':', sizeof(text));
    say(h, VMRING_LOCAL_SUBSCRIBE, text, sizeof(text));
    told_of(h, "unknown event");
}

static void body_of_none(struct hostile *h)
{
    say(h, VMRING_LOCAL_QUIESCE, "now", 4);
}

static void count_from_nowhere(struct hostile *h)
{
    static const struct vmring_local_count from = {UINT32_MAX - 1, 0};
    struct vmring_local_counts answer;
    uint32_t type;

    say(h, VMRING_LOCAL_COUNT, &from, sizeof(from));
    CHECK_EQ(socket_wait(h->control, 30000), 0);
    CHECK(socket_recv(h->control, &type, &answer, sizeof(answer), NULL, 0,
                      NULL) > 0);
    CHECK_EQ(type, VMRING_LOCAL_COUNTS);
    CHECK_EQ(answer.nr, 0);
    CHECK_EQ(answer.next, VMRING_LOCAL_NO_MORE);
}

static void flood_quiesce(struct hostile *h)
{
    say(h, VMRING_LOCAL_QUIESCE, NULL, 0);
    say(h, VMRING_LOCAL_DRAINED, NULL, 0);
}

/* Until there is room for no more of them. */
static void read_no_replies(struct hostile *h)
{
    uint64_t until = now_ns() + 30000000000ULL;
    int err;

    do
        err = socket_send(h->control, VMRING_LOCAL_SUPPORTED, NULL, 0, NULL, 0);
    while ((err == 0 || err == -EAGAIN) && now_ns() < until);
}

static void pass_descriptors(struct hostile *h)
{
    int fds[VMRING_LOCAL_MAX_FDS];

    for (int i = 0; i < VMRING_LOCAL_MAX_FDS; i++)
        fds[i] = i % 2 ? h->c_fd : h->bells[0];
    for (int i = 0; i < 8; i++)
        (void)socket_send(h->control, VMRING_LOCAL_DRAINED, NULL, 0, fds,
                          VMRING_LOCAL_MAX_FDS);
}

static void shut_control_read(struct hostile *h)
{
    CHECK_EQ(shutdown(h->control, SHUT_RD), 0);
    say(h, VMRING_LOCAL_SUPPORTED, NULL, 0);
}

static void shut_control_write(struct hostile *h)
{
    CHECK_EQ(shutdown(h->control, SHUT_WR), 0);
}

static void detach_and_talk(struct hostile *h)
{
    say(h, VMRING_LOCAL_DETACH, NULL, 0);
    for (int i = 0; i < 100; i++)
        say(h, VMRING_LOCAL_QUIESCE, NULL, 0);
    memset(h->c, 0xff, h->accept.c_len);
}

/* Connections that never say a word, more than are held. */
static void half_open(struct hostile *h)
{
    int fds[24];

    for (int i = 0; i < 24; i++)
        fds[i] = wired_connect(h->w->path);
    goes_on(h->w, 5);
    for (int i = 0; i < 24; i++)
        close(fds[i]);
}

#define DISCARD   XEN_VM_RING_POLICY_DISCARD
#define OVERWRITE XEN_VM_RING_POLICY_OVERWRITE
#define STALE     (IGNORED | NO_FAULT | NO_ANSWER)

static const struct attack attacks[] = {
    {"armed for ever", NULL, always_armed, NO_FAULT, DISCARD},
    {"armed until all is full", fill_doorbells, always_armed, NO_FAULT,
     DISCARD},
    {"a flood of doorbells", NULL, flood_doorbells, NO_FAULT, DISCARD},
    {"blocking descriptors, armed", blocking_flags, always_armed, NO_FAULT,
     DISCARD},
    {"blocking descriptors, ringing", blocking_flags, flood_doorbells, NO_FAULT,
     DISCARD},
    {"doorbells closed", close_doorbells, always_armed, NO_FAULT, DISCARD},
    {"doorbells shut for reading", shut_read, always_armed, NO_FAULT, DISCARD},
    {"doorbells shut for writing", shut_write, always_armed, NO_FAULT, DISCARD},
    {"doorbells shut", shut_both, always_armed, NO_FAULT, DISCARD},
    {"descriptors by a doorbell", pass_by_doorbell, NULL, NO_FAULT, DISCARD},
    {"holes in C", NULL, punch_holes, 0, DISCARD},
    {"other sizes and seals", resize_and_seal, NULL, NO_FAULT, DISCARD},
    {"an empty message", nothing, NULL, HANGS_UP, DISCARD},
    {"a message of a byte", one_byte, NULL, HANGS_UP, DISCARD},
    {"a giant message", giant, NULL, HANGS_UP, DISCARD},
    {"a second proposal", propose_again, NULL, HANGS_UP, DISCARD},
    {"a producer's message", producers_message, NULL, HANGS_UP, DISCARD},
    {"events with a NUL", events_with_nul, NULL, NO_FAULT, DISCARD},
    {"events of nonsense", events_of_nonsense, NULL, NO_FAULT, DISCARD},
    {"a body where there is none", body_of_none, NULL, HANGS_UP, DISCARD},
    {"counts from nowhere", count_from_nowhere, NULL, NO_FAULT, DISCARD},
    {"a flood of messages", NULL, flood_quiesce, NO_FAULT, DISCARD},
    {"replies that nobody reads", read_no_replies, NULL, HANGS_UP, DISCARD},
    {"descriptors passed along", pass_descriptors, NULL, NO_FAULT, DISCARD},
    {"a control channel shut for reading", shut_control_read, NULL, HANGS_UP,
     DISCARD},
    {"a control channel shut for writing", shut_control_write, NULL, HANGS_UP,
     DISCARD},
    {"words after a detach", detach_and_talk, NULL, HANGS_UP, DISCARD},
    {"half-open connections", half_open, NULL, NO_FAULT, DISCARD},
};

#define NR (sizeof(attacks) / sizeof(attacks[0]))

int main(int argc, char **argv)
{
    struct witness *w;
    pid_t source;

    w = attack_scene(&source);
    check_after(w, "the start");
    for (size_t i = 0; i < NR && !w->violations; i++) {
        uint64_t began = now_ns();

        attack_perform(w, &attacks[i]);
        if (argc > 1 && !strcmp(argv[1], "-v"))
            printf("%6.1f ms  %s\n", (double)(now_ns() - began) / 1e6,
                   attacks[i].name);
    }
    printf("%zu attacks\n", NR);
    return attack_end(w, source) != 0;
}
