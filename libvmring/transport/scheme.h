/* SPDX-License-Identifier: MIT */
/*
 * scheme.h: which transport is meant by a URI.
 *
 * Each transport registers itself, by SCHEME_REGISTER() in a file of its own;
 * neither end knows which there are.  What is registered is a pointer in a
 * section of the linker's, as Xen does it with its schedulers: a
 * transport that is linked in is found, and nothing has to run before.
 */
#ifndef VMRING_TRANSPORT_SCHEME_H
#define VMRING_TRANSPORT_SCHEME_H

#include "transport.h"

/* What a consumer says of itself when it connects. */
struct connecting {
    const char *uri; /* as it was given, for messages */
    int timeout_ms;
    struct patience patience;
    const struct log *log; /* lives as long as the link does */
    char *error;           /* one line on failure; may be NULL */
    size_t error_len;
};

/* What a producer says of itself when it listens. */
struct listening {
    int epoll; /* its own: polls readable when there is work */
    const struct log *log;
    struct reopen *reopen;
    struct channel_ops channels;
    unsigned int mode; /* of a socket; 0: the least */
};

/* `where` is what follows the name in the URI.  What is NULL there is not. */
struct scheme {
    const char *name; /* "local:" */
    /* A link to the producer that listens there.  -errno, and the line in
     * error. */
    int (*connect)(const struct connecting *how, const char *where,
                   struct link **link);
    /* It is not connected after all: what `where` hands over goes.  Or NULL. */
    void (*discard)(const char *where);
    /*
     * Consumers may come there.  *listener may be one already, of this
     * transport, by which nobody can come yet; else it is NULL.  -EINVAL: it
     * is another's, or `where` names nothing.  NULL: nobody can be served so.
     */
    int (*listen)(const struct listening *how, const char *where,
                  struct listener **listener);
    /* A listener without an address: connections are handed to it. */
    int (*open)(const struct listening *how, struct listener **listener);
};

/* The scheme of a URI, and what follows its name.  NULL: there is none. */
const struct scheme *scheme_find(const char *uri, const char **where);

#if defined(__has_attribute)
#if __has_attribute(__retain__)
#define SCHEME_KEPT __used__, __retain__
#endif
#endif
#ifndef SCHEME_KEPT
#define SCHEME_KEPT __used__
#endif

/*
 * A linker takes from an archive only what is asked for: -u scheme_local asks
 * for this pointer, by its name.
 */
#define SCHEME_REGISTER(which, address)                                        \
    extern const struct scheme *const scheme_##which;                          \
    const struct scheme *const scheme_##which                                  \
        __attribute__((SCHEME_KEPT, __section__("vmring_schemes"))) =          \
            (address)

#endif /* VMRING_TRANSPORT_SCHEME_H */
