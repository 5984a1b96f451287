/* SPDX-License-Identifier: MIT */
/*
 * xenstore_names.h: what a bridge asks xenstore while it starts, within a
 * limit: names of domains, and that it is told of their end.
 */
#ifndef BRIDGE_XENSTORE_NAMES_H
#define BRIDGE_XENSTORE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct store;
struct xs_handle;

/* So long each. */
#define STORE_MS 5000

/* Domains of one name: one at most is alive, more may be left in xenstore. */
#define STORE_MAX_NAMESAKES 32
struct store_namesakes {
    unsigned int nr;
    struct {
        uint32_t domid;
        bool introduced; /* xenstore serves it */
    } of[STORE_MAX_NAMESAKES];
};

/* What is known of a domain by its id. */
#define STORE_NAME 64

/* NULL: there is no thread to be had; all the others take that. */
struct store *store_open(void);

/*
 * Domains of that name.  0; -ETIMEDOUT: xenstored does not answer in time, nor
 * is it asked again; or what libxenstore says.
 */
int store_find(struct store *store, const char *name,
               struct store_namesakes *found);

/* Whether xenstore serves that domain, and whether it is our own. */
int store_look_up(struct store *store, uint32_t domid, bool *introduced,
                  bool *ours);

/* Gets the domain's name ("": none), and watches for ends of domains. */
int store_watch(struct store *store, uint32_t domid, char name[STORE_NAME]);

/* Ends it.  Its connection, which watches; NULL: none that answers. */
struct xs_handle *store_take(struct store *store);
void store_close(struct store *store);

#endif /* BRIDGE_XENSTORE_NAMES_H */
