/* SPDX-License-Identifier: MIT */
/* connect.c: who is reached by a URI, before anything is proposed. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"

#define CONNECT_AGAIN_MS 10

const char *attach_remedy(int err)
{
    switch (err) {
    case -ENOMEM:
        return "; raise the limit of memory (ulimit -v), or ask for less";
    case -EMFILE:
        return "; raise the limit of open files (ulimit -n)";
    case -ENFILE:
        return "; all open files of this machine are in use";
    }
    return "";
}

static bool is_no_socket(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISSOCK(st.st_mode);
}

static int connect_failed(struct attach *attach, const char *path, int err)
{
    switch (err) {
    case -ENOENT:
        return FAIL(attach, err, "no socket at '%s'; start vmring-bridge there",
                    path);
    case -ECONNREFUSED:
        if (is_no_socket(path))
            return FAIL(attach, err,
                        "'%s' is a file that is no socket; give the path "
                        "that vmring-bridge serves",
                        path);
        return FAIL(attach, err,
                    "nobody serves '%s'; start vmring-bridge there", path);
    case -EACCES:
        return FAIL(attach, err,
                    "no access to '%s': its mode, or a server that is "
                    "neither root nor this user",
                    path);
    case -ENAMETOOLONG:
        return FAIL(attach, err, "'%s' is too long for a socket's path", path);
    case -ETIMEDOUT:
        return FAIL(attach, err,
                    "'%s' was not free to connect to within %d ms: others do "
                    "without end; end those, or let fewer users in (--mode of "
                    "vmring-bridge)",
                    path, attach->ring->timeout_ms);
    default:
        return FAIL(attach, err, "cannot connect to '%s': %s%s", path,
                    strerror(-err), attach_remedy(err));
    }
}

/* A queue of connections that is full tells nobody when it is not. */
static int connect_in_time(struct vmring *ring, const char *path)
{
    const struct timespec pause = {.tv_nsec = CONNECT_AGAIN_MS * 1000000L};
    int err = local_connect(path, &ring->link);

    for (int left = ring->timeout_ms; err == -EAGAIN;
         left -= CONNECT_AGAIN_MS) {
        if (left <= 0)
            return -ETIMEDOUT;
        if (consumer_is_interrupted(ring) || nanosleep(&pause, NULL) < 0)
            return -EINTR;
        err = local_connect(path, &ring->link);
    }
    return err;
}

static int open_local(struct attach *attach, const char *path)
{
    int err;

    if (!*path)
        return FAIL(attach, -EINVAL, "'%s' names no socket; say local:PATH",
                    attach->uri);
    err = connect_in_time(attach->ring, path);
    return err ? connect_failed(attach, path, err) : 0;
}

static int parse_fd(const char *number)
{
    char *end;
    long long fd = strtoll(number, &end, 10);

    return end == number || *end || fd < 0 || fd > INT32_MAX ? -1 : (int)fd;
}

static int open_fd(struct attach *attach, const char *number)
{
    int fd = parse_fd(number);
    int err;

    if (fd < 0)
        return FAIL(attach, -EINVAL, "'%s' is no descriptor; say fd:NUMBER",
                    attach->uri);
    err = local_adopt(fd, &attach->ring->link);
    if (err == -EBADF || err == -EINVAL)
        return FAIL(attach, -EINVAL,
                    "descriptor %d is %s; give that of a connected unix "
                    "socket, SOCK_SEQPACKET",
                    fd, err == -EBADF ? "not open" : "something else");
    return err ? FAIL(attach, err, "descriptor %d: %s", fd, strerror(-err)) : 0;
}

int attach_to_nothing(struct attach *attach, int err)
{
    int fd = strncmp(attach->uri, "fd:", 3) ? -1 : parse_fd(attach->uri + 3);

    if (fd >= 0)
        close(fd);
    return FAIL(attach, err, "'%s': %s%s", attach->uri, strerror(-err),
                attach_remedy(err));
}

static int open_sim(struct attach *attach, const char *params)
{
    int fd;
    int err = sim_endpoint_start(params, &attach->ring->sim, &fd,
                                 attach->opts.error, attach->opts.error_len);

    if (err)
        return err;
    err = local_adopt(fd, &attach->ring->link);
    return err ? FAIL(attach, err, "simulator: %s%s", strerror(-err),
                      attach_remedy(err))
               : 0;
}

static int open_grant(struct attach *attach, const char *where)
{
#ifdef VMRING_GRANT
    const struct patience patience = {attach->opts.interrupted,
                                      attach->opts.interrupted_ctx};

    return grant_connect(where, &patience, &attach->ring->link,
                         attach->opts.error, attach->opts.error_len);
#else
    (void)where;
    return FAIL(attach, -EOPNOTSUPP,
                "'%s': built without libxengnttab, libxenevtchn and "
                "libxenstore",
                attach->uri);
#endif
}

static const struct {
    const char *scheme;
    int (*open)(struct attach *attach, const char *rest);
} schemes[] = {
    {"local:", open_local},
    {"fd:", open_fd},
    {"grant:", open_grant},
    {"sim:", open_sim},
};

int attach_by_uri(struct attach *attach)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i].scheme);

        if (!strncmp(attach->uri, schemes[i].scheme, len))
            return schemes[i].open(attach, attach->uri + len);
    }
    return FAIL(attach, -EINVAL,
                "'%s' is no endpoint; say local:PATH, grant:DOMID/TARGET or "
                "sim:vcpus=4",
                attach->uri);
}
