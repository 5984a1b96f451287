/* SPDX-License-Identifier: MIT */
/*
 * keeper.c: the process that calls Xen for a consumer.
 *
 * A domctl can do anything to any domain, and a consumer reads what a hostile
 * guest has made.  So this process negotiates, arms, counts and ends, as it is
 * asked over a socket, and the consumer is left with its pages and its event
 * channels.  When the consumer is killed the ring stays as it is, for the next.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arm.h"
#include "xen.h"

/* Between two looks whether the target is quiet. */
#define LOOK_MS 2

struct keeper {
    struct calls calls;
    int socket;
    uint32_t verdicts;
    bool quiescing, ended;
    struct xen_message in, out;
};

static void reply(struct keeper *keeper, uint32_t type, size_t len)
{
    struct vmring_local_header *header = &keeper->out.header;

    header->type = type;
    header->length = (uint32_t)(sizeof(*header) + len);
    if (send(keeper->socket, &keeper->out, header->length, MSG_NOSIGNAL) < 0)
        keeper->ended = true;
}

static const char *why_not(int rc)
{
    switch (rc) {
    case -ENOSYS:
    case -EOPNOTSUPP:
        return "this Xen is no producer of such a ring; start vmring-bridge";
    case -EACCES:
        return "this Xen has domctls of another version";
    case -ESRCH:
        return "there is no such domain";
    case -EADDRINUSE:
        return "the legacy monitor ring of it is in use";
    case -EBUSY:
        return "another consumer is attaching";
    case -ENODEV:
        return "it is no HVM or PVH guest";
    case -EPERM:
        return "no right over it, or it is this domain";
    default:
        return strerror(-rc);
    }
}

static void attach(struct keeper *keeper, size_t len)
{
    struct xen_accept *out = &keeper->out.body.accept;
    struct xen_vm_ring_attach attach;
    int rc = -EINVAL;

    memset(out, 0, sizeof(*out));
    memset(&attach, 0, sizeof(attach));
    if (len == sizeof(attach.propose) && !keeper->calls.ring) {
        attach.propose = keeper->in.body.propose;
        rc = xen_ring(&keeper->calls, XEN_VM_RING_OP_ATTACH, &attach,
                      sizeof(attach));
    }
    out->error = rc;
    if (rc)
        snprintf(out->text, sizeof(out->text), "domain %u: %s",
                 keeper->calls.domid, why_not(rc));
    out->wire.body = attach.accept;
    snprintf(out->wire.target, sizeof(out->wire.target), "d%u",
             keeper->calls.domid);
    out->resource = attach.resource;
    memcpy(out->ports, attach.ports, sizeof(out->ports));
    keeper->verdicts = attach.accept.verdicts;
    reply(keeper, VMRING_LOCAL_ACCEPT, sizeof(*out));
}

static void count(struct keeper *keeper)
{
    struct vmring_local_counts *out = &keeper->out.body.counts;
    struct xen_vm_ring_count rows;
    uint32_t at = keeper->in.body.count.from;

    out->nr = 0;
    out->next = VMRING_LOCAL_NO_MORE;
    while (at != XEN_VM_RING_COUNT_END &&
           out->nr + XEN_VM_RING_COUNT_ROWS <= VMRING_LOCAL_MAX_ROWS) {
        memset(&rows, 0, sizeof(rows));
        rows.from = at;
        if (xen_ring(&keeper->calls, XEN_VM_RING_OP_COUNT, &rows, sizeof(rows)))
            break;
        for (uint32_t i = 0; i < rows.nr; i++) {
            const struct xen_vm_ring_row *from = &rows.rows[i];

            out->rows[out->nr++] = (struct vmring_local_row){
                .vcpu = from->vcpu,
                .reason = from->reason,
                .requests = from->requests,
                .answered = from->answered,
                .defaulted = from->defaulted,
                .records = from->records,
                .discarded = from->discarded,
            };
        }
        at = rows.next;
        out->next = at;
    }
    reply(keeper, VMRING_LOCAL_COUNTS,
          offsetof(struct vmring_local_counts, rows) +
              out->nr * sizeof(out->rows[0]));
}

static void detach(struct keeper *keeper)
{
    (void)xen_ring(&keeper->calls, XEN_VM_RING_OP_DISARM, NULL, 0);
    (void)xen_ring(&keeper->calls, XEN_VM_RING_OP_DESTROY, NULL, 0);
    keeper->ended = true;
}

static void subscribe(struct keeper *keeper, size_t len)
{
    keeper->in.body.text[len < VMRING_LOCAL_MAX ? len : len - 1] = '\0';
    keeper->quiescing = false;
    xen_subscribe(&keeper->calls, keeper->verdicts, keeper->in.body.text,
                  &keeper->out.body.subscribed);
    reply(keeper, VMRING_LOCAL_SUBSCRIBED, sizeof(keeper->out.body.subscribed));
}

static void carry_out(struct keeper *keeper, uint32_t type, size_t len)
{
    switch (type) {
    case VMRING_LOCAL_PROPOSE:
        attach(keeper, len);
        break;
    case VMRING_LOCAL_SUBSCRIBE:
        subscribe(keeper, len);
        break;
    case VMRING_LOCAL_SUPPORTED:
        keeper->out.body.support.kinds = xen_kinds(&keeper->calls);
        reply(keeper, VMRING_LOCAL_SUPPORT, sizeof(keeper->out.body.support));
        break;
    case VMRING_LOCAL_COUNT:
        count(keeper);
        break;
    case VMRING_LOCAL_QUIESCE:
        (void)xen_ring(&keeper->calls, XEN_VM_RING_OP_DISARM, NULL, 0);
        keeper->quiescing = true;
        break;
    case VMRING_LOCAL_DRAINED:
        (void)xen_ring(&keeper->calls, XEN_VM_RING_OP_DRAINED, NULL, 0);
        break;
    case VMRING_LOCAL_DETACH:
        detach(keeper);
        break;
    default:
        keeper->ended = true;
        break;
    }
}

/* Disarming has paused the domain: what it had raised is in the ring. */
static void look_whether_quiet(struct keeper *keeper)
{
    struct xen_vm_ring_query query = {0};

    if (xen_ring(&keeper->calls, XEN_VM_RING_OP_QUERY, &query, sizeof(query)) ||
        query.pending)
        return;
    keeper->quiescing = false;
    reply(keeper, VMRING_LOCAL_QUIET, 0);
}

static void take(struct keeper *keeper)
{
    ssize_t len = recv(keeper->socket, &keeper->in, sizeof(keeper->in), 0);

    if (len < 0 && errno == EINTR)
        return;
    if (len < (ssize_t)sizeof(keeper->in.header) ||
        keeper->in.header.length != (size_t)len) {
        keeper->ended = true;
        return;
    }
    carry_out(keeper, keeper->in.header.type,
              (size_t)len - sizeof(keeper->in.header));
}

void xen_keeper(uint32_t domid, int socket)
{
    static struct keeper keeper; /* of a process of its own */
    struct pollfd pfd = {.fd = socket, .events = POLLIN};

    keeper.socket = socket;
    if (xen_begin_calls(&keeper.calls, domid))
        return;
    while (!keeper.ended) {
        int ready = poll(&pfd, 1, keeper.quiescing ? LOOK_MS : -1);

        if (ready > 0)
            take(&keeper);
        else if (keeper.quiescing)
            look_whether_quiet(&keeper);
    }
    xen_end_calls(&keeper.calls);
}
