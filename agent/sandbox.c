/* SPDX-License-Identifier: MIT */
/*
 * sandbox.c: what an attached agent gives up.
 *
 * It judges a guest that may be hostile, by data of that guest.  An attacker
 * that took it over would have what is left here: the verdicts that the
 * producer allows, the outputs, and the control channel.
 */
#include "sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xen/xen.h>

#include <xen/sys/evtchn.h> /* after Xen's types */

static const struct sandbox_call calls[] = {
    {"ioctl", "ringing a bridge in another domain",
     SANDBOX_IF(1, IOCTL_EVTCHN_NOTIFY)},
    {"ioctl", "how wide a terminal is", SANDBOX_IF(1, TIOCGWINSZ)},
    {"ftruncate", "the simulated guest's truth", SANDBOX_ALWAYS},
    {"wait4", "the bridge that it has started ends", SANDBOX_ALWAYS},
};

int agent_sandbox_prepare(struct agent_sandbox *sandbox, const char *name,
                          char *error, size_t error_len)
{
    sandbox->becomes = geteuid() == 0;
    if (!sandbox->becomes && name)
        return sandbox_fail(-EINVAL, error, error_len,
                            "--user %s: only root can become another user; "
                            "leave it out",
                            name);
    /*
     * Now, as they are each thread's own: what is started from here on has none
     * either.
     */
    if (!sandbox->becomes)
        return sandbox_drop_capabilities(0, error, error_len);
    return sandbox_find_user(name, &sandbox->user, error, error_len);
}

int agent_sandbox_enter(const struct agent_sandbox *sandbox,
                        struct vmring *ring, char *error, size_t error_len)
{
    int err = vmring_restrict(ring);

    /* Event channels that the kernel does not restrict, the filter does. */
    if (err && err != -EOPNOTSUPP)
        return sandbox_fail(err, error, error_len,
                            "cannot give up the handles of Xen: %s",
                            strerror(-err));
    err = 0;
    sandbox_load_code();
    if (sandbox->becomes)
        err = sandbox_change_root(NULL, error, error_len);
    if (!err)
        err = sandbox->becomes
                  ? sandbox_become(&sandbox->user, error, error_len)
                  : sandbox_drop_capabilities(0, error, error_len);
    /* Not before: another user is as dumpable as fs.suid_dumpable says. */
    if (!err)
        err = sandbox_close_doors(error, error_len);
    if (!err)
        err = sandbox_filter(calls, sizeof(calls) / sizeof(calls[0]), true,
                             error, error_len);
    return err;
}
