/* SPDX-License-Identifier: MIT */
/* link.c: the consumer's end of the local transport. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/watch.h"
#include "local.h"
#include "socket.h"

/* Room for what later minors may add to an answer. */
#define MAX_ACCEPT 4096

struct local_link {
    struct link link;
    int control;
    int epoll;
    uint32_t nr_bells;
    int bells[XEN_VM_RING_MAX_GROUPS]; /* -1: hung up */
    int apart[XEN_VM_RING_MAX_GROUPS]; /* another thread's set, or -1 */
};

static struct local_link *of(struct link *link)
{
    return (struct local_link *)link;
}

static int local_send(struct link *link, uint32_t type, const void *body,
                      size_t len)
{
    return socket_send(of(link)->control, type, body, len, NULL, 0);
}

static int wait_for_message(const struct local_link *local, int timeout_ms)
{
    return timeout_ms ? socket_wait(local->control, timeout_ms) : 0;
}

static int local_recv(struct link *link, uint32_t *type, void *body, size_t max,
                      int timeout_ms)
{
    int err = wait_for_message(of(link), timeout_ms);

    if (err)
        return err;
    return socket_recv(of(link)->control, type, body, max, NULL, 0, NULL);
}

static unsigned int count_before(const struct xen_vm_ring_accept *accept)
{
    unsigned int nr = 0;

    while (nr < XEN_VM_RING_MAX_PREV && accept->prev_p_len[nr])
        nr++;
    return nr;
}

/* The descriptors of an answer that accepts, in their order.  Uses up what it
 * takes. */
static int take_regions(struct local_link *local,
                        const struct xen_vm_ring_accept *accept, int *fds,
                        unsigned int nr, struct link_regions *regions)
{
    unsigned int nr_before = count_before(accept);
    unsigned int wanted = 2 + nr_before + accept->nr_groups;
    unsigned int next = 2;
    int err;

    if (accept->nr_groups > XEN_VM_RING_MAX_GROUPS || nr != wanted)
        return -EPROTO;
    err = region_map(&regions->p, fds[0], accept->p_len, 0);
    if (err)
        return err;
    fds[0] = -1;
    err = region_map(&regions->c, fds[1], accept->c_len, 1);
    if (err)
        return err;
    fds[1] = -1;
    for (unsigned int i = 0; i < nr_before; i++) {
        err = region_map(&regions->before[i], fds[next], accept->prev_p_len[i],
                         0);
        if (err)
            return err;
        regions->nr_before++;
        fds[next++] = -1;
    }
    for (; next < nr; next++) {
        err = socket_check(fds[next], SOCK_STREAM);
        if (!err)
            err = watch_add(local->epoll, fds[next]);
        if (err)
            return err == -EINVAL ? -EPROTO : err;
        local->bells[local->nr_bells++] = fds[next];
        fds[next] = -1;
    }
    return 0;
}

/*
 * An answer may be longer than we know it, by what a later minor has added; the
 * target's name comes after it.
 */
static int read_accept(struct vmring_local_accept *accept, uint32_t type,
                       const unsigned char *body, size_t len)
{
    if (type != VMRING_LOCAL_ACCEPT || len < sizeof(*accept))
        return -EPROTO;
    memcpy(&accept->body, body, sizeof(accept->body));
    if (accept->body.magic != XEN_VM_RING_MAGIC ||
        accept->body.length < sizeof(accept->body) ||
        accept->body.length != len - sizeof(accept->target))
        return -EPROTO;
    memcpy(accept->target, body + accept->body.length, sizeof(accept->target));
    return 0;
}

static int local_map(struct link *link, struct vmring_local_accept *accept,
                     struct link_regions *regions, int timeout_ms)
{
    struct local_link *local = of(link);
    unsigned char body[MAX_ACCEPT];
    int fds[VMRING_LOCAL_MAX_FDS];
    unsigned int nr = 0;
    uint32_t type;
    int len;

    regions->p = regions->c = REGION_NONE;
    regions->nr_before = 0;
    len = wait_for_message(local, timeout_ms);
    if (len)
        return len;
    len = socket_recv(local->control, &type, body, sizeof(body), fds,
                      VMRING_LOCAL_MAX_FDS, &nr);
    if (len >= 0)
        len = read_accept(accept, type, body, (size_t)len);
    if (len >= 0)
        len = accept->body.result == XEN_VM_RING_ACCEPTED
                  ? take_regions(local, &accept->body, fds, nr, regions)
                  : 0;
    for (unsigned int i = 0; i < nr; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (len < 0) {
        region_drop(&regions->p);
        region_drop(&regions->c);
        while (regions->nr_before)
            region_drop(&regions->before[--regions->nr_before]);
    }
    return len;
}

static void local_kick(struct link *link, uint32_t group)
{
    struct local_link *local = of(link);

    if (group < local->nr_bells && local->bells[group] >= 0)
        doorbell_ring(local->bells[group]);
}

/* The set that a doorbell is in. */
static int set_of(const struct local_link *local, uint32_t group)
{
    return local->apart[group] < 0 ? local->epoll : local->apart[group];
}

static bool local_bell_ack(struct link *link, uint32_t group)
{
    struct local_link *local = of(link);
    int *bell = &local->bells[group];
    int ret = *bell < 0 ? 0 : doorbell_ack(*bell);

    if (ret < 0) {
        /* Hung up: it would poll readable for ever. */
        (void)watch_remove(set_of(local, group), *bell);
        close(*bell);
        *bell = -1;
    }
    return ret > 0;
}

static unsigned int local_ack(struct link *link)
{
    const struct local_link *local = of(link);
    unsigned int rung = 0;

    for (uint32_t i = 0; i < local->nr_bells; i++)
        if (local->apart[i] < 0 && local_bell_ack(link, i))
            rung++;
    return rung;
}

static int local_bell_fd(const struct link *link, uint32_t group)
{
    return ((const struct local_link *)link)->apart[group];
}

/* A set of its own: its thread's, who takes it out when it hangs up. */
static int take_apart(struct local_link *local, uint32_t group)
{
    int bell = local->bells[group];
    int set = epoll_create1(EPOLL_CLOEXEC);
    int err = 0;

    if (set < 0)
        return -errno;
    if (bell >= 0)
        err = watch_add(set, bell);
    if (!err && bell >= 0)
        err = watch_remove(local->epoll, bell);
    if (err)
        close(set);
    else
        local->apart[group] = set;
    return err;
}

static int local_bell_apart(struct link *link, uint32_t group, bool apart)
{
    struct local_link *local = of(link);
    int err = 0;

    if (apart)
        return take_apart(local, group);
    if (local->bells[group] >= 0)
        err = watch_add(local->epoll, local->bells[group]);
    if (err)
        return err;
    close(local->apart[group]);
    local->apart[group] = -1;
    return 0;
}

static int local_fd(const struct link *link)
{
    return ((const struct local_link *)link)->epoll;
}

static void local_close(struct link *link)
{
    struct local_link *local = of(link);

    for (uint32_t i = 0; i < local->nr_bells; i++)
        if (local->bells[i] >= 0)
            close(local->bells[i]);
    for (uint32_t i = 0; i < XEN_VM_RING_MAX_GROUPS; i++)
        if (local->apart[i] >= 0)
            close(local->apart[i]);
    close(local->epoll);
    close(local->control);
    free(local);
}

static bool local_hung_up(const struct link *link)
{
    struct pollfd pfd = {.fd = ((const struct local_link *)link)->control};

    return poll(&pfd, 1, 0) > 0;
}

static const struct link_ops local_ops = {
    .send = local_send,
    .recv = local_recv,
    .map = local_map,
    .kick = local_kick,
    .ack = local_ack,
    .fd = local_fd,
    .bell_fd = local_bell_fd,
    .bell_apart = local_bell_apart,
    .bell_ack = local_bell_ack,
    .hung_up = local_hung_up,
    .close = local_close,
};

int local_adopt(int fd, struct link **link)
{
    int err = socket_check(fd, SOCK_SEQPACKET);
    struct local_link *local = err ? NULL : calloc(1, sizeof(*local));

    if (!local) {
        close(fd);
        return err ? err : -ENOMEM;
    }
    local->link.ops = &local_ops;
    local->control = fd;
    for (uint32_t i = 0; i < XEN_VM_RING_MAX_GROUPS; i++)
        local->apart[i] = -1;
    local->epoll = epoll_create1(EPOLL_CLOEXEC);
    err = local->epoll < 0 ? -errno : watch_add(local->epoll, fd);
    if (err) {
        if (local->epoll >= 0)
            close(local->epoll);
        close(fd);
        free(local);
        return err;
    }
    *link = &local->link;
    return 0;
}

/* The server can see whatever the agent answers: it must be one of ours. */
static int check_server(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return -errno;
    return cred.uid == 0 || cred.uid == geteuid() ? 0 : -EACCES;
}

int local_connect(const char *path, struct link **link)
{
    struct sockaddr_un addr;
    int err = socket_address(path, &addr);
    int fd;

    if (err)
        return err;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        err = -errno;
    else
        err = check_server(fd);
    if (err) {
        close(fd);
        /* A socket of another kind. */
        return err == -EPROTOTYPE ? -ECONNREFUSED : err;
    }
    return local_adopt(fd, link);
}
