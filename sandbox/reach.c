/* SPDX-License-Identifier: MIT */
/* reach.c: files, debuggers and programs that are out of reach. */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"

/* Of descriptors; those that are there are a hundred at most. */
#define MAX_FILES 1024

static int limit(int what, rlim_t most)
{
    struct rlimit limit;

    if (getrlimit(what, &limit) < 0)
        return -errno;
    if (limit.rlim_max > most)
        limit.rlim_max = most;
    if (limit.rlim_cur > limit.rlim_max)
        limit.rlim_cur = limit.rlim_max;
    return setrlimit(what, &limit) < 0 ? -errno : 0;
}

void sandbox_load_code(void)
{
    void *caller;

    /* Of all that needs libgcc_s it does the least. */
    (void)backtrace(&caller, 1);
}

void sandbox_note_inherited(struct sandbox_inherited *inherited)
{
    for (int fd = 0; fd < SANDBOX_MAX_INHERITED; fd++)
        inherited->is_open[fd] = fd > 2 && fcntl(fd, F_GETFD) >= 0;
}

void sandbox_close_inherited(const struct sandbox_inherited *inherited,
                             int kept)
{
    for (int fd = 0; fd < SANDBOX_MAX_INHERITED; fd++)
        if (inherited->is_open[fd] && fd != kept)
            close(fd);
}

int sandbox_close_doors(char *error, size_t error_len)
{
    int err = 0;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        err = -errno;
    /* What it has seen of the guest must not get into a file. */
    if (!err)
        err = limit(RLIMIT_CORE, 0);
    if (!err)
        err = limit(RLIMIT_NOFILE, MAX_FILES);
    return err ? sandbox_fail(err, error, error_len,
                              "cannot give up privileges, core dumps and "
                              "descriptors: %s",
                              strerror(-err))
               : 0;
}

/*
 * A folder that was removed has no files, and none can be made in it.  It is
 * made where root alone can write, or at least remove.
 */
static int change_to_nothing(void)
{
    static const char *const places[] = {"/run", "/tmp", "/"};
    char path[64];
    int err = -ENOENT;

    for (unsigned int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/vmring-XXXXXX",
                 i < 2 ? places[i] : "");
        if (!mkdtemp(path)) {
            err = -errno;
            continue;
        }
        if (chdir(path) < 0 || rmdir(path) < 0) {
            err = -errno;
            (void)rmdir(path);
            return err;
        }
        return chroot(".") < 0 ? -errno : 0;
    }
    return err;
}

int sandbox_change_root(const char *folder, char *error, size_t error_len)
{
    int err;

    if (!folder)
        err = change_to_nothing();
    else
        err = chdir(folder) < 0 || chroot(".") < 0 ? -errno : 0;
    return err ? sandbox_fail(
                     err, error, error_len, "cannot change the root to %s: %s",
                     folder ? folder : "an empty folder", strerror(-err))
               : 0;
}
