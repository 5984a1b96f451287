/* SPDX-License-Identifier: MIT */
/*
 * bridge_start.c: a vmring-bridge of the agent's own, for one domain.
 *
 * Once it serves, the bridge writes the path of its socket and a newline to
 * the descriptor of its --ready-fd; or the path of another's, if there is a
 * bridge already.
 */
#include "bridge_start.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../bridge/exit_status.h"
#include "base/clock.h"
#include "base/early.h"
#include "output/say.h"

#define BRIDGE   "vmring-bridge"
#define READY_FD 3

/* A domain that is busy may take its time to be watched.  A test has its own.
 */
#ifndef READY_MS
#define READY_MS 30000
#endif
/* One that is being built is waited for: so much shorter that it says so. */
#define BUILT_S "20"
/* When to tell the user why the agent has not ended yet. */
#define SLOW_END_MS 5000
#define POLL_MS     10

extern char **environ;

/* Where the one installed, or built, together with this agent is, or "". */
static void name_sibling(char *path, size_t len)
{
    ssize_t n = readlink("/proc/self/exe", path, len - sizeof(BRIDGE));
    char *slash;

    path[n > 0 ? n : 0] = '\0';
    slash = strrchr(path, '/');
    memcpy(slash ? slash + 1 : path, BRIDGE, sizeof(BRIDGE));
    if (!slash)
        *path = '\0';
}

/* Says where it was looked for. */
static void say_not_started(const char *sibling, int err)
{
    if (err == -ENOENT)
        say("cannot start " BRIDGE ": %s is not there, and there is none in "
            "PATH either; build it, or install it beside vmring-agent",
            *sibling ? sibling : "the one beside vmring-agent");
    else
        say("cannot start " BRIDGE ": %s", strerror(-err));
}

/*
 * The reasons of the events that the agent is to watch, by name; "all" if it
 * asks which there are.
 */
static void name_events(const struct options *options, char *list, size_t len)
{
    struct vmring_spec specs[VMRING_MAX_SPECS];
    uint32_t named = 0;
    size_t used = 0;
    int nr = options->list_kinds
                 ? -1
                 : vmring_specs_parse(options->events, specs, VMRING_MAX_SPECS,
                                      NULL, 0);

    snprintf(list, len, "all");
    for (int i = 0; i < nr; i++) {
        const char *name = vmring_reason_name(specs[i].reason);

        if (!name || named >> specs[i].reason & 1)
            continue;
        named |= UINT32_C(1) << specs[i].reason;
        used += (size_t)snprintf(list + used, len - used, "%s%s",
                                 used ? "," : "", name);
    }
}

static int spawn(struct bridge *bridge, const struct options *options,
                 const char *sibling, int ready_fd)
{
    const char *path = access(sibling, X_OK) == 0 ? sibling : BRIDGE;
    char fd[16], deadline[16], events[512], verdicts[POLICY_VERDICTS_TEXT];
    const char *argv[18];
    unsigned int argc = 0;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, pipe;
    int r;

    snprintf(fd, sizeof(fd), "%d", READY_FD);
    /* In ms: not less than this agent asks for. */
    snprintf(deadline, sizeof(deadline), "%" PRIu64,
             (options->deadline_ns + 999999) / 1000000);
    argv[argc++] = BRIDGE;
    argv[argc++] = "--once";
    /* One that serves this domain already, by whatever socket, will do. */
    argv[argc++] = "--share";
    argv[argc++] = "--wait";
    argv[argc++] = BUILT_S;
    argv[argc++] = "--ready-fd";
    argv[argc++] = fd;
    if (options->deadline_ns) {
        argv[argc++] = "--deadline";
        argv[argc++] = deadline;
    }
    /* Its ledger would say once more what the agent's says. */
    argv[argc++] = "--quiet";
    name_events(options, events, sizeof(events));
    argv[argc++] = "--allow-events";
    argv[argc++] = events;
    argv[argc++] = "--allow-verdicts";
    policy_name_verdicts(&options->policy, verdicts);
    argv[argc++] = verdicts;
    if (options->no_sandbox)
        argv[argc++] = "--no-sandbox";
    argv[argc++] = "--";
    argv[argc++] = options->endpoint;
    argv[argc] = NULL;

    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    /* The reader of the agent's output must see its end when the agent ends. */
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, ready_fd, READY_FD);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID |
                                        POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &pipe);
    /* posix_spawnp() does not write to argv; its type is older than const. */
    r = posix_spawnp(&bridge->pid, path, &actions, &attr,
                     (char **)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

/*
 * Reads the line.  0; -EPIPE the bridge has ended without it; -EINTR a
 * signal wants the agent to end; -ETIMEDOUT.
 */
static int read_ready(struct bridge *bridge, int fd, int signal_fd)
{
    struct pollfd pfds[] = {{.fd = fd, .events = POLLIN},
                            {.fd = signal_fd, .events = POLLIN}};
    int64_t until = clock_ms() + READY_MS;
    size_t used = 0;

    for (;;) {
        int64_t left = until - clock_ms();
        int r = poll(pfds, 2, left > 0 ? (int)left : 0);
        ssize_t n;

        /* For all of it; what is there by then is taken, and has an end. */
        if (r == 0)
            return -ETIMEDOUT;
        if (r < 0)
            continue; /* EINTR: by a signal that is not ours */
        if (pfds[1].revents)
            return -EINTR;
        n = read(fd, bridge->socket + used, sizeof(bridge->socket) - 1 - used);
        if (n <= 0)
            return -EPIPE;
        used += (size_t)n;
        bridge->socket[used] = '\0';
        if (strchr(bridge->socket, '\n')) {
            *strchr(bridge->socket, '\n') = '\0';
            return 0;
        }
    }
}

/* Those that end the agent; one that is ignored comes if it is blocked. */
static void find_ending(sigset_t *ending)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU};
    struct sigaction action;

    sigemptyset(ending);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (sigaction(signals[i], NULL, &action) == 0 &&
            action.sa_handler != SIG_IGN)
            sigaddset(ending, signals[i]);
}

/* With the signals that end the agent blocked. */
static int wait_ready(struct bridge *bridge, int fd, const sigset_t *ending)
{
    int signal_fd = signalfd(-1, ending, SFD_CLOEXEC);
    int r = read_ready(bridge, fd, signal_fd);

    if (signal_fd >= 0) {
        if (r == -EINTR) {
            /* Taken, so that it does not kill us once it is unblocked. */
            struct signalfd_siginfo info;

            if (read(signal_fd, &info, sizeof(info)) < 0)
                r = -EINTR;
        }
        close(signal_fd);
    }
    return r;
}

/* Reaps it: its exit status; -EAGAIN while it runs and `block` is false. */
static int reap(struct bridge *bridge, bool block)
{
    int status;
    pid_t r;

    do
        r = waitpid(bridge->pid, &status, block ? 0 : WNOHANG);
    while (r < 0 && errno == EINTR);
    if (r == 0)
        return -EAGAIN;
    bridge->pid = 0;
    if (r > 0 && WIFEXITED(status))
        return WEXITSTATUS(status);
    if (r > 0 && WIFSIGNALED(status) && !bridge->stopped)
        say("the bridge was killed by signal %d; see vmring-bridge(8) on "
            "what that leaves behind",
            WTERMSIG(status));
    return EXIT_PEER_LOST;
}

int bridge_wait(struct bridge *bridge)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    unsigned int waited = 0;
    int status;

    if (!bridge->pid)
        return EXIT_AS_ASKED;
    while ((status = reap(bridge, false)) < 0) {
        if (waited > SLOW_END_MS && early_has_come(NULL)) {
            say("the bridge (process %d) is left to itself", (int)bridge->pid);
            bridge->pid = 0;
            return EXIT_PEER_LOST;
        }
        nanosleep(&pause, NULL);
        waited += POLL_MS;
        if (waited != SLOW_END_MS)
            continue;
        early_forget();
        say("waiting for the bridge (process %d) to leave the domain; "
            "Ctrl-C leaves it to itself",
            (int)bridge->pid);
    }
    return status;
}

int bridge_stop(struct bridge *bridge)
{
    if (bridge->pid) {
        bridge->stopped = true;
        kill(bridge->pid, SIGTERM);
    }
    return bridge_wait(bridge);
}

int bridge_start(struct bridge *bridge, const struct options *options)
{
    char sibling[PATH_MAX];
    sigset_t ending, old;
    int fds[2], r;

    memset(bridge, 0, sizeof(*bridge));
    if (pipe2(fds, O_CLOEXEC) < 0) {
        say("pipe: %s", strerror(errno));
        return EXIT_FAULT;
    }
    /* From before there is a bridge: none of them leaves it behind. */
    find_ending(&ending);
    sigprocmask(SIG_BLOCK, &ending, &old);
    name_sibling(sibling, sizeof(sibling));
    r = spawn(bridge, options, sibling, fds[1]);
    close(fds[1]);
    if (r) {
        sigprocmask(SIG_SETMASK, &old, NULL);
        close(fds[0]);
        bridge->pid = 0;
        say_not_started(sibling, r);
        return EXIT_NO_ENDPOINT;
    }
    /* One that has come before was only noted. */
    r = early_has_come(NULL) ? -EINTR : wait_ready(bridge, fds[0], &ending);
    sigprocmask(SIG_SETMASK, &old, NULL);
    close(fds[0]);
    switch (r) {
    case 0:
        return EXIT_AS_ASKED;
    case -EPIPE:
        r = reap(bridge, true);
        if (r == EXIT_AS_ASKED) {
            say("the bridge ended before it served; start vmring-bridge by "
                "hand to see why");
            r = EXIT_PEER_LOST;
        }
        return r; /* it has said why */
    case -ETIMEDOUT:
        say("the bridge was not ready within %d s; start vmring-bridge by "
            "hand to see why",
            READY_MS / 1000);
        bridge_stop(bridge);
        return EXIT_PEER_LOST;
    default:
        say("interrupted while the bridge was starting");
        r = bridge_stop(bridge);
        return r == EXIT_LEFT_BEHIND ? r : EXIT_AS_ASKED;
    }
}
