/* SPDX-License-Identifier: MIT */
/*
 * wait_built.c: waiting for a domain that the toolstack still builds.
 *
 * Its name is there long before it can be watched, and it is there for long if
 * it is restored.  Xen has no word for it: the domain is paused, and its first
 * vCPU, whose state is loaded last, has never been up.
 */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "../../libvmring/base/clock.h"
#include "../exit_status.h"
#include "../log.h"
#include "../signals.h"
#include "../source.h"
#include "wait_built.h"

#define LOOK_MS 200

#define NS_PER_MS UINT64_C(1000000)

static bool is_built(struct target *target, const struct domain_info *info)
{
    xc_vcpuinfo_t vcpu;

    /* find_target.c refuses one that cannot be watched at all. */
    if (!info->is_hvm || !info->paused || info->dying || info->shutdown)
        return true;
    return target_get_vcpu(target, 0, &vcpu) && (vcpu.online || vcpu.cpu_time);
}

/* A signal that ends us; it is delivered when it is let in again. */
static bool has_come(const sigset_t *ending)
{
    sigset_t come;

    sigemptyset(&come);
    if (sigpending(&come) < 0)
        return false;
    for (int nr = 1; nr < SIGRTMIN; nr++)
        if (sigismember(ending, nr) == 1 && sigismember(&come, nr) == 1)
            return true;
    return false;
}

static int wait_for_it(struct target *target, unsigned int wait_s,
                       const sigset_t *ending, struct domain_info *info)
{
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
    uint64_t until = clock_ns() + (uint64_t)wait_s * 1000 * NS_PER_MS;
    int error;

    while (!is_built(target, info)) {
        if (has_come(ending))
            return SOURCE_INTERRUPTED;
        if (clock_ns() >= until) {
            bridge_log(LOG_ERR,
                       "%s is still being built after %u s; start me again, or "
                       "say --wait",
                       target->name, wait_s);
            return EXIT_NO_TARGET;
        }
        nanosleep(&look, NULL);
        error = target_get_info(target, info);
        if (error < 0) {
            bridge_log(LOG_ERR,
                       "%s is gone, and was never built; start it again",
                       target->name);
            return EXIT_NO_TARGET;
        }
    }
    return 0;
}

int wait_built(struct target *target, unsigned int wait_s,
               struct domain_info *info)
{
    sigset_t ending, before;
    int status;

    if (is_built(target, info))
        return 0;
    bridge_log(LOG_WARNING, "%s is being built: waiting for that, %u s at most",
               target->name, wait_s);
    sigemptyset(&ending);
    for (int i = 0; i < NR_SIGNALS; i++)
        /* The kernel notes one that is blocked though it is ignored. */
        if (bridge_signal_ends(bridge_ending_signals[i]))
            sigaddset(&ending, bridge_ending_signals[i]);
    sigprocmask(SIG_BLOCK, &ending, &before);
    status = wait_for_it(target, wait_s, &ending, info);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
