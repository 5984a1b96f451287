/* SPDX-License-Identifier: MIT */
/*
 * suggest.c: see suggest.h.  Words may be a hostile peer's: one that is longer
 * than any name has no neighbours.
 */
#include "suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LONGEST 32

static unsigned int least(unsigned int a, unsigned int b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * Letters left out, added, changed or swapped with the next one: Damerau and
 * Levenshtein's distance, where no letter is touched twice.
 */
static unsigned int distance(const char *a, size_t a_len, const char *b,
                             size_t b_len)
{
    unsigned int rows[3][LONGEST + 1];

    for (unsigned int j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (unsigned int i = 1; i <= a_len; i++) {
        unsigned int *row = rows[i % 3];
        const unsigned int *above = rows[(i - 1) % 3];
        const unsigned int *before = rows[(i + 1) % 3];

        row[0] = i;
        for (unsigned int j = 1; j <= b_len; j++) {
            unsigned int differs = !same(a[i - 1], b[j - 1]);

            row[j] =
                least(above[j - 1] + differs, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
                same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

struct suggest suggest_for(const char *word, size_t len)
{
    /* One slip in four letters, two in eight... */
    return (struct suggest){
        .word = word, .len = len, .away = (unsigned int)(len + 7) / 4};
}

void suggest_try(struct suggest *suggest, const char *name)
{
    size_t len = strlen(name);
    unsigned int away;

    if (!suggest->len || suggest->len > LONGEST || len > LONGEST)
        return;
    /* What was begun right is nearer than all but one slip. */
    if (suggest->len < len && !strncasecmp(suggest->word, name, suggest->len))
        away = 1;
    else
        away = distance(suggest->word, suggest->len, name, len);
    /* As good as another word altogether. */
    if (away >= suggest->away || away >= suggest->len)
        return;
    suggest->away = away;
    suggest->name = name;
}

const char *suggest_text(const struct suggest *suggest, char text[SUGGEST_TEXT])
{
    text[0] = '\0';
    if (suggest->name)
        snprintf(text, SUGGEST_TEXT, "did you mean %s? ", suggest->name);
    return text;
}
