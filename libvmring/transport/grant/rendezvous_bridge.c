/* SPDX-License-Identifier: MIT */
/* rendezvous_bridge.c: the bridge's tree in xenstore, and what comes there. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../../text/word.h"
#include "rendezvous.h"
#include "xenstore.h"

/* Times that a transaction is tried while others change what it looks at. */
#define MAX_TRIES 16

struct rendezvous_bridge {
    struct xs_handle *xs;
    char above[32]; /* of all bridges of this domain */
    char base[XENSTORE_BASE];
    uint32_t domid; /* the agent's */
    uint64_t instance;
    /* The last request that was returned. */
    uint64_t session, seq;
};

static void path_of(const struct rendezvous_bridge *bridge, const char *node,
                    char path[XENSTORE_PATH])
{
    snprintf(path, XENSTORE_PATH, "%s/%s", bridge->base, node);
}

static bool put(struct rendezvous_bridge *bridge, xs_transaction_t t,
                const char *node, const char *text)
{
    char path[XENSTORE_PATH];

    path_of(bridge, node, path);
    return xs_write(bridge->xs, t, path, text, (unsigned int)strlen(text));
}

/* Whose nodes these are, and what one other domain may do there. */
static bool permit(struct rendezvous_bridge *bridge, xs_transaction_t t,
                   const char *path, uint32_t owner, uint32_t other,
                   unsigned int may)
{
    struct xs_permissions perms[2] = {{.id = owner, .perms = XS_PERM_NONE},
                                      {.id = other, .perms = may}};

    return xs_set_permissions(bridge->xs, t, path, perms, 2);
}

/*
 * What a bridge before has left goes, whatever the agents have put there.
 * Nodes inherit the permissions of the one above them.
 */
static bool make_tree(struct rendezvous_bridge *bridge, xs_transaction_t t,
                      uint32_t self)
{
    char agent[XENSTORE_PATH], number[24];

    path_of(bridge, "agent", agent);
    snprintf(number, sizeof(number), "%" PRIu64, bridge->instance);
    if (!xs_rm(bridge->xs, t, bridge->base) && errno != ENOENT)
        return false;
    return xs_mkdir(bridge->xs, t, bridge->base) &&
           permit(bridge, t, bridge->base, self, bridge->domid, XS_PERM_READ) &&
           put(bridge, t, "version", "1") && put(bridge, t, "bridge", number) &&
           xs_mkdir(bridge->xs, t, agent) &&
           permit(bridge, t, agent, self, bridge->domid,
                  XS_PERM_READ | XS_PERM_WRITE);
}

/* Is it still our tree? */
static int check_instance(struct rendezvous_bridge *bridge, xs_transaction_t t)
{
    char path[XENSTORE_PATH], text[XENSTORE_TEXT], ours[24];
    int err;

    path_of(bridge, "bridge", path);
    err = xenstore_read(bridge->xs, t, path, text);
    snprintf(ours, sizeof(ours), " %" PRIu64, bridge->instance);
    if (xenstore_is_lost(err))
        return -EPIPE;
    return err || strcmp(text, ours) ? -ESTALE : 0;
}

/*
 * Nothing is left of a tree, nor of the folder above if it was the last.  If
 * another has come it is not ours any more, which only the transaction itself
 * can tell: it may come at any instant before.
 */
static bool remove_tree(struct rendezvous_bridge *bridge, xs_transaction_t t,
                        uint32_t self)
{
    int err = check_instance(bridge, t);
    unsigned int nr;
    char **others;

    (void)self;
    if (err) {
        errno = -err;
        return false;
    }
    if (!xs_rm(bridge->xs, t, bridge->base))
        return false;
    others = xs_directory(bridge->xs, t, bridge->above, &nr);
    if (!others)
        return errno == ENOENT;
    free(others);
    return nr || xs_rm(bridge->xs, t, bridge->above);
}

static int transact(struct rendezvous_bridge *bridge, uint32_t self,
                    bool (*change)(struct rendezvous_bridge *bridge,
                                   xs_transaction_t t, uint32_t self))
{
    for (int i = 0; i < MAX_TRIES; i++) {
        xs_transaction_t t = xs_transaction_start(bridge->xs);

        if (t == XBT_NULL)
            return -errno;
        if (!change(bridge, t, self)) {
            int err = -errno;

            (void)xs_transaction_end(bridge->xs, t, true);
            return err;
        }
        if (xs_transaction_end(bridge->xs, t, false))
            return 0;
        if (errno != EAGAIN)
            return -errno;
    }
    return -EAGAIN;
}

/* Which domain this is. */
static int own_domid(struct xs_handle *xs, uint32_t *domid)
{
    char text[XENSTORE_TEXT];
    int err = xenstore_read(xs, XBT_NULL, "domid", text);
    struct word word = {text + 1, 0};
    uint64_t number;

    if (err)
        return err;
    word.len = strlen(word.at);
    if (word_number(word, 0x7fef, &number))
        return -EPROTO;
    *domid = (uint32_t)number;
    return 0;
}

/* The nodes that the agent writes; and, if we may know, which domains die. */
static int watch(struct rendezvous_bridge *bridge)
{
    char path[XENSTORE_PATH];

    path_of(bridge, "agent", path);
    if (!xs_watch(bridge->xs, path, "agent"))
        return -errno;
    path_of(bridge, "bridge", path);
    if (!xs_watch(bridge->xs, path, "agent"))
        return -errno;
    (void)xs_watch(bridge->xs, "@releaseDomain", "domain");
    return 0;
}

static int set_up(struct rendezvous_bridge *bridge, const char *target,
                  char *error, size_t error_len)
{
    uint32_t self;
    int err = own_domid(bridge->xs, &self);

    if (err)
        return fail(err, error, error_len,
                    "xenstore does not say which domain this is: no 'domid'");
    if (getrandom(&bridge->instance, sizeof(bridge->instance), 0) < 0)
        return fail(-errno, error, error_len, "no random number: %s",
                    strerror(errno));
    snprintf(bridge->above, sizeof(bridge->above), "/local/domain/%u/vmring",
             self);
    snprintf(bridge->base, sizeof(bridge->base), "%s/%s", bridge->above,
             target);
    err = transact(bridge, self, make_tree);
    if (!err)
        err = watch(bridge);
    return err ? fail(err, error, error_len, "cannot make %s in xenstore: %s",
                      bridge->base, strerror(-err))
               : 0;
}

int rendezvous_serve(uint32_t domid, const char *target,
                     struct rendezvous_bridge **out, char *error,
                     size_t error_len)
{
    struct rendezvous_bridge *bridge = calloc(1, sizeof(*bridge));
    int err;

    if (!bridge)
        return fail(-ENOMEM, error, error_len, "no memory");
    bridge->domid = domid;
    bridge->xs = xenstore_open(error, error_len, &err);
    if (!err)
        err = set_up(bridge, target, error, error_len);
    if (err) {
        rendezvous_serve_end(bridge);
        return err;
    }
    *out = bridge;
    return 0;
}

int rendezvous_serve_fd(const struct rendezvous_bridge *bridge)
{
    return xs_fileno(bridge->xs);
}

/* Events asked for, from the nodes where the agent has put them. */
static int read_parts(struct rendezvous_bridge *bridge,
                      struct rendezvous_message *request)
{
    struct message_subscribe subscribe;
    uint32_t len = 0;

    memcpy(&subscribe, request->body.bytes, sizeof(subscribe));
    for (uint32_t i = 0; i < subscribe.nr_parts; i++) {
        char path[XENSTORE_PATH], node[24], text[XENSTORE_TEXT];
        size_t more;
        int err;

        snprintf(node, sizeof(node), "agent/events/%" PRIu32, i);
        path_of(bridge, node, path);
        err = xenstore_read(bridge->xs, XBT_NULL, path, text);
        if (err)
            return err;
        more = strlen(text + 1);
        if (more > MESSAGE_PART || len + more >= sizeof(request->body))
            return -EPROTO;
        memcpy(request->body.bytes + len, text + 1, more);
        len += (uint32_t)more;
    }
    request->len = len;
    return 0;
}

/*
 * Whatever stands there: nothing, a request to a bridge before, one that was
 * answered, or nonsense, is no request.
 */
static int read_request(struct rendezvous_bridge *bridge,
                        struct rendezvous_message *request)
{
    char path[XENSTORE_PATH], text[XENSTORE_TEXT];
    const char *rest = text;
    uint64_t instance;
    int len;

    path_of(bridge, "agent/request", path);
    len = xenstore_read(bridge->xs, XBT_NULL, path, text);
    if (len)
        return xenstore_is_lost(len) ? -EPIPE : 0;
    rest = message_field(rest, "bridge", UINT64_MAX, &instance);
    if (rest)
        rest = message_field(rest, "session", UINT64_MAX, &request->session);
    if (rest)
        rest = message_field(rest, "seq", UINT64_MAX, &request->seq);
    if (!rest || *rest != ' ' || instance != bridge->instance ||
        (request->session == bridge->session && request->seq <= bridge->seq))
        return 0;
    bridge->session = request->session;
    bridge->seq = request->seq;
    len = message_read(rest + 1, &request->type, request->body.bytes,
                       sizeof(request->body));
    if (len >= 0)
        request->len = (uint32_t)len;
    if (len >= 0 && request->type == VMRING_LOCAL_SUBSCRIBE) {
        len = read_parts(bridge, request);
        if (xenstore_is_lost(len))
            return -EPIPE;
    }
    /* Of this agent, but no sense in it: there is no such type. */
    if (len < 0) {
        request->type = UINT32_MAX;
        request->len = 0;
    }
    return 1;
}

int rendezvous_next(struct rendezvous_bridge *bridge, bool anyway,
                    struct rendezvous_message *request)
{
    bool domains = false;
    int nr = xenstore_drain(bridge->xs, "domain", &domains);
    int err = 0;

    if (nr < 0)
        return nr;
    if (!nr && !anyway)
        return 0;
    if (nr)
        err = check_instance(bridge, XBT_NULL);
    if (!err && domains && !xs_is_domain_introduced(bridge->xs, bridge->domid))
        err = -ESRCH;
    return err ? err : read_request(bridge, request);
}

int rendezvous_tell(struct rendezvous_bridge *bridge, bool quiet,
                    uint64_t session, uint64_t seq, const char *message)
{
    char path[XENSTORE_PATH], text[XENSTORE_TEXT];
    int err;

    path_of(bridge, quiet ? "quiet" : "reply", path);
    snprintf(text, sizeof(text), "session=%" PRIu64 " seq=%" PRIu64 " %s",
             session, seq, message);
    err = xenstore_write(bridge->xs, path, text);
    return xenstore_is_lost(err) ? -EPIPE : err;
}

void rendezvous_serve_end(struct rendezvous_bridge *bridge)
{
    if (!bridge)
        return;
    if (bridge->xs && *bridge->base)
        (void)transact(bridge, 0, remove_tree);
    if (bridge->xs)
        xs_close(bridge->xs);
    free(bridge);
}
