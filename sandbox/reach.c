/* SPDX-License-Identifier: MIT */
/* reach.c: files, debuggers and programs that are out of reach. */
#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
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

int sandbox_close_doors(char *error, size_t error_len)
{
    int err = 0;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        err = -errno;
    /* Data of the guest must not get into a file. */
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

/*
 * Is a folder open that is not the root-to-be?  It would be a way out of the
 * root.  Where there is no /proc that is not known.
 */
static bool holds_another_folder(const char *folder)
{
    DIR *list = opendir("/proc/self/fd");
    struct stat root = {.st_ino = 0}, of;
    const struct dirent *entry;
    bool found = false;

    if (folder)
        (void)stat(folder, &root);
    while (list && (entry = readdir(list)) != NULL) {
        int fd = (int)strtol(entry->d_name, NULL, 10);

        if (entry->d_name[0] != '.' && fd != dirfd(list) &&
            fstat(fd, &of) == 0 && S_ISDIR(of.st_mode) &&
            (of.st_ino != root.st_ino || of.st_dev != root.st_dev))
            found = true;
    }
    if (list)
        closedir(list);
    return found;
}

int sandbox_change_root(const char *folder, char *error, size_t error_len)
{
    int err;

    if (holds_another_folder(folder))
        return sandbox_fail(-EBUSY, error, error_len,
                            "a folder outside of the root is open");
    if (!folder)
        err = change_to_nothing();
    else
        err = chdir(folder) < 0 || chroot(".") < 0 ? -errno : 0;
    return err ? sandbox_fail(
                     err, error, error_len, "cannot change the root to %s: %s",
                     folder ? folder : "an empty folder", strerror(-err))
               : 0;
}
