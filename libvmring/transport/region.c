/* SPDX-License-Identifier: MIT */
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/*
 * SEAL, so that the peer cannot add FUTURE_WRITE to C and keep a successor from
 * mapping it.
 */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* Mapped, and not sealed yet. */
static int make(struct region *region, const char *name, size_t len)
{
    int fd, err;
    void *at;

    *region = REGION_NONE;
    fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    /* Memory that is short shows now, not as SIGBUS later. */
    err = posix_fallocate(fd, 0, (off_t)len);
    if (err) {
        close(fd);
        return err == ENOSPC ? -ENOMEM : -err;
    }
    at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
              0);
    if (at == MAP_FAILED) {
        err = errno;
        close(fd);
        return -err;
    }
    *region = (struct region){.at = at,
                              .len = len,
                              .fd = fd,
                              .made = true,
                              .guard = guard_memory(at, len)};
    return 0;
}

static int seal(struct region *region, int seals)
{
    int fd = region->reopened ? region->own : region->fd;
    int err;

    if (fcntl(fd, F_ADD_SEALS, seals) == 0) {
        region->kept = seals & F_SEAL_FUTURE_WRITE;
        return 0;
    }
    err = -errno;
    region_drop(region);
    return err;
}

int region_make(struct region *region, const char *name, size_t len,
                int peer_reads_only)
{
    int err = make(region, name, len);

    return err ? err
               : seal(region,
                      SEALS | (peer_reads_only ? F_SEAL_FUTURE_WRITE : 0));
}

static int open_by_proc(int fd)
{
    char name[32];
    int again;

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    again = open(name, O_RDONLY | O_CLOEXEC);
    return again < 0 ? -errno : again;
}

/* Another file would be read for this one, or this one written. */
static bool is_for_reading(int again, int fd)
{
    struct stat ours, other;

    return fstat(fd, &ours) == 0 && fstat(again, &other) == 0 &&
           ours.st_ino == other.st_ino && ours.st_dev == other.st_dev &&
           (fcntl(again, F_GETFL) & O_ACCMODE) == O_RDONLY;
}

static int open_for_reading(int fd, const struct reopen *reopen)
{
    int again;

    /* Or whoever is handed it opens it anew, for writing. */
    if (fchmod(fd, S_IRUSR) < 0)
        return -errno;
    again = reopen->open ? reopen->open(reopen->ctx, fd) : open_by_proc(fd);
    if (again >= 0 && !is_for_reading(again, fd)) {
        close(again);
        return -ESTALE;
    }
    return again;
}

int region_make_readable(struct region *region, const char *name, size_t len,
                         struct reopen *reopen)
{
    int err = make(region, name, len);
    int again;

    if (err)
        return err;
    again = open_for_reading(region->fd, reopen);
    if (again < 0) {
        if (!reopen->failed)
            log_line(reopen->log, 4,
                     "memory of a ring cannot be taken back from agents that "
                     "keep it: no second opening of it for reading (%s)",
                     strerror(-again));
        reopen->failed = true;
        return seal(region, SEALS | F_SEAL_FUTURE_WRITE);
    }
    region->reopened = true;
    region->own = region->fd;
    region->fd = again;
    return seal(region, SEALS);
}

void region_leave(struct region *region)
{
    region->made = false;
}

/* Of ordinary pages: no others are there before they are touched. */
static bool is_memfd(int fd, uint64_t len)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct statfs fs;
    struct stat st;

    return seals >= 0 && (seals & F_SEAL_SHRINK) && fstat(fd, &st) == 0 &&
           st.st_size > 0 && (uint64_t)st.st_size == len && len <= SIZE_MAX &&
           fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

int region_map(struct region *region, int fd, uint64_t len, int writable)
{
    void *at;

    *region = REGION_NONE;
    if (!is_memfd(fd, len))
        return -EPROTO;
    at = mmap(NULL, (size_t)len, writable ? PROT_READ | PROT_WRITE : PROT_READ,
              MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return errno == ENOMEM ? -ENOMEM : -EPROTO;
    *region = (struct region){.at = at,
                              .len = (size_t)len,
                              .fd = fd,
                              .guard = guard_memory(at, (size_t)len)};
    return 0;
}

static void unmap(struct region *region)
{
    guard_end(region->guard);
    munmap(region->at, region->len);
    /* Whoever was handed it may keep it for ever, at our expense. */
    if (region->made)
        (void)fallocate(region->reopened ? region->own : region->fd,
                        FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                        (off_t)region->len);
}

void region_drop(struct region *region)
{
    if (region->owner)
        region->owner->drop(region->owner, region);
    else if (region->at)
        unmap(region);
    if (region->fd >= 0)
        close(region->fd);
    if (region->reopened)
        close(region->own);
    *region = REGION_NONE;
}
