/* SPDX-License-Identifier: MIT */
/*
 * crowd.c: what a bridge is told to bear.
 *
 *   crowd SOCKET SECONDS       a hundred peers at a time, who connect, say what
 *                              nobody understands, stay or go
 *   kept SOCKET SECONDS        a hundred at a time who propose a ring with all
 *                              doorbells, never read what they are handed, hang
 *                              up, and have their sockets kept by a child
 *   subscribe ENDPOINT SECONDS EVENTS
 *                              an agent that asks for the same again and again,
 *                              and answers at once
 *   stalled COMMAND...         runs it, with a terminal as standard error that
 *                              nobody reads, and that is full
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vmring_local.h>

#include "libvmring/transport/local/socket.h"
#include "libvmring/vmring.h"

#define PEERS 100

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int connect_to(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int crowd(const char *path, int64_t until)
{
    static const char junk[600];
    unsigned long nr = 0, said = 0;
    int fds[PEERS];

    for (int i = 0; i < PEERS; i++)
        fds[i] = -1;
    for (int i = 0; now_ms() < until; i = (i + 1) % PEERS) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = connect_to(path);
        if (fds[i] >= 0)
            nr++;
        else
            usleep(1000); /* its queue is full */
        /* Some say nothing, and stay till their turn comes again. */
        for (int j = 0; fds[i] >= 0 && j < i % 8; j++)
            said +=
                send(fds[i], junk, 1 + (size_t)i * (size_t)j, MSG_NOSIGNAL) > 0;
    }
    printf("%lu peers, %lu messages\n", nr, said);
    return nr > 0 ? 0 : 1;
}

static void propose(int fd, uint32_t nr_groups)
{
    struct xen_vm_ring_propose propose = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(propose),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .nr_groups = nr_groups,
    };

    (void)socket_send(fd, VMRING_LOCAL_PROPOSE, &propose, sizeof(propose), NULL,
                      0);
}

/* A child has them all, and is gone soon after its parent let go of them. */
static void leave_to_a_child(const int *fds)
{
    pid_t pid = fork();

    if (pid == 0) {
        usleep(300000);
        _exit(0);
    }
    for (int i = 0; i < PEERS; i++) {
        if (fds[i] >= 0 && i % 2)
            (void)shutdown(fds[i], i % 4 == 1 ? SHUT_RDWR : SHUT_WR);
        if (fds[i] >= 0)
            close(fds[i]);
    }
    usleep(100000);
}

static int kept(const char *path, int64_t until)
{
    unsigned long nr = 0;
    int fds[PEERS];

    signal(SIGCHLD, SIG_IGN);
    while (now_ms() < until) {
        for (int i = 0; i < PEERS; i++) {
            fds[i] = connect_to(path);
            nr += fds[i] >= 0;
            if (fds[i] >= 0)
                propose(fds[i], i % 3 ? 4 : 1);
            else
                usleep(1000); /* its queue is full */
        }
        leave_to_a_child(fds);
    }
    printf("%lu peers\n", nr);
    return nr > 0 ? 0 : 1;
}

static void answer(struct vmring *ring)
{
    struct vmring_event event;
    struct xen_vm_ring_response neutral;

    for (int i = 0; i < 64 && vmring_next(ring, &event) == 1; i++) {
        if (!event.seq)
            continue;
        vmring_neutral(&event, &neutral);
        (void)vmring_respond(ring, &event, &neutral);
    }
    vmring_flush(ring);
}

static bool has_ended(const struct vmring *ring)
{
    unsigned int reason;

    return vmring_target_state(ring, &reason) >= XEN_VM_RING_TARGET_SHUTDOWN;
}

static int subscribe(const char *uri, int64_t until, const char *events)
{
    char error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts), .error = error, .error_len = sizeof(error)};
    struct vmring *ring = NULL;
    unsigned long nr = 0;
    int err = vmring_open(uri, &opts, &ring);

    while (!err && now_ms() < until && !has_ended(ring)) {
        err = vmring_subscribe(ring, events, NULL, error, sizeof(error)) < 0;
        answer(ring);
        if (!err && !nr++) {
            printf("armed\n");
            fflush(stdout);
        }
    }
    /* It may end while it is asked. */
    if (err && ring && has_ended(ring))
        err = 0;
    if (err)
        fprintf(stderr, "after %lu: %s\n", nr, error);
    else
        vmring_close(ring);
    printf("asked %lu times\n", nr);
    return err ? 1 : 0;
}

/* Until the kernel moves none of it on any more. */
static void fill(int terminal)
{
    static const char text[100] = "x";

    (void)fcntl(terminal, F_SETFL, O_NONBLOCK);
    for (int quiet = 0; quiet < 5; quiet++) {
        while (write(terminal, text, sizeof(text)) > 0)
            quiet = 0;
        usleep(100000);
    }
    (void)fcntl(terminal, F_SETFL, 0);
}

static pid_t child;

static void pass_on(int number)
{
    kill(child, number);
}

static int stalled(char **command)
{
    int status, reader = posix_openpt(O_RDWR | O_NOCTTY), terminal;

    if (reader < 0 || grantpt(reader) || unlockpt(reader))
        return 1;
    terminal = open(ptsname(reader), O_RDWR | O_NOCTTY);
    if (terminal < 0)
        return 1;
    fill(terminal);
    child = fork();
    if (child == 0) {
        dup2(terminal, STDERR_FILENO);
        execvp(command[0], command);
        _exit(127);
    }
    signal(SIGTERM, pass_on);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

int main(int argc, char **argv)
{
    int64_t until =
        now_ms() + (argc > 3 ? strtol(argv[3], NULL, 10) : 0) * 1000;

    if (argc > 3 && !strcmp(argv[1], "crowd"))
        return crowd(argv[2], until);
    if (argc > 3 && !strcmp(argv[1], "kept"))
        return kept(argv[2], until);
    if (argc > 4 && !strcmp(argv[1], "subscribe"))
        return subscribe(argv[2], until, argv[4]);
    if (argc > 2 && !strcmp(argv[1], "stalled"))
        return stalled(argv + 2);
    return 2;
}
