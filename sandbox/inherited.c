/* SPDX-License-Identifier: MIT */
/* inherited.c: descriptors that a program was started with. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox.h"

void sandbox_open_standard(void)
{
    int fd;

    /* The lowest that is free, as the kernel gives them. */
    do
        fd = open("/dev/null", O_PATH);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int note(struct sandbox_inherited *inherited, int fd)
{
    int *more;

    if (fd <= STDERR_FILENO)
        return 0;
    if ((inherited->nr & (inherited->nr - 1)) == 0) {
        size_t room = inherited->nr ? 2 * inherited->nr : 1;

        more = realloc(inherited->fds, room * sizeof(*more));
        if (!more)
            return -ENOMEM;
        inherited->fds = more;
    }
    inherited->fds[inherited->nr++] = fd;
    return 0;
}

/* The kernel's list, without the descriptor that it is read by. */
static int note_listed(struct sandbox_inherited *inherited, DIR *list)
{
    const struct dirent *entry;
    int err = 0;

    while (!err && (entry = readdir(list)) != NULL) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);

        if (end != entry->d_name && fd != dirfd(list))
            err = note(inherited, (int)fd);
    }
    return err;
}

/* Where there is no /proc: all that there may be. */
static int note_found(struct sandbox_inherited *inherited)
{
    struct rlimit limit = {.rlim_max = 0};
    int err = 0;

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = 3; !err && fd < (int)limit.rlim_max; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            err = note(inherited, fd);
    return err;
}

int sandbox_note_inherited(struct sandbox_inherited *inherited)
{
    DIR *list = opendir("/proc/self/fd");
    int err;

    inherited->fds = NULL;
    inherited->nr = 0;
    err = list ? note_listed(inherited, list) : note_found(inherited);
    if (list)
        closedir(list);
    return err;
}

static bool is_kept(int fd, const int *kept, size_t nr_kept)
{
    for (size_t i = 0; i < nr_kept; i++)
        if (kept[i] == fd)
            return true;
    return false;
}

void sandbox_close_inherited(struct sandbox_inherited *inherited,
                             const int *kept, size_t nr_kept)
{
    for (size_t i = 0; i < inherited->nr; i++)
        if (!is_kept(inherited->fds[i], kept, nr_kept))
            close(inherited->fds[i]);
    free(inherited->fds);
    inherited->fds = NULL;
    inherited->nr = 0;
}
