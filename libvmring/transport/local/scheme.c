/* SPDX-License-Identifier: MIT */
/* scheme.c: local:PATH and fd:NUMBER, and what is said where they fail. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "local.h"

#define CONNECT_AGAIN_MS 10

#define FAIL(how, err, ...)                                                    \
    fail(err, (how)->error, (how)->error_len, __VA_ARGS__)

static bool is_no_socket(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISSOCK(st.st_mode);
}

static int connect_failed(const struct connecting *how, const char *path,
                          int err)
{
    switch (err) {
    case -ENOENT:
        return FAIL(how, err, "no socket at '%s'; start vmring-bridge there",
                    path);
    case -ECONNREFUSED:
        if (is_no_socket(path))
            return FAIL(how, err,
                        "'%s' is a file that is no socket; give the path "
                        "that vmring-bridge serves",
                        path);
        return FAIL(how, err, "nobody serves '%s'; start vmring-bridge there",
                    path);
    case -EACCES:
        return FAIL(how, err,
                    "no access to '%s': its mode, or a server that is "
                    "neither root nor this user",
                    path);
    case -ENAMETOOLONG:
        return FAIL(how, err, "'%s' is too long for a socket's path", path);
    case -ETIMEDOUT:
        return FAIL(how, err,
                    "'%s' was not free to connect to within %d ms: others do "
                    "without end; end those, or let fewer users in (--mode of "
                    "vmring-bridge)",
                    path, how->timeout_ms);
    default:
        return FAIL(how, err, "cannot connect to '%s': %s%s", path,
                    strerror(-err), limit_remedy(err));
    }
}

/* A queue of connections that is full tells nobody when it is not. */
static int connect_in_time(const struct connecting *how, const char *path,
                           struct link **link)
{
    const struct timespec pause = {.tv_nsec = CONNECT_AGAIN_MS * 1000000L};
    int err = local_connect(path, link);

    for (int left = how->timeout_ms; err == -EAGAIN; left -= CONNECT_AGAIN_MS) {
        if (left <= 0)
            return -ETIMEDOUT;
        if (patience_is_over(&how->patience) || nanosleep(&pause, NULL) < 0)
            return -EINTR;
        err = local_connect(path, link);
    }
    return err;
}

static int path_connect(const struct connecting *how, const char *path,
                        struct link **link)
{
    int err;

    if (!*path)
        return FAIL(how, -EINVAL, "'%s' names no socket; say local:PATH",
                    how->uri);
    err = connect_in_time(how, path, link);
    return err ? connect_failed(how, path, err) : 0;
}

static int path_listen(const struct listening *how, const char *path,
                       struct listener **listener)
{
    bool is_new = !*listener;
    int err;

    if (how->mode & ~0777u)
        return -EINVAL;
    err = is_new ? local_listener(how, listener) : 0;
    if (!err)
        err = local_listen(*listener, path, how->mode);
    if (err && is_new && *listener) {
        (*listener)->ops->close(*listener);
        *listener = NULL;
    }
    return err;
}

static int parse_fd(const char *number)
{
    char *end;
    long long fd = strtoll(number, &end, 10);

    return end == number || *end || fd < 0 || fd > INT32_MAX ? -1 : (int)fd;
}

static int fd_connect(const struct connecting *how, const char *number,
                      struct link **link)
{
    int fd = parse_fd(number);
    int err;

    if (fd < 0)
        return FAIL(how, -EINVAL, "'%s' is no descriptor; say fd:NUMBER",
                    how->uri);
    err = local_adopt(fd, link);
    if (err == -EBADF || err == -EINVAL)
        return FAIL(how, -EINVAL,
                    "descriptor %d is %s; give that of a connected unix "
                    "socket, SOCK_SEQPACKET",
                    fd, err == -EBADF ? "not open" : "something else");
    return err ? FAIL(how, err, "descriptor %d: %s", fd, strerror(-err)) : 0;
}

static void fd_discard(const char *number)
{
    int fd = parse_fd(number);

    if (fd >= 0)
        close(fd);
}

static const struct scheme path_scheme = {
    .name = "local:",
    .connect = path_connect,
    .listen = path_listen,
};

static const struct scheme fd_scheme = {
    .name = "fd:",
    .connect = fd_connect,
    .discard = fd_discard,
    .open = local_listener,
};

SCHEME_REGISTER(local, &path_scheme);
SCHEME_REGISTER(fd, &fd_scheme);
