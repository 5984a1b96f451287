/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that detaches and keeps everything mapped, again and
 * again, has a real bridge hold memory for as many rings as it promises to a
 * successor, and for no more; and it can write P by no way.  What opens P for
 * reading may be stopped or killed, and ends with the bridge.
 *
 * usage: test_process_kept_mapped VMRING-BRIDGE
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/local/socket.h"
#include "wired.h"

#define ROUNDS 20
#define OTHER  65534
#define ANYONE 65533

static char path[96], log_path[128];

struct scene {
    const char *name;
    uid_t bridge, consumer;
    bool drains;
    int to_reader;     /* a signal, or 0 */
    unsigned int most; /* rings whose P has memory in the end */
};

/* One is current, and eight are promised to a successor at most. */
static const struct scene scenes[] = {
    {"root", 0, 0, false, 0, 1 + XEN_VM_RING_MAX_PREV},
    {"root that drains", 0, 0, true, 0, 1},
    {"another user", 0, OTHER, false, 0, 1 + XEN_VM_RING_MAX_PREV},
    {"another user that drains", 0, OTHER, true, 0, 1},
    {"another user's bridge", OTHER, ANYONE, true, 0, 1},
    {"no reader", 0, OTHER, true, SIGKILL, ROUNDS},
    {"a reader that is stopped", 0, OTHER, true, SIGSTOP, ROUNDS},
};

static void become(uid_t uid)
{
    /* Nobody but root is somebody else; 0 is then the same user. */
    if (uid == geteuid() || geteuid() != 0)
        return;
    CHECK_EQ(setgid(uid), 0);
    CHECK_EQ(setuid(uid), 0);
}

/* ------------------------------------------------------------- the bridge */

static pid_t start_bridge(const char *program, uid_t uid)
{
    char listen[128], number[16], line[128];
    int ready[2], log;
    pid_t pid;

    snprintf(listen, sizeof(listen), "local:%s", path);
    CHECK_EQ(pipe(ready), 0);
    log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    CHECK(log >= 0);
    snprintf(number, sizeof(number), "%d", ready[1]);
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(dup2(log, STDERR_FILENO) >= 0);
        close(ready[0]);
        become(uid);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(program, program, "--listen", listen, "--mode", "0666",
              "--ready-fd", number, "--linger", "0", "sim:vcpus=4", NULL);
        _exit(127);
    }
    close(log);
    close(ready[1]);
    CHECK(read(ready[0], line, sizeof(line)) > 0);
    close(ready[0]);
    return pid;
}

/* Its only child; 0: it has none. */
static pid_t reader_of(pid_t bridge)
{
    char name[64], text[32] = "";
    FILE *list;

    snprintf(name, sizeof(name), "/proc/%d/task/%d/children", (int)bridge,
             (int)bridge);
    list = fopen(name, "re");
    CHECK(list);
    (void)!fread(text, 1, sizeof(text) - 1, list);
    fclose(list);
    return (pid_t)strtol(text, NULL, 10);
}

/* Nobody may be there to take its status. */
static bool is_there(pid_t pid)
{
    char name[64], text[256] = "";
    FILE *stat;

    snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
    stat = fopen(name, "re");
    if (!stat)
        return false;
    (void)!fread(text, 1, sizeof(text) - 1, stat);
    fclose(stat);
    return *text && !strstr(text, ") Z ");
}

static unsigned int lines_with(const char *needle)
{
    unsigned int nr = 0;
    char line[512];
    FILE *log = fopen(log_path, "re");

    CHECK(log);
    while (fgets(line, sizeof(line), log))
        nr += strstr(line, needle) != NULL;
    fclose(log);
    return nr;
}

static void end_bridge(pid_t bridge)
{
    pid_t reader = reader_of(bridge);

    CHECK_EQ(kill(bridge, SIGKILL), 0);
    CHECK(waitpid(bridge, NULL, 0) == bridge);
    for (int i = 0; reader && is_there(reader); i++) {
        CHECK(i < 1000);
        usleep(10000);
    }
    unlink(path);
}

/* ----------------------------------------------------------- the consumer */

/* It may be anyone, but neither root nor who made it. */
static void try_to_write(int p, size_t len)
{
    char self[64];

    CHECK(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, p, 0) ==
          MAP_FAILED);
    CHECK(pwrite(p, "x", 1, 0) < 0);
    CHECK(ftruncate(p, 0) < 0);
    CHECK(fallocate(p, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) <
          0);
    CHECK(fcntl(p, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) < 0);
    snprintf(self, sizeof(self), "/proc/self/fd/%d", p);
    CHECK(fchmod(p, 0666) < 0);
    CHECK(chmod(self, 0666) < 0);
    CHECK(open(self, O_RDWR) < 0);
    CHECK(open(self, O_WRONLY) < 0);
    CHECK(truncate(self, 0) < 0);
}

static void look_at_all(const unsigned char *at, size_t len)
{
    unsigned char sum = 0;

    for (size_t i = 0; i < len; i += 4096)
        sum ^= ((const volatile unsigned char *)at)[i];
    (void)sum;
}

static int kept[ROUNDS];

static int attach(int *control, struct xen_vm_ring_accept *accept)
{
    struct xen_vm_ring_propose propose = wired_propose();
    int fds[VMRING_LOCAL_MAX_FDS];
    unsigned int nr;

    propose.async_len = 1 << 18;
    *control = wired_connect(path);
    *accept = wired_ask(*control, &propose, fds, &nr);
    CHECK_EQ(accept->result, XEN_VM_RING_ACCEPTED);
    CHECK(mmap(NULL, accept->c_len, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1],
               0) != MAP_FAILED);
    for (unsigned int i = 2; i < nr; i++)
        close(fds[i]);
    return fds[0];
}

static void one_round(const struct scene *scene, unsigned int round)
{
    struct xen_vm_ring_accept accept;
    struct pollfd pfd = {.events = POLLRDHUP};
    int control;
    void *at;

    kept[round] = attach(&control, &accept);
    at = mmap(NULL, accept.p_len, PROT_READ, MAP_SHARED, kept[round], 0);
    CHECK(at != MAP_FAILED);
    CHECK(*(volatile uint32_t *)at == XEN_VM_RING_MAGIC);
    CHECK(mprotect(at, accept.p_len, PROT_READ | PROT_WRITE) < 0);
    look_at_all(at, accept.p_len);
    if (scene->consumer && scene->consumer != scene->bridge)
        try_to_write(kept[round], accept.p_len);
    if (scene->drains)
        (void)socket_send(control, VMRING_LOCAL_DRAINED, NULL, 0, NULL, 0);
    CHECK_EQ(socket_send(control, VMRING_LOCAL_DETACH, NULL, 0, NULL, 0), 0);
    pfd.fd = control;
    CHECK_EQ(poll(&pfd, 1, 30000), 1);
    close(control);
}

static unsigned int count_rings(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < ROUNDS; i++) {
        struct stat of;

        CHECK_EQ(fstat(kept[i], &of), 0);
        nr += of.st_blocks > 0;
    }
    return nr;
}

static void consume(const struct scene *scene)
{
    unsigned int nr;

    become(scene->consumer);
    for (unsigned int i = 0; i < ROUNDS; i++)
        one_round(scene, i);
    /* The last goes bit by bit. */
    for (int ms = 0; (nr = count_rings()) > scene->most && ms < 30000; ms++)
        (void)usleep(1000);
    printf("%s: %u of %d rings have memory\n", scene->name, nr, ROUNDS);
    fflush(stdout);
    CHECK(nr <= scene->most);
    /* What the kernel has sealed cannot be taken back. */
    CHECK(!scene->to_reader || nr == ROUNDS);
}

/* A tree in a folder of root's cannot be run by another. */
static bool may_run(const char *program, uid_t uid)
{
    pid_t pid;
    int status;

    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        become(uid);
        _exit(access(program, X_OK) != 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status == 0;
}

static void play(const char *program, const struct scene *scene)
{
    pid_t bridge, reader, consumer;
    int status;

    if (geteuid() != 0 && (scene->bridge || scene->consumer))
        return;
    if (!may_run(program, scene->bridge)) {
        printf("%s: left out, it cannot get to %s\n", scene->name, program);
        return;
    }
    bridge = start_bridge(program, scene->bridge);
    reader = reader_of(bridge);
    CHECK(reader || !scene->to_reader);
    if (scene->to_reader)
        CHECK_EQ(kill(reader, scene->to_reader), 0);
    fflush(NULL);
    consumer = fork();
    CHECK(consumer >= 0);
    if (consumer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        consume(scene);
        exit(0);
    }
    CHECK(waitpid(consumer, &status, 0) == consumer);
    CHECK_EQ(status, 0);
    CHECK_EQ(lines_with("cannot be taken back"), scene->to_reader ? 1 : 0);
    end_bridge(bridge);
}

/* ------------------------------------------------------------- the budget */

#define LARGE  (32 << 20)
#define BUDGET (256 << 20)

/* Keeps nothing; but nobody can know that. */
static uint32_t large_round(void)
{
    struct xen_vm_ring_propose propose = wired_propose();
    struct pollfd pfd = {.events = POLLRDHUP};
    struct xen_vm_ring_accept accept;

    propose.async_len = LARGE;
    pfd.fd = wired_connect(path);
    accept = wired_ask(pfd.fd, &propose, NULL, NULL);
    (void)socket_send(pfd.fd, VMRING_LOCAL_DRAINED, NULL, 0, NULL, 0);
    (void)socket_send(pfd.fd, VMRING_LOCAL_DETACH, NULL, 0, NULL, 0);
    CHECK_EQ(poll(&pfd, 1, 30000), 1);
    close(pfd.fd);
    return accept.result;
}

static void spend(void)
{
    unsigned int nr = 0;

    become(OTHER);
    while (large_round() == XEN_VM_RING_ACCEPTED)
        CHECK(++nr <= BUDGET / LARGE);
    CHECK_EQ(nr, BUDGET / LARGE);
    CHECK_EQ(large_round(), XEN_VM_RING_REFUSED_MEMORY);
}

/* Without a reader one user can have so much, and others are served. */
static void bounded_by_user(const char *program)
{
    pid_t bridge, reader, consumer;
    int status;

    if (geteuid() != 0)
        return;
    bridge = start_bridge(program, 0);
    reader = reader_of(bridge);
    CHECK(reader > 0); /* 0 would be all of our own group */
    CHECK_EQ(kill(reader, SIGKILL), 0);
    fflush(NULL);
    consumer = fork();
    CHECK(consumer >= 0);
    if (consumer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        spend();
        exit(0);
    }
    CHECK(waitpid(consumer, &status, 0) == consumer);
    CHECK_EQ(status, 0);
    /* A thread of the bridge writes it. */
    for (int i = 0; !lines_with("256 MiB of memory were handed to its user");
         i++) {
        CHECK(i < 1000);
        usleep(10000);
    }
    CHECK_EQ(large_round(), XEN_VM_RING_ACCEPTED);
    end_bridge(bridge);
}

/* What was published can be read after a bridge that ends. */
static void end_amid_a_session(const char *program)
{
    pid_t bridge = start_bridge(program, geteuid());
    struct xen_vm_ring_accept accept;
    int control, p = attach(&control, &accept);
    struct stat of;

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(kill(bridge, SIGTERM), 0);
        usleep(50000);
    }
    CHECK(waitpid(bridge, NULL, 0) == bridge);
    CHECK_EQ(fstat(p, &of), 0);
    CHECK(of.st_blocks > 0);
    close(control);
    close(p);
}

int main(int argc, char **argv)
{
    char folder[96];

    CHECK(argc == 2);
    wired_path(path);
    memcpy(folder, path, sizeof(folder));
    *strrchr(folder, '/') = '\0';
    snprintf(log_path, sizeof(log_path), "%s/log", folder);
    CHECK_EQ(chmod(folder, 0777), 0);
    for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
        play(argv[1], &scenes[i]);
    bounded_by_user(argv[1]);
    end_amid_a_session(argv[1]);
    unlink(log_path);
    place_drop(path);
    return 0;
}
