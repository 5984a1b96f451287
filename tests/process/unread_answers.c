/* SPDX-License-Identifier: MIT */
/*
 * Description: consumers that never read what they were handed, and keep their
 * sockets, use up none of what a producer's user may have on its way: they are
 * refused after a few, others are served; and where nothing can be sent, the
 * consumer is told and the log says so.
 *
 * Root may have any number of them on their way, so the producer is another
 * user here, and so are they; who is served is root: exit 77 for others.
 */
#include <errno.h>
#include <poll.h>

#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/local/socket.h"
#include "wired.h"

#define SERVER 65534
#define GROUPS 64
#define ROUNDS 8
/* Less than what that many answers have, more than a producer needs. */
#define LIMIT 320

struct seen {
    char log[16][256];
    volatile int lines;
    volatile unsigned int accepted, refused;
};

static struct seen *seen;
static char path[96];

static void note(void *ctx, int level, const char *line)
{
    (void)ctx;
    if (level <= 4)
        snprintf(seen->log[seen->lines++ % 16], 256, "%s", line);
}

static bool was_logged(const char *needle)
{
    for (int i = 0; i < 16; i++)
        if (strstr(seen->log[i], needle))
            return true;
    return false;
}

/* More than LIMIT, in messages of 200; nobody ever reads them. */
static void fill_up(void)
{
    static int ends[2];
    int fds[VMRING_LOCAL_MAX_FDS];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    for (int i = 0; i < VMRING_LOCAL_MAX_FDS; i++)
        fds[i] = ends[0];
    for (int i = 0; i <= LIMIT / VMRING_LOCAL_MAX_FDS; i++)
        CHECK_EQ(socket_send(ends[0], 1, NULL, 0, fds, VMRING_LOCAL_MAX_FDS),
                 0);
}

static void become_server(void)
{
    CHECK_EQ(setgid(SERVER), 0);
    CHECK_EQ(setuid(SERVER), 0);
    /* Not before: the kernel forgets it for another user. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* A user of its own, whose limit is its own, too. */
static pid_t serve(bool filled)
{
    struct vmring_producer_opts opts = wired_opts();
    const struct rlimit limit = {LIMIT, LIMIT};
    int ready[2];
    char byte;
    pid_t pid;

    opts.nr_vcpus = GROUPS;
    opts.log = note;
    memset(seen, 0, sizeof(*seen));
    CHECK_EQ(pipe(ready), 0);
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        become_server();
        if (filled)
            fill_up();
        (void)wired_serve(path, &opts, 0);
        CHECK(write(ready[1], "", 1) == 1);
        for (;;)
            (void)pause();
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void end(pid_t pid)
{
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK(waitpid(pid, NULL, 0) == pid);
    unlink(path);
}

static struct xen_vm_ring_propose propose(void)
{
    struct xen_vm_ring_propose propose = wired_propose();

    propose.nr_groups = GROUPS;
    propose.async_len = 64 * 2 * 64;
    return propose;
}

static void wait_hung_up(int fd)
{
    struct pollfd pfd = {fd, POLLRDHUP, 0};

    CHECK_EQ(poll(&pfd, 1, 30000), 1);
}

/* Proposes, and is hung up on for what it says next. */
static void take_without_reading(int fd)
{
    struct xen_vm_ring_propose proposal = propose();

    CHECK_EQ(socket_send(fd, VMRING_LOCAL_PROPOSE, &proposal, sizeof(proposal),
                         NULL, 0),
             0);
    (void)socket_send(fd, 99, NULL, 0, NULL, 0);
    wait_hung_up(fd);
}

static uint32_t read_result(int fd)
{
    struct vmring_local_accept accept;
    int fds[VMRING_LOCAL_MAX_FDS];
    unsigned int nr = 0;
    uint32_t type;
    int ret = -ECONNRESET;

    /* Once it says that it was hung up on amid its words, then why. */
    for (int i = 0; i < 2 && ret == -ECONNRESET; i++)
        ret = socket_recv(fd, &type, &accept, sizeof(accept), fds,
                          VMRING_LOCAL_MAX_FDS, &nr);
    CHECK_EQ(ret, sizeof(accept));
    while (nr)
        close(fds[--nr]);
    return accept.body.result;
}

static void attack(int go)
{
    int fds[ROUNDS], again;
    char byte;

    become_server();
    for (int i = 0; i < ROUNDS; i++) {
        fds[i] = wired_connect(path);
        take_without_reading(fds[i]);
    }
    CHECK(write(go, "", 1) == 1);
    CHECK(read(go, &byte, 1) == 1);
    for (int i = 0; i < ROUNDS; i++) {
        if (read_result(fds[i]) == XEN_VM_RING_ACCEPTED)
            seen->accepted++;
        else
            seen->refused++;
    }
    /* All is read: nothing is held against it. */
    again = wired_connect(path);
    take_without_reading(again);
    CHECK_EQ(read_result(again), XEN_VM_RING_ACCEPTED);
}

static void others_are_served(void)
{
    struct xen_vm_ring_propose proposal = propose();
    pid_t server = serve(false), attacker;
    int ends[2], control, status;
    char byte;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    fflush(NULL);
    attacker = fork();
    CHECK(attacker >= 0);
    if (attacker == 0) {
        attack(ends[1]);
        exit(0);
    }
    close(ends[1]);
    CHECK(read(ends[0], &byte, 1) == 1);
    control = wired_connect(path);
    CHECK_EQ(wired_ask(control, &proposal, NULL, NULL).result,
             XEN_VM_RING_ACCEPTED);
    close(control);
    CHECK(was_logged("not read yet"));
    CHECK(write(ends[0], "", 1) == 1);
    CHECK(waitpid(attacker, &status, 0) == attacker);
    CHECK_EQ(status, 0);
    CHECK_EQ(seen->accepted, 2);
    CHECK_EQ(seen->refused, ROUNDS - 2);
    close(ends[0]);
    end(server);
}

static void said_when_nothing_can_be_sent(void)
{
    struct xen_vm_ring_propose proposal = propose();
    pid_t server = serve(true);
    int control = wired_connect(path);

    CHECK_EQ(wired_ask(control, &proposal, NULL, NULL).result,
             XEN_VM_RING_REFUSED_MEMORY);
    close(control);
    CHECK(was_logged("cannot be sent: descriptors that were sent before"));
    end(server);
}

int main(void)
{
    char folder[96];

    if (geteuid() != 0) {
        puts("only root can serve as one user and ask as another");
        return 77;
    }
    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(seen != MAP_FAILED);
    wired_path(path);
    strcpy(folder, path);
    *strrchr(folder, '/') = '\0';
    CHECK_EQ(chown(folder, SERVER, SERVER), 0);
    CHECK_EQ(chmod(folder, 0755), 0);
    others_are_served();
    said_when_nothing_can_be_sent();
    place_drop(path);
    return 0;
}
