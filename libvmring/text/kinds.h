/* SPDX-License-Identifier: MIT */
/* kinds.h: the kinds of events, and how each is spelt in a subscription. */
#ifndef VMRING_TEXT_KINDS_H
#define VMRING_TEXT_KINDS_H

#include "../vmring.h"
#include "suggest.h"
#include "word.h"

struct kind {
    struct vmring_kind public;
    const char *alias; /* another name that is understood, or NULL */
    uint32_t flags;    /* VMRING_SPEC_* that it takes */
    uint32_t index;    /* spec.first of a kind without argument */
    /*
     * Reads the argument into spec->first, last and access.  Returns NULL,
     * or the cause of the refusal.  NULL itself: it takes no argument.
     */
    const char *(*parse)(struct word argument, struct vmring_spec *spec);
    /*
     * Writes it back as snprintf() would; negative if the spec holds what
     * cannot be written.
     */
    int (*format)(const struct vmring_spec *spec, char *text, size_t len);
};

/* The kind with this name or alias, or NULL. */
const struct kind *kind_named(struct word name);

/* Tries the names and aliases of all. */
void kind_suggest(struct suggest *near);

/* The kind that this spec is of, or NULL. */
const struct kind *kind_of(const struct vmring_spec *spec);

#endif /* VMRING_TEXT_KINDS_H */
