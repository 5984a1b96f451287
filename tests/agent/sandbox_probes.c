/* SPDX-License-Identifier: MIT */
/*
 * Description: what an attached agent, or with OF_BRIDGE a serving bridge, has
 * given up is out of its reach, and was not before; and what it needs works.
 *
 * Each probe runs in a process of its own that attaches as the agent does,
 * once without the sandbox, where it must get through, and once in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/xen.h>

#include <xen/sys/evtchn.h>
#include <xen/sys/gntdev.h>
#include <xen/sys/privcmd.h>

#include "agent/sandbox.h"
#include "bridge/sandbox.h"
#include "tests/unit/check.h"

#ifndef OF_BRIDGE
#define OF_BRIDGE 0
#endif

#define KILLED (-1) /* by SIGSYS */
/* A bridge is never killed by its filter: its guest would stop. */
#define FATAL (OF_BRIDGE ? EPERM : KILLED)

/* One that only its owner, root if run by root, can read. */
static char file[] = "/tmp/vmring-sandbox-XXXXXX";
static int null_fd; /* inherited, as a device might be */
static int secret = 42;

/* Each returns 0 or errno. */
static int result(long ret)
{
    return ret < 0 ? errno : 0;
}

static int open_file(void)
{
    return result(open(file, O_RDONLY));
}

static int make_file(void)
{
    return result(open("/tmp", O_TMPFILE | O_RDWR, 0600));
}

static int open_privcmd(void)
{
    int err = result(open("/dev/xen/privcmd", O_RDWR));

    /* Where there is no Xen it is not there; that could be told before. */
    return err == ENOENT ? 0 : err;
}

static int unlink_file(void)
{
    char other[] = "/tmp/vmring-sandbox-XXXXXX";
    int fd = mkstemp(other);

    return fd < 0 ? errno : result(unlink(other));
}

static void *open_in_thread(void *ctx)
{
    int *go = ctx;
    char byte;

    return (void *)(intptr_t)(read(go[0], &byte, 1) == 1 ? open_file() : EIO);
}

/* Set up before the sandbox is entered. */
static pthread_t thread;
static int thread_go[2];

static int open_by_other_thread(void)
{
    void *err;

    if (write(thread_go[1], "", 1) != 1 || pthread_join(thread, &err))
        return EIO;
    return (int)(intptr_t)err;
}

static int execute(void)
{
    char *argv[] = {(char[]){"true"}, NULL};

    execve("/bin/true", argv, NULL);
    return errno;
}

static int start_process(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : result(waitpid(pid, NULL, 0));
}

static int spawn_program(void)
{
    char *argv[] = {(char[]){"true"}, NULL};
    pid_t pid;

    return posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL);
}

static int make_socket(void)
{
    return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int trace(void)
{
    return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int read_parent(void)
{
    int copy = 0;
    struct iovec to = {&copy, sizeof(copy)}, from = {&secret, sizeof(secret)};

    if (process_vm_readv(getppid(), &to, 1, &from, 1, 0) < 0)
        return errno;
    return copy == 42 ? 0 : EIO;
}

static int signal_parent(void)
{
    return result(kill(getppid(), 0));
}

static int signal_thread_of_parent(void)
{
    return result(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int hold_parent(void)
{
    return result(syscall(SYS_pidfd_open, getppid(), 0));
}

static int become_root(void)
{
    return result(syscall(SYS_setuid, 0));
}

static int change_root(void)
{
    return result(chroot("/"));
}

static int leave_namespace(void)
{
    return result(unshare(CLONE_FILES));
}

static int map_code(void)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? errno : 0;
}

static int turn_into_code(void)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return result(at == MAP_FAILED ? -1
                                   : mprotect(at, 4096, PROT_READ | PROT_EXEC));
}

/* A driver would get it: /dev/null says that it is none. */
static int reaches_driver(unsigned long request)
{
    unsigned char argument[64] = {0};
    int err = result(ioctl(null_fd, request, argument));

    return err == ENOTTY ? 0 : err;
}

static int hypercall(void)
{
    return reaches_driver(IOCTL_PRIVCMD_HYPERCALL);
}

static int map_foreign(void)
{
    return reaches_driver(IOCTL_PRIVCMD_MMAPBATCH_V2);
}

static int map_grant(void)
{
    return reaches_driver(IOCTL_GNTDEV_MAP_GRANT_REF);
}

static int bind_port(void)
{
    return reaches_driver(IOCTL_EVTCHN_BIND_INTERDOMAIN);
}

static int ring(void)
{
    return reaches_driver(IOCTL_EVTCHN_NOTIFY);
}

static int allow_dumps(void)
{
    return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int raise_limit(void)
{
    struct rlimit core = {0, 0};

    return result(setrlimit(RLIMIT_CORE, &core));
}

static int call_bpf(void)
{
    int err = result(syscall(SYS_bpf, -1, NULL, 0));

    return err == EINVAL || err == E2BIG ? 0 : err;
}

static int own_signals(void)
{
    return result(fcntl(thread_go[0], F_SETOWN, getppid()));
}

static const struct probe {
    const char *name;
    int (*run)(void);
    int boxed; /* what becomes of it in the sandbox */
    bool root; /* only root can do it at all */
    int walls; /* and, if not 0, of root's without the filter */
} probes[] = {
    {"open a file", open_file, EPERM, false, EACCES},
    {"open a file, by a thread that was there before", open_by_other_thread,
     EPERM, false, EACCES},
    {"open /dev/xen/privcmd, if it is there", open_privcmd, EPERM, false, 0},
    {"make a file", make_file, EPERM, false, EACCES},
    {"remove a file", unlink_file, EPERM, false, EACCES},
    {"execute a program", execute, FATAL, false, EACCES},
    {"start a process", start_process, FATAL, false, 0},
    {"spawn a program", spawn_program, FATAL, false, 0},
    {"make a socket", make_socket, FATAL, false, 0},
    {"trace", trace, FATAL, false, 0},
    {"read another's memory", read_parent, FATAL, false, EPERM},
    {"get hold of another process", hold_parent, FATAL, false, 0},
    {"signal another process", signal_parent, EPERM, false, EPERM},
    {"signal another's thread", signal_thread_of_parent, EPERM, false, 0},
    {"be signalled for a descriptor", own_signals, EPERM, false, 0},
    {"become root", become_root, FATAL, true, EPERM},
    {"change the root", change_root, FATAL, true, EACCES},
    {"leave a namespace", leave_namespace, FATAL, false, 0},
    {"map code", map_code, EPERM, false, 0},
    {"turn data into code", turn_into_code, EPERM, false, 0},
    {"make a hypercall (a domctl)", hypercall, OF_BRIDGE ? 0 : EPERM, false, 0},
    {"map a foreign page", map_foreign, EPERM, false, 0},
    {"map a granted page", map_grant, EPERM, false, 0},
    {"bind an event channel", bind_port, EPERM, false, 0},
    {"ring an event channel", ring, 0, false, 0},
    {"allow core dumps", allow_dumps, EPERM, false, 0},
    {"set a limit", raise_limit, EPERM, false, 0},
    {"load a program into the kernel", call_bpf, FATAL, true, 0},
};

static struct vmring *attach(void)
{
    struct vmring_opts opts = {.size = sizeof(opts), .nr_groups = 2};
    struct vmring *of = NULL;

    CHECK_EQ(vmring_open("sim:vcpus=2,count=1000", &opts, &of), 0);
    return of;
}

enum sandbox { NONE, WALLS, WHOLE };

/* What holds should the filter let something through. */
#if OF_BRIDGE
static void enter(struct vmring *of, enum sandbox how)
{
    (void)of;
    /* By granted pages, so that it has no folder of its own. */
    if (how == WHOLE && (bridge_sandbox_begin() || bridge_sandbox_enter("")))
        _exit(99);
}
#else
static void enter(struct vmring *of, enum sandbox how)
{
    struct agent_sandbox sandbox;
    char error[256] = "";
    int err = agent_sandbox_prepare(&sandbox, NULL, error, sizeof(error));

    if (!err && how == WHOLE)
        err = agent_sandbox_enter(&sandbox, of, error, sizeof(error));
    if (!err && how == WALLS)
        err = sandbox_change_root(NULL, error, sizeof(error)) ||
              sandbox_become(&sandbox.user, error, sizeof(error)) ||
              sandbox_close_doors(error, sizeof(error));
    if (err) {
        fprintf(stderr, "%s\n", error);
        _exit(99);
    }
}

#endif

/* 0, errno, or KILLED. */
static int probe(const struct probe *what, enum sandbox how)
{
    int status;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct vmring *of = attach();

        CHECK_EQ(pipe(thread_go), 0);
        CHECK_EQ(pthread_create(&thread, NULL, open_in_thread, thread_go), 0);
        enter(of, how);
        _exit(what->run());
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        CHECK_EQ(WTERMSIG(status), SIGSYS);
        return KILLED;
    }
    return WEXITSTATUS(status);
}

static const char *outcome(int of)
{
    return of == KILLED ? "it is killed" : of ? strerror(of) : "it can";
}

static int compare(const struct probe *what)
{
    int free, boxed, walls = 0;

    if (what->root && geteuid() != 0) {
        printf("not shown, as only root can: %s\n", what->name);
        return 0;
    }
    free = probe(what, NONE);
    boxed = probe(what, WHOLE);
    if (what->walls && geteuid() == 0 && !OF_BRIDGE)
        walls = probe(what, WALLS);
    printf("%-48s before: %s; in the sandbox: %s", what->name, outcome(free),
           outcome(boxed));
    if (walls)
        printf("; without its filter: %s", outcome(walls));
    putchar('\n');
    return free != 0 || boxed != what->boxed ||
           (geteuid() == 0 && !OF_BRIDGE && walls != what->walls);
}

static void *nothing(void *ctx)
{
    return ctx;
}

/* Everything an agent does once it has attached. */
static void work(void)
{
    struct vmring *of = attach();
    struct vmring_event event;
    struct xen_vm_ring_response neutral;
    struct vmring_count *counts;
    unsigned int nr = 0;
    pthread_t other;
    int r;

    enter(of, WHOLE);
    CHECK_EQ(pthread_create(&other, NULL, nothing, NULL), 0);
    CHECK_EQ(pthread_join(other, NULL), 0);
    CHECK_EQ(vmring_subscribe(of, "cpuid cr3:async", NULL, NULL, 0), 2);
    while ((r = vmring_next(of, &event)) >= 0) {
        if (r == 1 && event.seq) {
            vmring_neutral(&event, &neutral);
            CHECK_EQ(vmring_respond(of, &event, &neutral), 0);
        }
        if (r == 0)
            (void)poll(&(struct pollfd){vmring_fd(of), POLLIN, 0}, 1, -1);
        nr += (unsigned int)r;
    }
    CHECK_EQ(r, -ESRCH);
    CHECK(nr > 0);
    CHECK(vmring_counts(of, &counts) > 0);
    vmring_close(of);
    exit(0);
}

int main(void)
{
    int failed = 0, fd = mkstemp(file), status;
    pid_t pid;

    if (!SANDBOX_BY_DEFAULT) {
        unlink(file);
        puts("built with a sanitizer, which opens files: no sandbox");
        return 77;
    }
    CHECK(fd >= 0);
    close(fd);
    null_fd = open("/dev/null", O_RDWR);
    CHECK(null_fd >= 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned int i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        int bad = compare(&probes[i]);

        if (bad)
            printf("FAILED: %s\n", probes[i].name);
        failed |= bad;
    }
    pid = fork();
    if (pid == 0)
        work();
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    CHECK_EQ(unlink(file), 0);
    return failed;
}
