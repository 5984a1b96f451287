/* SPDX-License-Identifier: MIT */
/*
 * lock.c: one bridge a domain.
 *
 * Xen refuses a second consumer of the legacy ring, and says the same of one
 * that was killed.  The kernel tells them apart: it keeps a lock on a file as
 * long as the process lives.
 */
#include <bsd/libutil.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../exit_status.h"
#include "../log.h"
#include "../run_directory.h"
#include "lock.h"

/* A bridge that starts says where it serves in this time, or is not shared. */
#define SIBLING_MS 5000
#define LOOK_MS    50

/* The longest URI in the file. */
#define NOTE SOURCE_URI

/* The file's text, and where HELD stands in it. */
#define NUMBERS "%10d %20llu %20llu %d %20llu %20llu %s"
#define HELD_AT (10 + 1 + 20 + 1 + 20 + 1)

static void path_of(const struct lock *lock, char *path, size_t len)
{
    snprintf(path, len, RUN_DIRECTORY "/dom%u.lock", lock->domid);
}

static int cannot_lock(const char *path, int error)
{
    bridge_log(LOG_ERR, "cannot lock %s: %s%s", path, strerror(error),
               error == EISDIR || error == ELOOP ? "; remove it" : "");
    return error == EACCES || error == EPERM ? EXIT_PERMISSION : EXIT_FAULT;
}

/* Reads the owner's process id, and its URI, if it serves yet. */
static void read_note(int fd, char pid[16], char uri[NOTE])
{
    char text[128 + NOTE] = "";
    int end = 0;

    if (pread(fd, text, sizeof(text) - 1, 0) <= 0 ||
        sscanf(text, "%15s %*u %*u %*u %*u %*u %n", pid, &end) != 1)
        snprintf(pid, 16, "unknown");
    snprintf(uri, NOTE, "%.*s", NOTE - 1, text + end);
}

static int is_taken(const struct target *target, int fd,
                    struct source_start *start)
{
    char pid[16], uri[NOTE];

    read_note(fd, pid, uri);
    if (start->shares && !strncmp(uri, "local:", 6)) {
        snprintf(start->other, sizeof(start->other), "%s", uri);
        return SOURCE_SHARED;
    }
    if (!strncmp(uri, "local:", 6))
        bridge_log(
            LOG_ERR,
            "%s has a bridge already, process %s; its agents attach to %s",
            target->name, pid, uri);
    else
        bridge_log(
            LOG_ERR,
            "%s has a bridge already, process %s, %s; one domain has one "
            "bridge",
            target->name, pid, *uri ? uri : "which does not serve anybody yet");
    return EXIT_BUSY;
}

/* A bridge that would share waits until the owner serves, or has gone. */
static bool may_wait(int fd, const struct source_start *start,
                     unsigned int *waited)
{
    char pid[16], uri[NOTE];

    if (!start->shares || *waited >= SIBLING_MS)
        return false;
    read_note(fd, pid, uri);
    if (*uri)
        return false;
    usleep(LOOK_MS * 1000);
    *waited += LOOK_MS;
    return true;
}

/* Is it ours that others find there? */
static bool is_current(int folder, int fd, const char *path)
{
    struct stat ours, found;

    return fstat(fd, &ours) == 0 && fstatat(folder, path, &found, 0) == 0 &&
           ours.st_ino == found.st_ino && ours.st_dev == found.st_dev;
}

/*
 * For other bridges, and agents that one of them was started for; and for
 * the bridge that comes if we die: "PID FOUND RAISED HELD RING FRESH URI".
 */
void lock_note(struct lock *lock)
{
    char text[128 + NOTE];
    int len = snprintf(text, sizeof(text), NUMBERS, (int)getpid(),
                       (unsigned long long)lock->found_max_kb,
                       (unsigned long long)lock->raised_max_kb, lock->held,
                       (unsigned long long)lock->ring_gfn,
                       (unsigned long long)lock->fresh_gfn, lock->serves);

    /* In place: what is mapped is never cut off. */
    if (pwrite(lock->fd, text, (size_t)len, 0) < len ||
        ftruncate(lock->fd, len) < 0)
        bridge_log(LOG_DEBUG, "cannot note who has the lock: %s",
                   strerror(errno));
}

/* A mapped page is in the file however this process ends. */
void lock_note_held(struct lock *lock)
{
    if (lock->map)
        ((volatile char *)lock->map)[HELD_AT] = lock->held ? '1' : '0';
    else
        lock_note(lock);
}

static void map_note(struct lock *lock)
{
    void *at = MAP_FAILED;
    struct stat of;

    /* Where the disk is full there is nothing to map. */
    if (fstat(lock->fd, &of) == 0 && of.st_size > HELD_AT)
        at = mmap(NULL, HELD_AT + 1, PROT_READ | PROT_WRITE, MAP_SHARED,
                  lock->fd, 0);
    lock->map = at == MAP_FAILED ? NULL : at;
}

void lock_note_fresh(struct lock *lock, xen_pfn_t gfn)
{
    lock->fresh_gfn = gfn;
    lock_note(lock);
}

/*
 * A bridge that was killed has left a raised maximum, a held domain, or a page,
 * which are ours to put back.
 */
static void take_over(struct lock *lock)
{
    unsigned long long number[6];
    char note[128] = "", *at = note;

    if (pread(lock->fd, note, sizeof(note) - 1, 0) <= 0)
        return;
    errno = 0;
    for (int i = 0; i < 6; i++) {
        char *end;

        number[i] = strtoull(at, &end, 10);
        if (errno || end == at || *end != ' ')
            return;
        at = end;
    }
    lock->found_max_kb = number[1];
    lock->raised_max_kb = number[2];
    lock->held = number[3] != 0;
    lock->ring_gfn = number[4];
    lock->fresh_gfn = number[5];
}

/* Somebody has it.  0: it is worth another try. */
static int look_at_owner(const struct target *target, const char *path,
                         struct source_start *start, unsigned int *waited)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int status = 0;

    if (fd < 0) /* its owner has just ended, and removed it */
        return errno == ENOENT ? 0 : cannot_lock(path, errno);
    if (!may_wait(fd, start, waited))
        status = is_taken(target, fd, start);
    close(fd);
    return status;
}

/* flopen() locks the file that others find there, and does not cut it off. */
static int take(struct lock *lock, const struct target *target,
                const char *path, struct source_start *start)
{
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    unsigned int waited = 0;
    int fd, status;

    while ((fd = flopen(path, flags, 0600)) < 0) {
        if (errno != EWOULDBLOCK)
            return cannot_lock(path, errno);
        status = look_at_owner(target, path, start, &waited);
        if (status)
            return status;
    }
    lock->fd = fd;
    take_over(lock);
    lock_note(lock);
    map_note(lock);
    return 0;
}

int lock_take(struct lock *lock, const struct target *target,
              struct source_start *start)
{
    char path[64];
    int folder, status, err;

    lock->domid = target->domid;
    path_of(lock, path, sizeof(path));
    err = run_directory_make();
    if (err)
        return cannot_lock(RUN_DIRECTORY, -err);
    /* To remove it at the end, when paths may lead nowhere any more. */
    folder = open(RUN_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return cannot_lock(RUN_DIRECTORY, errno);
    status = take(lock, target, path, start);
    if (status)
        close(folder);
    else
        lock->folder = folder;
    return status;
}

void lock_serves(struct lock *lock, const char *uri)
{
    snprintf(lock->serves, sizeof(lock->serves), "%s", uri);
    lock_note(lock);
}

void lock_release(struct lock *lock)
{
    const char *name;
    char path[64];

    if (lock->fd < 0)
        return;
    path_of(lock, path, sizeof(path));
    name = strrchr(path, '/') + 1;
    /* Locked by us, so by nobody else.  A note of what is to be put back stays.
     */
    if (lock->folder >= 0 && !lock->fresh_gfn &&
        is_current(lock->folder, lock->fd, name))
        (void)unlinkat(lock->folder, name, 0);
    if (lock->map)
        munmap(lock->map, HELD_AT + 1);
    lock->map = NULL;
    close(lock->fd);
    lock_forget_place(lock);
    lock->fd = -1;
}

/* The file stays, which is no harm: the lock on it does not. */
void lock_forget_place(struct lock *lock)
{
    if (lock->folder >= 0)
        close(lock->folder);
    lock->folder = -1;
}
