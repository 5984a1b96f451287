/* SPDX-License-Identifier: MIT */
/*
 * keeper.c: the process that calls Xen for a consumer.
 *
 * A domctl can do anything to any domain, and a consumer reads what a hostile
 * guest has made.  So this process negotiates, arms, counts and ends, as it is
 * asked over a socket, and the consumer is left with its pages and its event
 * channels.  When the consumer is killed the ring stays as it is, for the next;
 * but one that it has never read of is nobody's, and goes.
 */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arm.h"
#include "xen.h"

/* Between two looks whether the target is quiet. */
#define LOOK_MS 2

struct keeper {
    struct calls calls;
    int no_calls; /* 0, or why Xen cannot be called */
    int socket;
    uint32_t verdicts;
    bool quiescing, ended;
    bool taken_over; /* the ring, with what a former consumer has left in it */
    bool drained;    /* which has been read */
    bool told;       /* of its ring, and nothing has come from it since */
    bool unread;     /* it has gone without having read that */
    struct xen_message in, out;
};

/*
 * Not all that it was told has been read, and never will be.  If ACCEPT alone
 * can be that, the ring is nobody's.
 */
static void not_read(struct keeper *keeper)
{
    keeper->unread |= keeper->told;
}

static void reply(struct keeper *keeper, uint32_t type, size_t len)
{
    struct vmring_local_header *header = &keeper->out.header;

    header->type = type;
    header->length = (uint32_t)(sizeof(*header) + len);
    if (send(keeper->socket, &keeper->out, header->length, MSG_NOSIGNAL) >= 0)
        return;
    not_read(keeper);
    /* One that has gone may have said how, behind what is replied to here. */
    if (errno != EPIPE && errno != ECONNRESET)
        keeper->ended = true;
}

/* What Xen says breaks its own rules: the consumer is told by the end of us. */
static void give_up(struct keeper *keeper)
{
    keeper->ended = true;
}

/* Nothing of it happens any more. */
static bool is_over(int rc)
{
    return rc == -ESRCH || rc == -ENOENT;
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
        return "there is no such domain, or it is being destroyed";
    case -EADDRINUSE:
        return "its legacy monitor ring is in use, by a bridge or another "
               "tool, which has to end first";
    case -EBUSY:
        return "another consumer is attaching";
    case -ENOSPC:
        return "this domain has no event channel left for it";
    case -ENODEV:
        return "it is no HVM or PVH guest, or has no vCPUs yet";
    case -EPERM:
        return "no right over it, or it is this domain";
    default:
        return strerror(-rc);
    }
}

/* -EACCES a link says of its endpoint, and -ESRCH of a target that ended. */
static int error_of(int rc)
{
    switch (rc) {
    case -EACCES:
        return -ENOSYS;
    case -ESRCH:
        return -ENXIO;
    default:
        return rc;
    }
}

static void attach(struct keeper *keeper, size_t len)
{
    struct xen_accept *out = &keeper->out.body.accept;
    struct xen_vm_ring_attach attach;
    int rc = keeper->no_calls ? keeper->no_calls : -EINVAL;

    memset(out, 0, sizeof(*out));
    memset(&attach, 0, sizeof(attach));
    if (!keeper->no_calls && len == sizeof(attach.propose) &&
        !keeper->calls.ring) {
        attach.propose = keeper->in.body.propose;
        rc = xen_ring(&keeper->calls, XEN_VM_RING_OP_ATTACH, &attach,
                      sizeof(attach));
    }
    out->error = keeper->no_calls ? rc : error_of(rc);
    if (rc)
        snprintf(
            out->text, sizeof(out->text), "domain %u: %s", keeper->calls.domid,
            keeper->no_calls ? "no hypercalls can be made here" : why_not(rc));
    out->wire.body = attach.accept;
    snprintf(out->wire.target, sizeof(out->wire.target), "d%u",
             keeper->calls.domid);
    out->resource = attach.resource;
    memcpy(out->ports, attach.ports, sizeof(out->ports));
    keeper->verdicts = attach.accept.verdicts;
    if (!rc) {
        keeper->taken_over = attach.accept.prev_p_len[0];
        keeper->told = true;
    }
    reply(keeper, VMRING_LOCAL_ACCEPT, sizeof(*out));
}

static void take_row(struct vmring_local_counts *out,
                     const struct xen_vm_ring_row *from)
{
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

/* The rows from out->next on; -EPROTO: Xen gives more than there can be. */
static int count_some(struct keeper *keeper, struct vmring_local_counts *out)
{
    struct xen_vm_ring_count rows = {.from = out->next};
    int rc =
        xen_ring(&keeper->calls, XEN_VM_RING_OP_COUNT, &rows, sizeof(rows));

    if (rc)
        return rc;
    if (rows.nr > XEN_VM_RING_COUNT_ROWS || rows.next <= rows.from)
        return -EPROTO;
    for (uint32_t i = 0; i < rows.nr; i++)
        take_row(out, &rows.rows[i]);
    out->next =
        rows.next == XEN_VM_RING_COUNT_END ? VMRING_LOCAL_NO_MORE : rows.next;
    return 0;
}

/* A ring that is no more has no more rows, either. */
static void count(struct keeper *keeper)
{
    struct vmring_local_counts *out = &keeper->out.body.counts;
    int rc = 0;

    out->nr = 0;
    out->next = keeper->in.body.count.from;
    while (!rc && out->next != VMRING_LOCAL_NO_MORE &&
           out->nr + XEN_VM_RING_COUNT_ROWS <= VMRING_LOCAL_MAX_ROWS)
        rc = count_some(keeper, out);
    if (rc && !is_over(rc)) {
        give_up(keeper);
        return;
    }
    if (rc)
        out->next = VMRING_LOCAL_NO_MORE;
    reply(keeper, VMRING_LOCAL_COUNTS,
          offsetof(struct vmring_local_counts, rows) +
              out->nr * sizeof(out->rows[0]));
}

static void detach(struct keeper *keeper)
{
    /* What a former consumer has left, and nobody has read, is a successor's.
     */
    uint32_t op = keeper->taken_over && !keeper->drained
                      ? XEN_VM_RING_OP_DETACH
                      : XEN_VM_RING_OP_DESTROY;

    /* Without an epoch of our own it would be somebody else's. */
    if (keeper->calls.ring) {
        (void)xen_ring(&keeper->calls, XEN_VM_RING_OP_DISARM, NULL, 0);
        (void)xen_ring(&keeper->calls, op, NULL, 0);
    }
    keeper->calls.ring = 0;
    keeper->ended = true;
}

/*
 * As if it had never attached: a ring that was there before is left to a
 * successor, as its former consumer has left it.
 */
static void abandon(struct keeper *keeper)
{
    if (!keeper->taken_over)
        detach(keeper);
    keeper->ended = true;
}

static void subscribe(struct keeper *keeper, size_t len)
{
    if (len >= sizeof(keeper->in.body.text)) {
        give_up(keeper);
        return;
    }
    keeper->in.body.text[len] = '\0';
    keeper->quiescing = false;
    xen_subscribe(&keeper->calls, keeper->verdicts, keeper->in.body.text,
                  &keeper->out.body.subscribed);
    reply(keeper, VMRING_LOCAL_SUBSCRIBED, sizeof(keeper->out.body.subscribed));
}

/* Nothing more is raised; without that it would never be quiet. */
static void quiesce(struct keeper *keeper)
{
    int rc = xen_ring(&keeper->calls, XEN_VM_RING_OP_DISARM, NULL, 0);

    if (rc && !is_over(rc))
        give_up(keeper);
    keeper->quiescing = true;
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
        quiesce(keeper);
        break;
    case VMRING_LOCAL_DRAINED:
        (void)xen_ring(&keeper->calls, XEN_VM_RING_OP_DRAINED, NULL, 0);
        keeper->drained = true;
        break;
    case VMRING_LOCAL_DETACH:
        detach(keeper);
        break;
    case XEN_KEEPER_ABANDON:
        abandon(keeper);
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

    int rc =
        xen_ring(&keeper->calls, XEN_VM_RING_OP_QUERY, &query, sizeof(query));

    if (rc && !is_over(rc))
        give_up(keeper);
    if (keeper->ended || (!rc && query.pending))
        return;
    keeper->quiescing = false;
    reply(keeper, VMRING_LOCAL_QUIET, 0);
}

static void take(struct keeper *keeper)
{
    ssize_t len = recv(keeper->socket, &keeper->in, sizeof(keeper->in), 0);

    /* Is said once, and before what it had sent until then. */
    if (len < 0 && errno == ECONNRESET) {
        not_read(keeper);
        return;
    }
    if (len < (ssize_t)sizeof(keeper->in.header) ||
        keeper->in.header.length != (size_t)len) {
        keeper->ended = true;
        return;
    }
    keeper->told = false;
    carry_out(keeper, keeper->in.header.type,
              (size_t)len - sizeof(keeper->in.header));
}

/*
 * It needs what it has open, and nothing else that root may do.  What remains
 * is hypercalls, which no filter of system calls tells apart.
 */
static void give_up_privileges(void)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = 0}};

    /* One's own can always be given up. */
    (void)syscall(SYS_capset, &header, none);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
}

void xen_keeper(uint32_t domid, int socket)
{
    static struct keeper keeper; /* too large for a stack; one a process */
    struct pollfd pfd = {.fd = socket, .events = POLLIN};

    memset(&keeper, 0, sizeof(keeper));
    keeper.socket = socket;
    keeper.no_calls = xen_begin_calls(&keeper.calls, domid);
    give_up_privileges();
    while (!keeper.ended) {
        int ready = poll(&pfd, 1, keeper.quiescing ? LOOK_MS : -1);

        if (ready > 0)
            take(&keeper);
        else if (ready < 0)
            break;
        else
            look_whether_quiet(&keeper);
    }
    if (keeper.unread)
        abandon(&keeper);
    xen_end_calls(&keeper.calls);
}
