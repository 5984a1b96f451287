/* SPDX-License-Identifier: MIT */
/* link.c: the consumer's end of a ring that Xen itself produces. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xenforeignmemory.h>

#include "../../base/clock.h"
#include "../../base/log.h"
#include "../../base/watch.h"
#include "../../text/word.h"
#include "../grant/bells.h"
#include "../grant/limits.h"
#include "messages.h"
#include "xen.h"

/* DOMID_FIRST_RESERVED of Xen's public headers, and the last id below. */
#define MAX_DOMID 0x7fef
#define NO_DOMAIN 0x7fef
#define SELF      0x7ff0 /* DOMID_SELF */

#define DETACH_MS 1000

/* A resource as it is mapped; xen_link's, for region_drop(). */
struct piece {
    struct region_owner owner;
    struct xenforeignmemory_handle *memory;
    struct xenforeignmemory_resource_handle *resource;
};

struct xen_link {
    struct link link;
    uint32_t domid;
    int socket; /* to the keeper; -1: none */
    struct xenforeignmemory_handle *memory;
    struct piece pieces[2 + XEN_VM_RING_MAX_PREV];
    unsigned int nr_pieces;
    struct bells bells;
    bool hung_up;
    uint32_t farewell; /* what a ring that there may be ends with; 0: none */
    struct xen_message message;
};

static struct xen_link *of(struct link *link)
{
    return (struct xen_link *)link;
}

/* ------------------------------------------------------- messages -- */

static int wait_for_message(const struct xen_link *xen, int timeout_ms)
{
    struct pollfd pfd = {.fd = xen->socket, .events = POLLIN};
    int ready = poll(&pfd, 1, timeout_ms);

    if (ready < 0)
        return -errno;
    return ready || !timeout_ms ? 0 : -ETIMEDOUT;
}

static int take(struct xen_link *xen, uint32_t *type)
{
    struct xen_message *message = &xen->message;
    ssize_t len = recv(xen->socket, message, sizeof(*message), MSG_DONTWAIT);

    if (len < 0)
        return -errno;
    if (!len) {
        xen->hung_up = true;
        return -ECONNRESET;
    }
    if (len < (ssize_t)sizeof(message->header) ||
        message->header.length != (size_t)len)
        return -EPROTO;
    *type = message->header.type;
    return (int)((size_t)len - sizeof(message->header));
}

static int xen_recv(struct link *link, uint32_t *type, void *body, size_t max,
                    int timeout_ms)
{
    struct xen_link *xen = of(link);
    int ret = wait_for_message(xen, timeout_ms);

    if (!ret)
        ret = take(xen, type);
    if (ret > 0 && (size_t)ret > max)
        return -EPROTO;
    if (ret > 0)
        memcpy(body, &xen->message.body, (size_t)ret);
    return ret;
}

/* It has done what it was told to when it has hung up. */
static void wait_for_end(struct xen_link *xen)
{
    int64_t end = clock_ms() + DETACH_MS, left = DETACH_MS;
    uint32_t type;

    for (; !xen->hung_up && left > 0; left = end - clock_ms())
        if (!wait_for_message(xen, (int)left))
            (void)take(xen, &type);
}

static int send_message(struct xen_link *xen)
{
    const struct xen_message *message = &xen->message;

    return send(xen->socket, message, message->header.length,
                MSG_NOSIGNAL | MSG_DONTWAIT) < 0
               ? -errno
               : 0;
}

/* From the proposal on there may be a ring, whether or not it was heard of. */
static void note_sent(struct xen_link *xen, uint32_t type)
{
    if (type == VMRING_LOCAL_PROPOSE)
        xen->farewell = XEN_KEEPER_ABANDON;
    if (type == VMRING_LOCAL_DETACH || type == XEN_KEEPER_ABANDON) {
        xen->farewell = 0;
        wait_for_end(xen);
    }
}

static int xen_send(struct link *link, uint32_t type, const void *body,
                    size_t len)
{
    struct xen_link *xen = of(link);
    struct vmring_local_header *header = &xen->message.header;
    int err;

    if (len > sizeof(xen->message.body))
        return -EINVAL;
    /* What could not be said is said when it closes. */
    if (type == VMRING_LOCAL_DETACH)
        xen->farewell = type;
    header->type = type;
    header->length = (uint32_t)(sizeof(*header) + len);
    if (len)
        memcpy(&xen->message.body, body, len);
    err = send_message(xen);
    if (err == -EAGAIN && link->timeout_ms) {
        struct pollfd pfd = {.fd = xen->socket, .events = POLLOUT};

        (void)poll(&pfd, 1, link->timeout_ms);
        err = send_message(xen);
    }
    if (!err)
        note_sent(xen, type);
    return err;
}

/* ---------------------------------------------------- what it gives -- */

static void drop_piece(struct region_owner *owner, struct region *region)
{
    struct piece *piece = (struct piece *)owner;

    (void)region;
    (void)xenforeignmemory_unmap_resource(piece->memory, piece->resource);
    piece->resource = NULL;
}

static int map_piece(struct xen_link *xen, uint32_t id, uint64_t len, int prot,
                     struct region *region)
{
    struct piece *piece = &xen->pieces[xen->nr_pieces];
    uint64_t page = XEN_VM_RING_PAGE;
    void *at = NULL;

    if (!len || len % page || len > XEN_VM_RING_MAX_ASYNC * 2ULL)
        return -EPROTO;
    piece->memory = xen->memory;
    piece->resource = xenforeignmemory_map_resource(
        xen->memory, (domid_t)xen->domid, XENMEM_resource_vm_ring, id, 0,
        (unsigned long)(len / page), &at, prot, 0);
    if (!piece->resource)
        return -grant_errno(EINVAL);
    piece->owner.drop = drop_piece;
    xen->nr_pieces++;
    *region = (struct region){
        .at = at,
        .len = (size_t)len,
        .fd = -1,
        .own = -1,
        .owner = &piece->owner,
    };
    return 0;
}

static int map_all(struct xen_link *xen, const struct xen_accept *accept,
                   struct link_regions *regions)
{
    const struct xen_vm_ring_accept *body = &accept->wire.body;
    uint32_t id = accept->resource;
    int err = map_piece(xen, id, body->p_len, PROT_READ, &regions->p);

    if (!err)
        err = map_piece(xen, id + 1, body->c_len, PROT_READ | PROT_WRITE,
                        &regions->c);
    for (uint32_t i = 0; !err && i < XEN_VM_RING_MAX_PREV; i++) {
        if (!body->prev_p_len[i])
            break;
        err = map_piece(xen, id + 2 + i, body->prev_p_len[i], PROT_READ,
                        &regions->before[i]);
        regions->nr_before += !err;
    }
    return err;
}

static void xen_kick(struct link *link, uint32_t group)
{
    bells_kick(&of(link)->bells, group);
}

static int bind_bells(struct xen_link *xen, const struct xen_accept *accept)
{
    uint32_t nr = accept->wire.body.nr_groups;

    if (!nr || nr > XEN_VM_RING_MAX_GROUPS)
        return -EPROTO;
    /* Both ends are in this domain. */
    return bells_bind(&xen->bells, SELF, accept->ports, nr, xen->link.error,
                      sizeof(xen->link.error));
}

static int xen_map(struct link *link, struct vmring_local_accept *out,
                   struct link_regions *regions, int timeout_ms)
{
    struct xen_link *xen = of(link);
    struct xen_accept accept;
    uint32_t type = 0;
    int ret;

    regions->p = regions->c = REGION_NONE;
    regions->nr_before = 0;
    ret = xen_recv(link, &type, &accept, sizeof(accept), timeout_ms);
    if (ret == -ECONNRESET)
        snprintf(link->error, sizeof(link->error),
                 "the process that calls Xen has been killed; a ring that it "
                 "made stays until the next agent ends");
    if (ret < 0)
        return ret;
    if (type != VMRING_LOCAL_ACCEPT || ret != sizeof(accept))
        return -EPROTO;
    *out = accept.wire;
    if (accept.error || out->body.result != XEN_VM_RING_ACCEPTED)
        xen->farewell = 0; /* there is none */
    if (accept.error) {
        memcpy(link->error, accept.text, sizeof(link->error));
        link->error[sizeof(link->error) - 1] = '\0';
        return accept.error;
    }
    if (out->body.result != XEN_VM_RING_ACCEPTED)
        return 0;
    ret = bind_bells(xen, &accept);
    if (ret == -EINVAL) {
        /* Xen has closed its end: the second in which to bind was over. */
        snprintf(link->error, sizeof(link->error),
                 "another agent has taken its place, as it took more than a "
                 "second to attach");
        ret = -EBUSY;
    }
    /* Xen knows thereby that somebody is there. */
    for (uint32_t g = 0; !ret && g < xen->bells.nr; g++)
        xen_kick(link, g);
    return ret ? ret : map_all(xen, &accept, regions);
}

/* ------------------------------------------------------- doorbells -- */

static bool xen_bell_ack(struct link *link, uint32_t group)
{
    return bells_ack_one(&of(link)->bells, group);
}

static unsigned int xen_ack(struct link *link)
{
    return bells_ack(&of(link)->bells);
}

static int xen_fd(const struct link *link)
{
    return ((const struct xen_link *)link)->bells.epoll;
}

static int xen_bell_fd(const struct link *link, uint32_t group)
{
    return bells_fd(&((const struct xen_link *)link)->bells, group);
}

static int xen_bell_apart(struct link *link, uint32_t group, bool apart)
{
    return bells_apart(&of(link)->bells, group, apart);
}

static bool xen_hung_up(const struct link *link)
{
    const struct xen_link *xen = (const struct xen_link *)link;
    struct pollfd pfd = {.fd = xen->socket};

    return poll(&pfd, 1, 0) > 0; /* of errors and hanging up alone */
}

/* ------------------------------------------------- beginning and end -- */

static int xen_give_up(struct link *link)
{
    struct xen_link *xen = of(link);
    int err = 0;

    /* Nothing is mapped by it any more; what is stays. */
    if (xenforeignmemory_restrict(xen->memory, NO_DOMAIN))
        err = errno == ENOTTY ? -EOPNOTSUPP : -errno;
    return err ? err : bells_restrict(&xen->bells);
}

static void xen_close(struct link *link)
{
    struct xen_link *xen = of(link);

    /*
     * What it has not waited for, could not map, or not believe, would keep the
     * legacy ring out.
     */
    if (xen->farewell)
        (void)xen_send(link, xen->farewell, NULL, 0);
    bells_close(&xen->bells);
    if (xen->memory)
        xenforeignmemory_close(xen->memory);
    if (xen->socket >= 0)
        close(xen->socket);
    if (xen->bells.epoll >= 0)
        close(xen->bells.epoll);
    free(xen);
}

static const struct link_ops xen_ops = {
    .send = xen_send,
    .recv = xen_recv,
    .map = xen_map,
    .kick = xen_kick,
    .ack = xen_ack,
    .fd = xen_fd,
    .bell_fd = xen_bell_fd,
    .bell_apart = xen_bell_apart,
    .bell_ack = xen_bell_ack,
    .hung_up = xen_hung_up,
    .give_up = xen_give_up,
    .close = xen_close,
};

static int set_up(struct xen_link *xen)
{
    int err;

    xen->memory = xenforeignmemory_open(&grant_logger, 0);
    if (!xen->memory)
        return -grant_errno(ENOENT);
    err = xen_keeper_start(xen->domid, &xen->socket);
    if (err)
        return err;
    xen->bells.epoll = epoll_create1(EPOLL_CLOEXEC);
    return xen->bells.epoll < 0 ? -errno
                                : watch_add(xen->bells.epoll, xen->socket);
}

static const char *why_not(int err)
{
    switch (err) {
    case -ENOENT:
        return "no Xen here: there is no /dev/xen/privcmd";
    case -EACCES:
    case -EPERM:
        return "no right to open /dev/xen/privcmd; run it as root";
    case -EAGAIN:
        return "no process can be started, which is to call Xen; raise the "
               "limit of processes (RLIMIT_NPROC, or pids.max of the cgroup)";
    default:
        return strerror(-err);
    }
}

static int parse(const char *where, uint32_t *domid)
{
    struct word word = {where, strlen(where)};
    uint64_t number;

    if (word_number(word, MAX_DOMID, &number))
        return -EINVAL;
    *domid = (uint32_t)number;
    return 0;
}

int xen_connect(const struct connecting *how, const char *where,
                struct link **link)
{
    struct xen_link *xen = calloc(1, sizeof(*xen));
    int err;

    if (!xen)
        return fail(-ENOMEM, how->error, how->error_len, "no memory");
    xen->link.ops = &xen_ops;
    xen->link.patience = how->patience;
    xen->socket = xen->bells.epoll = -1;
    err = parse(where, &xen->domid);
    if (err) {
        free(xen);
        return fail(err, how->error, how->error_len,
                    "'%s' names no domain by its id; say xen:DOMID", how->uri);
    }
    err = set_up(xen);
    if (err) {
        xen_close(&xen->link);
        /* Of a path it is the right to a socket that is missing. */
        return fail(err == -EACCES ? -EPERM : err, how->error, how->error_len,
                    "'%s': %s", how->uri, why_not(err));
    }
    *link = &xen->link;
    return 0;
}
