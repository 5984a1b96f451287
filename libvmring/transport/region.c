/* SPDX-License-Identifier: MIT */
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

int region_make(struct region *region, const char *name, size_t len,
                int peer_reads_only)
{
    /*
     * F_SEAL_SEAL, so that the peer cannot add FUTURE_WRITE to C and keep a
     * successor from mapping it.
     */
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    int fd, err;
    void *at;

    *region = REGION_NONE;
    if (peer_reads_only)
        seals |= F_SEAL_FUTURE_WRITE;
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
    if (at == MAP_FAILED || fcntl(fd, F_ADD_SEALS, seals) < 0) {
        err = errno;
        if (at != MAP_FAILED)
            munmap(at, len);
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
        (void)fallocate(region->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        0, (off_t)region->len);
}

void region_drop(struct region *region)
{
    if (region->owner)
        region->owner->drop(region->owner, region);
    else if (region->at)
        unmap(region);
    if (region->fd >= 0)
        close(region->fd);
    *region = REGION_NONE;
}
