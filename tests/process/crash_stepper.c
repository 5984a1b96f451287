/* SPDX-License-Identifier: MIT */
#include "crash_stepper.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/check.h"

#define MAX_KEPT 8

static struct {
    void *at;
    size_t len;
    void *saved;
} kept[MAX_KEPT];
static unsigned int nr_kept;
static unsigned long step;

unsigned long stepper_at(void)
{
    return step;
}

void stepper_keep(void *at, size_t len)
{
    CHECK(nr_kept < MAX_KEPT);
    kept[nr_kept].at = at;
    kept[nr_kept].len = len;
    kept[nr_kept].saved = malloc(len);
    CHECK(kept[nr_kept].saved);
    nr_kept++;
}

static void save(void)
{
    for (unsigned int i = 0; i < nr_kept; i++)
        memcpy(kept[i].saved, kept[i].at, kept[i].len);
}

static void restore(void)
{
    for (unsigned int i = 0; i < nr_kept; i++)
        memcpy(kept[i].at, kept[i].saved, kept[i].len);
}

/* The child, stopped where it begins. */
static pid_t start(void (*act)(void))
{
    pid_t pid;
    int status;

    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(TEST_SKIPPED);
        raise(SIGSTOP);
        act();
        raise(SIGUSR1);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIPPED) {
        puts("no process can be traced here");
        exit(TEST_SKIPPED);
    }
    CHECK(WIFSTOPPED(status));
    return pid;
}

/* One instruction.  0: it has done all. */
static int step_on(pid_t pid)
{
    int status;

    if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0) {
        printf("no process can be single-stepped here: %s\n", strerror(errno));
        exit(TEST_SKIPPED);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSTOPPED(status));
    if (WSTOPSIG(status) == SIGUSR1)
        return 0;
    CHECK_EQ(WSTOPSIG(status), SIGTRAP);
    return 1;
}

/*
 * The child stands still between two instructions: were it killed, this is
 * the memory that it would leave.
 */
unsigned long stepper_run(void (*act)(void), void (*check)(void))
{
    pid_t pid = start(act);

    step = 0;
    do {
        save();
        check();
        restore();
        step++;
    } while (step_on(pid));
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    check();
    return step;
}
