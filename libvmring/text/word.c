/* SPDX-License-Identifier: MIT */
#include "word.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_QUOTED 48 /* of a bad word, so that the remedy still fits */

bool word_next(const char **text, const char *separators, struct word *word)
{
    const char *at = *text + strspn(*text, separators);

    word->at = at;
    word->len = strcspn(at, separators);
    *text = at + word->len;
    return word->len > 0;
}

bool word_cut(struct word *rest, char at, struct word *head)
{
    const char *found = rest->len ? memchr(rest->at, at, rest->len) : NULL;

    *head = *rest;
    if (!found) {
        rest->at += rest->len;
        rest->len = 0;
        return false;
    }
    head->len = (size_t)(found - rest->at);
    rest->at = found + 1;
    rest->len -= head->len + 1;
    return true;
}

bool word_is(struct word word, const char *name)
{
    return strlen(name) == word.len && !memcmp(name, word.at, word.len);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

int word_number(struct word word, uint64_t max, uint64_t *value)
{
    unsigned int base = 10;
    uint64_t sum = 0;
    int err = 0;

    if (word.len > 2 && word.at[0] == '0' && word.at[1] == 'x') {
        base = 16;
        word.at += 2;
        word.len -= 2;
    } else if (word.len > 1 && word.at[0] == '0') {
        return -EINVAL;
    }
    if (!word.len)
        return -EINVAL;
    for (size_t i = 0; i < word.len; i++) {
        unsigned int d = (unsigned int)digit(word.at[i]);

        if (d >= base)
            return -EINVAL;
        if (d > max || sum > (max - d) / base)
            err = -ERANGE; /* go on: letters further on are worse */
        else
            sum = sum * base + d;
    }
    if (!err)
        *value = sum;
    return err;
}

/* Printable, and short enough: the text may come from a hostile peer. */
static void quote(char *to, struct word word)
{
    size_t len = word.len < MAX_QUOTED ? word.len : MAX_QUOTED;

    memset(to, '?', len);
    for (size_t i = 0; i < len; i++)
        if (word.at[i] >= ' ' && word.at[i] <= '~')
            to[i] = word.at[i];
    memcpy(to + len, "...", sizeof("..."));
    if (len == word.len)
        to[len] = '\0';
}

int word_refuse(char *error, size_t error_len, const char *cause,
                struct word word, const char *remedy, ...)
{
    char quoted[MAX_QUOTED + 4];
    va_list args;
    int len;

    if (!error || !error_len)
        return -EINVAL;
    quote(quoted, word);
    len = snprintf(error, error_len, "%s '%s'; ", cause, quoted);
    if (len < 0 || (size_t)len >= error_len)
        return -EINVAL;
    va_start(args, remedy);
    vsnprintf(error + len, error_len - (size_t)len, remedy, args);
    va_end(args);
    return -EINVAL;
}
