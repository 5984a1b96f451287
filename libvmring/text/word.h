/* SPDX-License-Identifier: MIT */
/* word.h: the words of a textual form: cut, compared, complained about. */
#ifndef VMRING_TEXT_WORD_H
#define VMRING_TEXT_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of somebody's text; not terminated, any bytes but 0. */
struct word {
    const char *at;
    size_t len;
};

/*
 * Takes the next word from *text, which it advances.  False: there is none.
 * Runs of separators count as one.
 */
bool word_next(const char **text, const char *separators, struct word *word);

/*
 * Cuts *rest at the first `at`: the part before it into *head, what follows
 * stays in *rest.  False if there is no `at`: *head is all, *rest is empty.
 */
bool word_cut(struct word *rest, char at, struct word *head);

bool word_is(struct word word, const char *name);

/*
 * A number up to `max`: decimal without leading zeros (some would read them
 * as octal), or hexadecimal after 0x.  0; -EINVAL no number; -ERANGE too big.
 */
int word_number(struct word word, uint64_t max, uint64_t *value);

/*
 * Stores "<cause> '<word>'; <remedy>" as one printable line in error, if
 * there is one.  Returns -EINVAL, for the caller to return.
 */
int word_refuse(char *error, size_t error_len, const char *cause,
                struct word word, const char *remedy, ...)
    __attribute__((format(printf, 5, 6)));

#endif /* VMRING_TEXT_WORD_H */
