/* SPDX-License-Identifier: MIT */
/* run_directory.c: where sockets are by default, and locks. */
#include "run_directory.h"

#include <errno.h>
#include <sys/stat.h>

int run_directory_make(void)
{
    mode_t old = umask(022);
    int err = mkdir(RUN_DIRECTORY, 0755) < 0 && errno != EEXIST ? -errno : 0;

    umask(old);
    return err;
}
