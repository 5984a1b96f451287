/* SPDX-License-Identifier: MIT */
/* place.c: the path at which a unix socket is served. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "socket.h"

/* So long another start at the same path may take. */
#define STARTING_MS 2000
#define LOOK_MS     20

/* Is what we have locked still what others will find?  1, 0 or -errno. */
static int is_at(int fd, const char *path)
{
    struct stat ours, found;

    if (fstat(fd, &ours) < 0 || lstat(path, &found) < 0)
        return errno == ENOENT ? 0 : -errno;
    return ours.st_ino == found.st_ino && ours.st_dev == found.st_dev;
}

/*
 * A socket that is bound and does not listen yet looks like a stale one.  So
 * looking, removing and binding are done under a lock that only this user can
 * take: on a file beside the socket, which exists only meanwhile.
 * Returns its descriptor.
 */
static int lock_path(const char *lock)
{
    struct timespec pause = {0, LOOK_MS * 1000000L};
    int fd, is_ours;

    for (int waited = 0; waited < STARTING_MS; waited += LOOK_MS) {
        fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return -errno;
        is_ours = flock(fd, LOCK_EX | LOCK_NB) == 0        ? is_at(fd, lock)
                  : errno == EWOULDBLOCK || errno == EINTR ? 0
                                                           : -errno;
        if (is_ours > 0)
            return fd;
        close(fd);
        if (is_ours < 0)
            return is_ours;
        nanosleep(&pause, NULL);
    }
    return -EADDRINUSE;
}

static void unlock_path(int fd, const char *lock)
{
    unlink(lock); /* while we have it */
    close(fd);
}

/* Is somebody serving there already? */
static int clear_stale(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat st;
    int err = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
        errno == EAGAIN)
        err = -EADDRINUSE;
    else if (errno == ECONNREFUSED && lstat(addr->sun_path, &st) == 0)
        err = !S_ISSOCK(st.st_mode)        ? -EEXIST
              : unlink(addr->sun_path) < 0 ? -errno
                                           : 0;
    else if (errno != ENOENT)
        err = errno == EPROTOTYPE ? -EADDRINUSE : -errno;
    else if (lstat(addr->sun_path, &st) == 0)
        err = -EEXIST; /* a link that leads nowhere */
    else if (errno != ENOENT)
        err = -errno;
    close(fd);
    return err;
}

/* To remove it at the end, when paths may lead nowhere any more. */
static int remember(struct place *place, const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 0;

    memcpy(folder, path, len);
    memcpy(folder + len, ".", sizeof("."));
    place->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place->folder < 0)
        return -errno;
    place->name = strdup(path + len);
    return place->name ? 0 : -ENOMEM;
}

/*
 * It is made with its mode, which an ACL of its folder can only narrow: nobody
 * can connect before, and no path is followed afterwards.
 */
static int bind_with(int listener, const struct sockaddr_un *addr,
                     unsigned int mode)
{
    mode_t old = umask(0);
    int err = 0;

    if (fchmod(listener, mode) < 0 ||
        bind(listener, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
        err = -errno;
    umask(old);
    return err;
}

static int listen_at(struct place *place, const struct sockaddr_un *addr,
                     unsigned int mode, int listener)
{
    struct stat st;
    int err = bind_with(listener, addr, mode);

    if (err)
        return err;
    if (fstatat(place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        listen(listener, 8) < 0) {
        err = -errno;
        unlink(addr->sun_path);
        return err;
    }
    place->inode = st.st_ino;
    return 0;
}

static void forget(struct place *place)
{
    if (place->folder >= 0)
        close(place->folder);
    free(place->name);
    *place = (struct place){.folder = -1};
}

int place_take(struct place *place, const char *path, unsigned int mode,
               int listener)
{
    struct sockaddr_un addr;
    char lock[sizeof(addr.sun_path) + sizeof(".lock")];
    int err = socket_address(path, &addr);
    int fd;

    if (!err)
        err = remember(place, path);
    if (!err) {
        snprintf(lock, sizeof(lock), "%s.lock", path);
        err = fd = lock_path(lock);
        if (fd >= 0) {
            err = clear_stale(&addr);
            if (!err)
                err = listen_at(place, &addr, mode, listener);
            unlock_path(fd, lock);
        }
    }
    if (err)
        forget(place);
    return err;
}

void place_leave(struct place *place)
{
    struct stat st;

    /* Somebody may have removed it, and another one serves there. */
    if (place->folder >= 0 &&
        fstatat(place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_ino == place->inode)
        (void)unlinkat(place->folder, place->name, 0);
    forget(place);
}
