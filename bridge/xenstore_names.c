/* SPDX-License-Identifier: MIT */
/* xenstore_names.c: see xenstore_names.h. */
#include "xenstore_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "../libvmring/transport/errand.h"

/* The thread's until it has answered. */
struct connection {
    struct xs_handle *xs; /* NULL: none yet */
};

struct store {
    struct errands *errands;
    struct connection *to;
    bool late; /* it has not answered: `to` is the thread's for good */
};

/* All that is asked, and what is said to it. */
struct question {
    struct errand errand;
    struct connection *to;
    int err;
    char name[256];
    uint32_t domid;
    bool introduced, ours;
    struct store_namesakes found;
};

static int connect_to_it(struct question *question)
{
    if (!question->to->xs)
        question->to->xs = xs_open(0);
    return question->to->xs ? 0 : errno ? -errno : -ENOENT;
}

static char *read_of(struct xs_handle *xs, const char *domid, const char *node)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%s/%s", domid, node);
    return xs_read(xs, XBT_NULL, path, NULL);
}

static void note(struct question *question, const char *domid)
{
    struct store_namesakes *found = &question->found;
    char *name = read_of(question->to->xs, domid, "name");
    unsigned long number = strtoul(domid, NULL, 10);

    if (name && !strcmp(name, question->name) && number <= UINT32_MAX &&
        found->nr < STORE_MAX_NAMESAKES) {
        found->of[found->nr].domid = (uint32_t)number;
        found->of[found->nr].introduced =
            xs_is_domain_introduced(question->to->xs, (unsigned int)number);
        found->nr++;
    }
    free(name);
}

static void run_find(struct errand *errand)
{
    struct question *question = (struct question *)errand;
    unsigned int nr = 0;
    char **domids;

    question->err = connect_to_it(question);
    if (question->err)
        return;
    domids = xs_directory(question->to->xs, XBT_NULL, "/local/domain", &nr);
    if (!domids)
        question->err = errno == ENOENT ? 0 : -errno;
    for (unsigned int i = 0; domids && i < nr; i++)
        note(question, domids[i]);
    free(domids);
}

static void run_look_up(struct errand *errand)
{
    struct question *question = (struct question *)errand;
    struct xs_handle *xs;
    char *own;

    question->err = connect_to_it(question);
    if (question->err)
        return;
    xs = question->to->xs;
    errno = 0;
    own = xs_read(xs, XBT_NULL, "domid", NULL);
    if (!own && errno != ENOENT)
        question->err = errno ? -errno : -EIO;
    question->ours = own && strtoul(own, NULL, 10) == question->domid;
    free(own);
    if (!question->err)
        question->introduced = xs_is_domain_introduced(xs, question->domid);
}

/*
 * It is read first: a watch by way of the kernel's device waits in the kernel,
 * where nothing ends it.
 */
static void run_watch(struct errand *errand)
{
    struct question *question = (struct question *)errand;
    char domid[16];
    char *name;

    question->err = connect_to_it(question);
    if (question->err)
        return;
    snprintf(domid, sizeof(domid), "%u", question->domid);
    errno = 0;
    name = read_of(question->to->xs, domid, "name");
    if (!name && errno != ENOENT && errno != EACCES)
        question->err = errno ? -errno : -EIO;
    snprintf(question->name, sizeof(question->name), "%s", name ? name : "");
    free(name);
    if (!question->err && !xs_watch(question->to->xs, "@releaseDomain", "end"))
        question->err = -errno;
}

static void run_close(struct errand *errand)
{
    const struct question *question = (const struct question *)errand;

    if (question->to->xs)
        xs_close(question->to->xs);
    free(question->to);
}

static struct question *make(const struct store *store,
                             void (*run)(struct errand *errand))
{
    struct question *question = calloc(1, sizeof(*question));

    if (!question)
        return NULL;
    question->errand.run = run;
    question->to = store->to;
    return question;
}

struct store *store_open(void)
{
    struct store *store = calloc(1, sizeof(*store));

    if (!store)
        return NULL;
    store->to = calloc(1, sizeof(*store->to));
    if (store->to && !errands_start(&store->errands))
        return store;
    free(store->to);
    free(store);
    return NULL;
}

/* The answer, which is to be freed; NULL: none has come. */
static struct question *ask(struct store *store, struct question *question,
                            int ms)
{
    if (!question)
        return NULL;
    if (store->late) {
        free(question);
        return NULL;
    }
    store->late = !errands_do(store->errands, &question->errand, ms, NULL);
    return store->late ? NULL : question;
}

int store_find(struct store *store, const char *name,
               struct store_namesakes *found)
{
    struct question *question;
    int err;

    found->nr = 0;
    if (!store)
        return -EAGAIN;
    question = make(store, run_find);
    if (question)
        snprintf(question->name, sizeof(question->name), "%s", name);
    question = ask(store, question, STORE_MS);
    if (!question)
        return store->late ? -ETIMEDOUT : -ENOMEM;
    *found = question->found;
    err = question->err;
    free(question);
    return err;
}

int store_look_up(struct store *store, uint32_t domid, bool *introduced,
                  bool *ours)
{
    struct question *question;
    int err;

    if (!store)
        return -EAGAIN;
    question = make(store, run_look_up);
    if (question)
        question->domid = domid;
    question = ask(store, question, STORE_MS);
    if (!question)
        return store->late ? -ETIMEDOUT : -ENOMEM;
    *introduced = question->introduced;
    *ours = question->ours;
    err = question->err;
    free(question);
    return err;
}

int store_watch(struct store *store, uint32_t domid, char name[STORE_NAME])
{
    struct question *question;
    int err;

    name[0] = '\0';
    if (!store)
        return -EAGAIN;
    question = make(store, run_watch);
    if (question)
        question->domid = domid;
    question = ask(store, question, STORE_MS);
    if (!question)
        return store->late ? -ETIMEDOUT : -ENOMEM;
    snprintf(name, STORE_NAME, "%.*s", STORE_NAME - 1, question->name);
    err = question->err;
    free(question);
    return err;
}

struct xs_handle *store_take(struct store *store)
{
    struct xs_handle *xs = NULL;

    if (store && !store->late) {
        xs = store->to->xs;
        store->to->xs = NULL;
    }
    store_close(store);
    return xs;
}

void store_close(struct store *store)
{
    struct question *last;

    if (!store)
        return;
    last = make(store, run_close);
    errands_end(store->errands, last ? &last->errand : NULL, 0);
    free(store);
}
