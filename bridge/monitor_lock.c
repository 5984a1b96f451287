/* SPDX-License-Identifier: MIT */
/*
 * monitor_lock.c: one bridge a domain.
 *
 * Xen refuses a second consumer of the legacy ring, and says the same of one
 * that was killed.  The kernel tells them apart: it keeps a lock on a file as
 * long as the process lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor.h"

static void path_of(const struct monitor *monitor, char *path, size_t len)
{
    snprintf(path, len, RUN_DIRECTORY "/dom%u.lock", monitor->domid);
}

static int cannot_lock(const char *path, int error)
{
    log_line(LOG_ERR, "cannot lock %s: %s", path, strerror(error));
    return error == EACCES || error == EPERM ? EXIT_PERMISSION : EXIT_FAULT;
}

static int is_taken(const struct monitor *monitor, int fd)
{
    char note[64] = "";
    ssize_t n = read(fd, note, sizeof(note) - 1);

    note[strcspn(note, " ")] = '\0';
    log_line(LOG_ERR, "%s has a bridge already, process %s; end that one",
             monitor->name, n > 0 ? note : "unknown");
    return EXIT_BUSY;
}

/* Is what we have locked still what others will find? */
static bool is_current(int folder, int fd, const char *path)
{
    struct stat ours, found;

    return fstat(fd, &ours) == 0 && fstatat(folder, path, &found, 0) == 0 &&
           ours.st_ino == found.st_ino && ours.st_dev == found.st_dev;
}

/* For the line that another bridge writes, and for whoever comes if we die. */
void monitor_note(struct monitor *monitor)
{
    char note[64];
    int len = snprintf(note, sizeof(note), "%d %llu %llu", (int)getpid(),
                       (unsigned long long)monitor->found_max_kb,
                       (unsigned long long)monitor->raised_max_kb);

    if (ftruncate(monitor->lock, 0) < 0 ||
        pwrite(monitor->lock, note, (size_t)len, 0) < len)
        log_line(LOG_DEBUG, "cannot note who has the lock: %s",
                 strerror(errno));
}

/* What a bridge that was killed has raised is ours to lower. */
static void take_over(struct monitor *monitor)
{
    unsigned long long found, raised;
    char note[64] = "";

    if (pread(monitor->lock, note, sizeof(note) - 1, 0) <= 0 ||
        sscanf(note, "%*d %llu %llu", &found, &raised) != 2)
        return;
    monitor->found_max_kb = found;
    monitor->raised_max_kb = raised;
}

static int take(struct monitor *monitor, const char *path)
{
    int fd;

    for (;;) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return cannot_lock(path, errno);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            int status = errno == EWOULDBLOCK ? is_taken(monitor, fd)
                                              : cannot_lock(path, errno);

            close(fd);
            return status;
        }
        if (is_current(AT_FDCWD, fd, path))
            break;
        close(fd); /* its owner has just ended, and removed it */
    }
    monitor->lock = fd;
    take_over(monitor);
    monitor_note(monitor);
    return 0;
}

int monitor_lock(struct monitor *monitor)
{
    char path[64];
    int folder, status, err;

    path_of(monitor, path, sizeof(path));
    err = run_directory_make();
    if (err)
        return cannot_lock(RUN_DIRECTORY, -err);
    /* To remove it at the end, when paths may lead nowhere any more. */
    folder = open(RUN_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return cannot_lock(RUN_DIRECTORY, errno);
    status = take(monitor, path);
    if (status)
        close(folder);
    else
        monitor->lock_folder = folder;
    return status;
}

void monitor_unlock(struct monitor *monitor)
{
    const char *name;
    char path[64];

    if (monitor->lock < 0)
        return;
    path_of(monitor, path, sizeof(path));
    name = strrchr(path, '/') + 1;
    /* While we have it: nobody else does. */
    if (monitor->lock_folder >= 0 &&
        is_current(monitor->lock_folder, monitor->lock, name))
        (void)unlinkat(monitor->lock_folder, name, 0);
    close(monitor->lock);
    monitor_forget_place(monitor);
    monitor->lock = -1;
}

/* The file stays, which is no harm: the lock on it does not. */
void monitor_forget_place(void *source)
{
    struct monitor *monitor = source;

    if (monitor->lock_folder >= 0)
        close(monitor->lock_folder);
    monitor->lock_folder = -1;
}
