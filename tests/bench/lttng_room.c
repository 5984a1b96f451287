/* SPDX-License-Identifier: MIT */
/* lttng_room.c: where LTTng's daemon and bench_lttng are by themselves. */
#include "lttng.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where a daemon of root's awaits applications. */
#define APPS "/run/lttng/lttng-ust-sock-8"

/* Whoever opened the room reads this in place of a first answer. */
static void __attribute__((__noreturn__, __format__(printf, 1, 2)))
give_up(const char *format, ...)
{
    struct lttng_answer answer = {.result = BENCH_SKIP, .is_last = true};
    va_list args;

    va_start(args, format);
    vsnprintf(answer.why, sizeof(answer.why), format, args);
    va_end(args);
    (void)!write(STDOUT_FILENO, &answer, sizeof(answer));
    _exit(1);
}

static void mount_own(const char *at)
{
    if (mount("tmpfs", at, "tmpfs", 0, "mode=0755"))
        give_up("no %s of its own: errno %d", at, errno);
}

/*
 * The daemon says nothing; the consumer's CPU is its own and its children's.
 * Its own choice of a group need not be there in a user namespace.
 */
static void start_daemon(int cpu)
{
    cpu_set_t set;
    int null;

    if (fork())
        return;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
    null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
    execlp("lttng-sessiond", "lttng-sessiond", "--no-kernel", "--group=root",
           (char *)NULL);
    _exit(127);
}

static void await_daemon(void)
{
    for (int i = 0; i < 1000; i++) {
        if (access(APPS, F_OK) == 0)
            return;
        if (waitpid(-1, NULL, WNOHANG) > 0)
            give_up("lttng-sessiond does not start: package lttng-tools");
        usleep(10000);
    }
    give_up("lttng-sessiond is not ready after 10 s");
}

/* The first process of its namespace: when it ends, all others do. */
static void __attribute__((__noreturn__)) furnish(const int cpus[2])
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("proc", "/proc", "proc", 0, NULL))
        give_up("no /proc of its own: errno %d", errno);
    mount_own("/run");
    mount_own("/dev/shm");
    setenv("LTTNG_HOME", "/dev/shm", 1);
    start_daemon(cpus[1]);
    await_daemon();
    execl(BENCH_LTTNG, "bench_lttng", (char *)NULL);
    give_up("%s: errno %d", BENCH_LTTNG, errno);
}

static void write_to(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        give_up("no user namespace: %s: errno %d", path, errno);
    close(fd);
}

/* Who is not root is that within. */
static void unshare_all(void)
{
    unsigned uid = geteuid(), gid = getegid();
    char map[32];

    if (unshare((uid ? CLONE_NEWUSER : 0) | CLONE_NEWNS | CLONE_NEWPID))
        give_up("no namespaces of its own: errno %d", errno);
    if (!uid)
        return;
    write_to("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "0 %u 1", uid);
    write_to("/proc/self/uid_map", map);
    snprintf(map, sizeof(map), "0 %u 1", gid);
    write_to("/proc/self/gid_map", map);
}

static void __attribute__((__noreturn__))
enter(const int to[2], const int from[2], const int cpus[2])
{
    pid_t first;

    /* A terminal's interrupt is not for it: it ends with its input. */
    setsid();
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    close(to[0]);
    close(to[1]);
    close(from[0]);
    close(from[1]);
    unshare_all();
    first = fork();
    if (first == 0)
        furnish(cpus);
    waitpid(first, NULL, 0);
    _exit(0);
}

bool lttng_room_open(struct lttng_room *room, const int cpus[2], char *why,
                     size_t len)
{
    int to[2], from[2];

    if (pipe2(to, O_CLOEXEC)) {
        snprintf(why, len, "no pipe: errno %d", errno);
        return false;
    }
    if (pipe2(from, O_CLOEXEC)) {
        snprintf(why, len, "no pipe: errno %d", errno);
        close(to[0]);
        close(to[1]);
        return false;
    }
    fflush(NULL);
    room->pid = fork();
    if (room->pid == 0)
        enter(to, from, cpus);
    close(to[0]);
    close(from[1]);
    room->in = to[1];
    room->out = from[0];
    if (room->pid < 0) {
        snprintf(why, len, "no process: errno %d", errno);
        close(room->in);
        close(room->out);
        return false;
    }
    return true;
}

void lttng_room_close(struct lttng_room *room, bool hangs)
{
    /* The first process of the namespace is killed along with its parent. */
    if (hangs)
        kill(room->pid, SIGKILL);
    close(room->in);
    close(room->out);
    waitpid(room->pid, NULL, 0);
}
