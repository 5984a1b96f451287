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

#include "../base/clock.h"

/*
 * SEAL, so that the peer cannot add FUTURE_WRITE to C and keep a successor from
 * mapping it.
 */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/*
 * Of memory that is taken or given back at once: some 20 us, and on a machine
 * that is short of everything some 10 ms.
 */
#define PIECE ((size_t)64 * 1024)

/* Mapped, and not sealed yet. */
static int make(struct region *region, const char *name, size_t len)
{
    void *at = MAP_FAILED;
    int fd, err;

    *region = REGION_NONE;
    fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)len) == 0)
        at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
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

static int own_fd(const struct region *region)
{
    return region->reopened ? region->own : region->fd;
}

static int seal(struct region *region, int seals)
{
    int err;

    if (fcntl(own_fd(region), F_ADD_SEALS, seals) == 0) {
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

    /* Otherwise the peer could open it anew, for writing. */
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
            log_to(reopen->log, LOG_WARNING,
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

/* Into our page table, so that no push or post waits for a fault. */
static void touch(const struct region *region, size_t from, size_t len)
{
    const volatile unsigned char *at = region->at;

    for (size_t i = from; i < from + len; i += XEN_VM_RING_PAGE)
        (void)at[i];
}

int region_fill(struct region *region, uint64_t until)
{
    while (region->filled < region->len) {
        size_t rest = region->len - region->filled;
        size_t piece = rest < PIECE ? rest : PIECE;
        /* Memory that is short shows now, not as SIGBUS later. */
        int err = posix_fallocate(own_fd(region), (off_t)region->filled,
                                  (off_t)piece);

        if (err == EINTR)
            return 1; /* and again */
        if (err)
            return err == ENOSPC ? -ENOMEM : -err;
        touch(region, region->filled, piece);
        region->filled += piece;
        if (clock_ns() >= until)
            break;
    }
    return region->filled < region->len;
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

/* The peer may keep its descriptor for ever: the pages must not stay with it.
 */
static void take_back(const struct region *region, size_t from, size_t len)
{
    if (region->made)
        (void)fallocate(own_fd(region),
                        FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
                        (off_t)len);
}

static void unmap(struct region *region)
{
    guard_end(region->guard);
    munmap(region->at, region->len);
    take_back(region, 0, region->len);
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

void region_drop_slowly(struct region *region, struct going *going)
{
    if (!region->at || region->owner || going->nr == MAX_GOING) {
        region_drop(region);
        return;
    }
    guard_end(region->guard);
    region->guard = NULL;
    /* The rest of it has no memory yet. */
    if (region->filled < region->len)
        munmap((char *)region->at + region->filled,
               region->len - region->filled);
    region->len = region->filled;
    going->of[going->nr++] = *region;
    *region = REGION_NONE;
}

/* One piece from the end of the last, and the region with the last piece. */
static void give_back_a_piece(struct going *going)
{
    struct region *region = &going->of[going->nr - 1];

    if (region->len) {
        size_t piece = region->len < PIECE ? region->len : PIECE;

        region->len -= piece;
        munmap((char *)region->at + region->len, piece);
        take_back(region, region->len, piece);
    }
    if (region->len)
        return;
    region->at = NULL;
    region_drop(region);
    going->nr--;
}

bool region_give_back(struct going *going, uint64_t until)
{
    while (going->nr) {
        give_back_a_piece(going);
        if (clock_ns() >= until)
            break;
    }
    return !going->nr;
}

uint64_t region_going_bytes(const struct going *going)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < going->nr; i++)
        sum += going->of[i].kept ? 0 : going->of[i].len;
    return sum;
}
