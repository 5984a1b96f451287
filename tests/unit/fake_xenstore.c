/* SPDX-License-Identifier: MIT */
/* fake_xenstore.c: see fake_xenstore.h. */
#include "fake_xenstore.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <xenstore.h>

#include "check.h"
#include "transport/errand.h"

#define PATH       160
#define VALUE      4096 /* of a message of xenstored */
#define QUOTA      2048 /* of a node, for all but domain 0 */
#define MAX_NODES  256
#define MAX_PERMS  4
#define MAX_EVENTS 20000

struct fake_xenstore fake_xenstore;

/* Each end calls from a thread of its own. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changes = PTHREAD_COND_INITIALIZER;
static bool stopped;

static void unlock(const bool *held)
{
    (void)held;
    pthread_mutex_unlock(&lock);
}

/* Until the end of the block. */
#define LOCKED                                                                 \
    __attribute__((__cleanup__(unlock), __unused__)) const bool held =         \
        pthread_mutex_lock(&lock) == 0

struct node {
    char path[PATH];
    char value[VALUE + 1];
    unsigned int len;
    unsigned int nr_perms;
    struct xs_permissions perms[MAX_PERMS];
};

static struct node nodes[MAX_NODES], before[MAX_NODES];
static unsigned int nr_nodes, nr_before;

struct event {
    char path[PATH], token[16];
};

struct xs_handle {
    struct xs_handle *next;
    uint32_t domid;
    int fd;
    unsigned int nr_watches;
    struct event watches[8];
    unsigned int nr_events, first;
    struct event *events;
};

static struct xs_handle *handles;

/* Paths that were changed in the transaction. */
static char changed[64][PATH];
static unsigned int nr_changed;
static bool in_transaction;

static struct node *find(const char *path)
{
    for (unsigned int i = 0; i < nr_nodes; i++)
        if (!strcmp(nodes[i].path, path))
            return &nodes[i];
    return NULL;
}

static bool is_below(const char *path, const char *above)
{
    size_t len = strlen(above);

    return !strncmp(path, above, len) && (!path[len] || path[len] == '/');
}

static bool may(uint32_t domid, const struct node *node, unsigned int what)
{
    if (!domid || node->perms[0].id == domid)
        return true;
    for (unsigned int i = 1; i < node->nr_perms; i++)
        if (node->perms[i].id == domid)
            return (node->perms[i].perms & what) == what;
    return (node->perms[0].perms & what) == what;
}

static void absolute(uint32_t domid, const char *path, char full[PATH])
{
    if (*path == '/' || *path == '@')
        snprintf(full, PATH, "%s", path);
    else
        snprintf(full, PATH, "/local/domain/%u/%s", domid, path);
}

static void queue(struct xs_handle *xs, const char *path, const char *token)
{
    struct event *event;

    if (xs->nr_events == MAX_EVENTS)
        return;
    event = &xs->events[(xs->first + xs->nr_events++) % MAX_EVENTS];
    snprintf(event->path, sizeof(event->path), "%s", path);
    snprintf(event->token, sizeof(event->token), "%s", token);
    (void)eventfd_write(xs->fd, 1);
}

static void fire(const char *path)
{
    const struct node *node = find(path);

    if (in_transaction) {
        CHECK(nr_changed < 64);
        snprintf(changed[nr_changed++], PATH, "%s", path);
        return;
    }
    for (struct xs_handle *xs = handles; xs; xs = xs->next)
        for (unsigned int i = 0; i < xs->nr_watches; i++)
            if ((is_below(path, xs->watches[i].path) ||
                 (!node && is_below(xs->watches[i].path, path))) &&
                (!node || may(xs->domid, node, XS_PERM_READ)))
                queue(xs, path, xs->watches[i].token);
}

/* The node, made with all above it if need be; NULL and errno. */
static struct node *make(uint32_t domid, const char *path)
{
    struct node *node = find(path), *above = NULL;
    char up[PATH];

    if (node) {
        if (may(domid, node, XS_PERM_WRITE))
            return node;
        errno = EACCES;
        return NULL;
    }
    snprintf(up, sizeof(up), "%s", path);
    *strrchr(up, '/') = '\0';
    if (*up) {
        above = make(domid, up);
        if (!above)
            return NULL;
    } else if (domid) {
        errno = EACCES;
        return NULL;
    }
    CHECK(nr_nodes < MAX_NODES);
    node = &nodes[nr_nodes++];
    memset(node, 0, sizeof(*node));
    node->nr_perms = 1;
    if (above) {
        node->nr_perms = above->nr_perms;
        memcpy(node->perms, above->perms, sizeof(node->perms));
    }
    if (domid || !above)
        node->perms[0].id = domid;
    snprintf(node->path, sizeof(node->path), "%s", path);
    return node;
}

static bool put(uint32_t domid, const char *path, const void *value, size_t len)
{
    struct node *node;

    if (len > (domid ? QUOTA : VALUE)) {
        errno = ENOSPC;
        return false;
    }
    node = make(domid, path);
    if (!node)
        return false;
    memcpy(node->value, value, len);
    node->value[len] = '\0';
    node->len = (unsigned int)len;
    fire(path);
    return true;
}

static bool take_out(uint32_t domid, const char *path)
{
    const struct node *node = find(path);

    if (!node || !may(domid, node, XS_PERM_WRITE)) {
        errno = node ? EACCES : ENOENT;
        return false;
    }
    for (unsigned int i = 0; i < nr_nodes;)
        if (is_below(nodes[i].path, path))
            nodes[i] = nodes[--nr_nodes];
        else
            i++;
    fire(path);
    return true;
}

/* Transactions are done one after the other, and nothing amid them. */
static bool answers(xs_transaction_t t)
{
    while (stopped || (in_transaction && t == XBT_NULL))
        pthread_cond_wait(&changes, &lock);
    fake_xenstore.calls++;
    if (fake_xenstore.calls == fake_xenstore.fail_at) {
        errno = fake_xenstore.fail_errno;
        return false;
    }
    if (fake_xenstore.lost)
        errno = EIO;
    return !fake_xenstore.lost;
}

struct xs_handle *xs_open(unsigned long flags)
{
    LOCKED;
    struct xs_handle *xs;

    CHECK_EQ(flags, 0);
    if (fake_xenstore.lost) {
        errno = ENOENT;
        return NULL;
    }
    xs = calloc(1, sizeof(*xs));
    if (!xs)
        return NULL;
    xs->domid = fake_xenstore.domid;
    xs->events = calloc(MAX_EVENTS, sizeof(*xs->events));
    xs->fd = xs->events ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
    if (xs->fd < 0) {
        free(xs->events);
        free(xs);
        return NULL;
    }
    xs->next = handles;
    handles = xs;
    fake_xenstore.handles++;
    return xs;
}

void xs_close(struct xs_handle *xs)
{
    LOCKED;
    struct xs_handle **at = &handles;

    while (*at != xs)
        at = &(*at)->next;
    *at = xs->next;
    close(xs->fd);
    free(xs->events);
    free(xs);
    fake_xenstore.handles--;
}

void *xs_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
              unsigned int *len)
{
    LOCKED;
    const struct node *node;
    char full[PATH];
    char *copy;

    if (!answers(t))
        return NULL;
    absolute(xs->domid, path, full);
    node = find(full);
    if (!node || !may(xs->domid, node, XS_PERM_READ)) {
        errno = node ? EACCES : ENOENT;
        return NULL;
    }
    copy = malloc(node->len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, node->value, node->len + 1);
    *len = node->len;
    return copy;
}

bool xs_write(struct xs_handle *xs, xs_transaction_t t, const char *path,
              const void *data, unsigned int len)
{
    LOCKED;
    char full[PATH];

    absolute(xs->domid, path, full);
    return answers(t) && put(xs->domid, full, data, len);
}

bool xs_mkdir(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
    LOCKED;
    return answers(t) && (find(path) || put(xs->domid, path, "", 0));
}

bool xs_rm(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
    LOCKED;
    return answers(t) && take_out(xs->domid, path);
}

char **xs_directory(struct xs_handle *xs, xs_transaction_t t, const char *path,
                    unsigned int *num)
{
    LOCKED;
    *num = 0;
    if (!answers(t))
        return NULL;
    if (!find(path)) {
        errno = ENOENT;
        return NULL;
    }
    CHECK_EQ(xs->domid, 0);
    for (unsigned int i = 0; i < nr_nodes; i++)
        if (is_below(nodes[i].path, path) && strcmp(nodes[i].path, path))
            (*num)++;
    return calloc(1, sizeof(char *)); /* their names are not looked at */
}

bool xs_set_permissions(struct xs_handle *xs, xs_transaction_t t,
                        const char *path, struct xs_permissions *perms,
                        unsigned int nr)
{
    LOCKED;
    struct node *node = find(path);

    if (!answers(t))
        return false;
    CHECK(node && nr <= MAX_PERMS);
    CHECK(may(xs->domid, node, XS_PERM_WRITE));
    memcpy(node->perms, perms, nr * sizeof(*perms));
    node->nr_perms = nr;
    return true;
}

xs_transaction_t xs_transaction_start(struct xs_handle *xs)
{
    void (*before_it)(void) = fake_xenstore.before_transaction;

    if (before_it) {
        fake_xenstore.before_transaction = NULL;
        before_it();
    }
    LOCKED;
    (void)xs;
    if (!answers(XBT_NULL))
        return XBT_NULL;
    in_transaction = true;
    fake_xenstore.transactions++;
    nr_changed = 0;
    nr_before = nr_nodes;
    memcpy(before, nodes, sizeof(before));
    return 1;
}

bool xs_transaction_end(struct xs_handle *xs, xs_transaction_t t, bool abort)
{
    LOCKED;
    bool conflict = fake_xenstore.conflicts && !abort, lost;

    (void)xs;
    CHECK(in_transaction && t == 1);
    lost = !answers(t);
    in_transaction = false;
    fake_xenstore.transactions--;
    pthread_cond_broadcast(&changes);
    if (lost || abort || conflict) {
        nr_nodes = nr_before;
        memcpy(nodes, before, sizeof(nodes));
    }
    if (lost)
        return false;
    if (conflict) {
        fake_xenstore.conflicts--;
        errno = EAGAIN;
        return false;
    }
    if (abort)
        return true;
    for (unsigned int i = 0; i < nr_changed; i++)
        fire(changed[i]);
    return true;
}

bool xs_watch(struct xs_handle *xs, const char *path, const char *token)
{
    LOCKED;
    struct event *watch = &xs->watches[xs->nr_watches++];

    if (!answers(XBT_NULL))
        return false;
    CHECK(xs->nr_watches <= 8);
    snprintf(watch->path, sizeof(watch->path), "%s", path);
    snprintf(watch->token, sizeof(watch->token), "%s", token);
    queue(xs, path, token);
    return true;
}

int xs_fileno(struct xs_handle *xs)
{
    LOCKED;
    return xs->fd;
}

char **xs_check_watch(struct xs_handle *xs)
{
    LOCKED;
    const struct event *event = &xs->events[xs->first];
    eventfd_t count;
    char **strings;

    if (fake_xenstore.lost) {
        errno = EINVAL;
        return NULL;
    }
    if (fake_xenstore.late || !xs->nr_events) {
        if (!fake_xenstore.late)
            (void)eventfd_read(xs->fd, &count);
        errno = EAGAIN;
        return NULL;
    }
    strings = calloc(1, 2 * sizeof(*strings) + sizeof(*event));
    if (!strings)
        return NULL;
    memcpy(strings + 2, event, sizeof(*event));
    strings[XS_WATCH_PATH] = ((struct event *)(strings + 2))->path;
    strings[XS_WATCH_TOKEN] = ((struct event *)(strings + 2))->token;
    xs->first = (xs->first + 1) % MAX_EVENTS;
    xs->nr_events--;
    return strings;
}

bool xs_is_domain_introduced(struct xs_handle *xs, unsigned int domid)
{
    LOCKED;
    (void)xs;
    return answers(XBT_NULL) && fake_xenstore.destroyed != domid;
}

void fake_xenstore_become(uint32_t domid)
{
    LOCKED;
    fake_xenstore.domid = domid;
}

bool fake_xenstore_put(uint32_t domid, const char *path, const char *value,
                       size_t len)
{
    LOCKED;
    if (!value)
        return take_out(domid, path);
    return put(domid, path, value, len == SIZE_MAX ? strlen(value) : len);
}

const char *fake_xenstore_get(uint32_t domid, const char *path)
{
    LOCKED;
    const struct node *node = find(path);

    return node && may(domid, node, XS_PERM_READ) ? node->value : NULL;
}

unsigned int fake_xenstore_nodes(const char *path)
{
    LOCKED;
    unsigned int nr = 0;

    for (unsigned int i = 0; i < nr_nodes; i++)
        nr += is_below(nodes[i].path, path);
    return nr;
}

void fake_xenstore_destroy(uint32_t domid)
{
    LOCKED;
    fake_xenstore.destroyed = domid;
    for (struct xs_handle *xs = handles; xs; xs = xs->next)
        for (unsigned int i = 0; i < xs->nr_watches; i++)
            if (!strcmp(xs->watches[i].path, "@releaseDomain"))
                queue(xs, "@releaseDomain", xs->watches[i].token);
}

void fake_xenstore_lose(bool lost)
{
    LOCKED;
    fake_xenstore.lost = lost;
    for (struct xs_handle *xs = handles; xs; xs = xs->next)
        (void)eventfd_write(xs->fd, 1);
}

void fake_xenstore_stop(bool stop)
{
    LOCKED;
    stopped = stop;
    pthread_cond_broadcast(&changes);
}

void fake_xenstore_check_empty(const char *path)
{
    errands_wait_for_ended();
    CHECK_EQ(fake_xenstore.handles, 0);
    CHECK_EQ(fake_xenstore.transactions, 0);
    CHECK_EQ(fake_xenstore_nodes(path), 0);
}
