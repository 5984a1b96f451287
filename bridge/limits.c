/* SPDX-License-Identifier: MIT */
/* limits.c: what the kernel would do to a bridge that takes too much. */
#include "limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exit_status.h"
#include "log.h"

/* Descriptors: a consumer has up to 128 ends of doorbells when it attaches. */
#define MIN_FILES 256
/* Locked memory: the buffers of hypercalls. */
#define MIN_LOCKED (1 << 20)
/* Besides the ring: libraries, tables of vCPUs, stacks. */
#define OWN_SPACE (UINT64_C(256) << 20)
/* So long before SIGKILL for RLIMIT_CPU comes SIGXCPU, which ends in order. */
#define CPU_SECONDS 5

/* Raises a limit as far as is allowed, and returns it. */
static rlim_t raise_limit(int what)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    if (setrlimit(what, &limit) == 0)
        return RLIM_INFINITY;
    if (getrlimit(what, &limit) < 0)
        return RLIM_INFINITY;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(what, &limit);
    return limit.rlim_cur;
}

static bool is_below(rlim_t limit, uint64_t wanted)
{
    return limit != RLIM_INFINITY && limit < wanted;
}

static void say_low(const char *name, const char *option, rlim_t limit,
                    const char *effect)
{
    bridge_log(LOG_WARNING,
               "the limit of %s (ulimit -%s) is %llu KiB: %s; raise it", name,
               option, (unsigned long long)limit / 1024, effect);
}

static void mind_cpu_time(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CPU, &limit) < 0 || limit.rlim_max == RLIM_INFINITY)
        return;
    limit.rlim_cur =
        limit.rlim_max > CPU_SECONDS ? limit.rlim_max - CPU_SECONDS : 1;
    (void)setrlimit(RLIMIT_CPU, &limit);
    bridge_log(
        LOG_WARNING,
        "the limit of CPU time (ulimit -t) ends this after %llu s of it; "
        "raise it",
        (unsigned long long)limit.rlim_cur);
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

    if (fd >= 0)
        close(fd);
    return done;
}

/* A guest's vCPUs wait for this process: nothing is worse to lose. */
static void mind_memory(rlim_t locked)
{
    if (!write_file("/proc/self/oom_score_adj", "-1000"))
        bridge_log(LOG_INFO,
                   "not protected from the kernel's OOM killer: %s; give it "
                   "CAP_SYS_RESOURCE, or root",
                   strerror(errno));
    /* Pages once used stay: no vCPU is to wait for the disk. */
    if (locked == RLIM_INFINITY)
        (void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

int bridge_limits_begin(uint64_t max_async_len)
{
    rlim_t files, locked, limit;
    struct rlimit all;

    (void)getrlimit(RLIMIT_NOFILE, &all);
    all.rlim_cur = all.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &all);
    files = all.rlim_cur;
    if (is_below(files, MIN_FILES)) {
        bridge_log(
            LOG_ERR,
            "%llu descriptors (ulimit -n) are too few for a bridge; allow "
            "%d or more",
            (unsigned long long)files, MIN_FILES);
        return EXIT_FAULT;
    }
    limit = raise_limit(RLIMIT_FSIZE);
    if (is_below(limit, max_async_len))
        say_low("the size of a file", "f", limit,
                "consumers that ask for a larger ring are refused");
    limit = raise_limit(RLIMIT_AS);
    if (is_below(limit, max_async_len + OWN_SPACE))
        say_low("address space", "v", limit,
                "consumers that ask for a larger ring are refused");
    locked = raise_limit(RLIMIT_MEMLOCK);
    if (is_below(locked, MIN_LOCKED))
        say_low("locked memory", "l", locked, "hypercalls may fail");
    mind_cpu_time();
    mind_memory(locked);
    return 0;
}
