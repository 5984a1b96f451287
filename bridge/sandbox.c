/* SPDX-License-Identifier: MIT */
/*
 * sandbox.c: what a bridge gives up.
 *
 * It keeps its descriptors, and with that of privcmd whatever dom0 can ask of
 * Xen: this is no wall around a bridge that was taken over.  It keeps an
 * attacker from files, programs and connections of dom0, and from the easy ways
 * to make use of it.  The bridge keeps its user, as the folder of its socket is
 * that user's, without capabilities.  (Threads of libxenstore keep the two that
 * it began with: the kernel has them each their own.  Of the calls that are
 * left only the removal of a file minds them.)
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/xen.h>

#include <xen/sys/evtchn.h> /* after Xen's types */
#include <xen/sys/gntalloc.h>
#include <xen/sys/privcmd.h>

#include "../sandbox/sandbox.h"
#include "exit_status.h"
#include "log.h"
#include "source.h"

static const struct sandbox_call calls[] = {
    /* Consumers come and go. */
    {"accept4", "a consumer comes", SANDBOX_ALWAYS},
    {"getsockopt", "and who it is", SANDBOX_ALWAYS},
    {"ioctl", "what it has not read", SANDBOX_IF(1, SIOCOUTQ)},
    {"shutdown", "no more, once it has", SANDBOX_ALWAYS},
    {"memfd_create", "the pages of its ring", SANDBOX_ALWAYS},
    {"fallocate", "their memory", SANDBOX_ALWAYS},
    {"fcntl", "their seals", SANDBOX_IF(1, F_ADD_SEALS)},
    {"fchmod", "nobody else opens them", SANDBOX_IF(1, S_IRUSR)},
    {"socketpair", "its doorbells", SANDBOX_IF(0, AF_UNIX)},
    {"fcntl", "a descriptor to spare, to refuse one with",
     SANDBOX_IF(1, F_DUPFD_CLOEXEC)},
    {"unlinkat", "its socket and its lock, at the end", SANDBOX_ALWAYS},
    /* Consumers in another domain. */
    {"ioctl", "pages for them", SANDBOX_IF(1, IOCTL_GNTALLOC_ALLOC_GREF)},
    {"ioctl", "who hears of their end",
     SANDBOX_IF(1, IOCTL_GNTALLOC_SET_UNMAP_NOTIFY)},
    {"ioctl", "and back", SANDBOX_IF(1, IOCTL_GNTALLOC_DEALLOC_GREF)},
    {"ioctl", "doorbells for them",
     SANDBOX_IF(1, IOCTL_EVTCHN_BIND_UNBOUND_PORT)},
    {"pread64", "how much memory there is for them", SANDBOX_ALWAYS},
    /* The monitor. */
    {"ioctl", "ringing", SANDBOX_IF(1, IOCTL_EVTCHN_NOTIFY)},
    {"ioctl", "no more ringing", SANDBOX_IF(1, IOCTL_EVTCHN_UNBIND)},
    {"ioctl", "domctls of the monitor", SANDBOX_IF(1, IOCTL_PRIVCMD_HYPERCALL)},
    {"ioctl", "injecting traps", SANDBOX_IF(1, IOCTL_PRIVCMD_DM_OP)},
    /* The simulated guest. */
    {"ftruncate", "its truth, if it cannot be written", SANDBOX_ALWAYS},
};

static int cannot(const char *error)
{
    bridge_log(LOG_ERR, "%s; --no-sandbox runs with all rights instead", error);
    return EXIT_FAULT;
}

int bridge_sandbox_begin(void)
{
    char error[256];

    return sandbox_drop_capabilities(1ULL << CAP_DAC_OVERRIDE |
                                         1ULL << CAP_SYS_CHROOT,
                                     error, sizeof(error))
               ? cannot(error)
               : 0;
}

/* Its folder, or that of the lock: what is removed at the end is there. */
static const char *folder_of(const char *socket, char folder[128])
{
    const char *slash = strrchr(socket, '/');
    int len = slash ? (int)(slash - socket) + 1 : 0;

    if (!*socket)
        return access(RUN_DIRECTORY, F_OK) < 0 ? NULL : RUN_DIRECTORY;
    snprintf(folder, 128, "%.*s.", len, socket);
    return folder;
}

static bool is_run_directory(const char *folder)
{
    struct stat ours, run;

    return stat(folder, &ours) == 0 && stat(RUN_DIRECTORY, &run) == 0 &&
           ours.st_ino == run.st_ino && ours.st_dev == run.st_dev;
}

bool bridge_sandbox_confines(const char *socket)
{
    char buffer[128];
    const char *folder = folder_of(socket, buffer);

    return geteuid() == 0 && (!folder || !is_run_directory(folder));
}

int bridge_sandbox_enter(const char *socket)
{
    char error[256], folder[128];
    int err = 0;

    sandbox_load_code();
    if (geteuid() == 0)
        err = sandbox_change_root(folder_of(socket, folder), error,
                                  sizeof(error));
    if (!err)
        err = sandbox_close_doors(error, sizeof(error));
    if (!err)
        err = sandbox_drop_capabilities(0, error, sizeof(error));
    /* Not lethal: a bridge that is killed takes its guest along. */
    if (!err)
        err = sandbox_filter(calls, sizeof(calls) / sizeof(calls[0]), false,
                             error, sizeof(error));
    return err ? cannot(error) : 0;
}
