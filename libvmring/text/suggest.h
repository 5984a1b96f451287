/* SPDX-License-Identifier: MIT */
/*
 * suggest.h: which of several names a misspelt word may have meant.
 *
 *   struct suggest near = suggest_for(word, len);
 *   for each name
 *       suggest_try(&near, name);
 *   near.name
 */
#ifndef VMRING_TEXT_SUGGEST_H
#define VMRING_TEXT_SUGGEST_H

#include <stddef.h>

struct suggest {
    const char *word;
    size_t len;
    unsigned int away; /* edits from `name`, which must be fewer */
    const char *name;  /* the nearest so far, or NULL */
};

struct suggest suggest_for(const char *word, size_t len);

/* Takes the name if it is nearer than all before it. */
void suggest_try(struct suggest *suggest, const char *name);

/* Before the remedy of a message: "did you mean cpuid? ", or nothing. */
#define SUGGEST_TEXT 80
const char *suggest_text(const struct suggest *suggest,
                         char text[SUGGEST_TEXT]);

#endif /* VMRING_TEXT_SUGGEST_H */
