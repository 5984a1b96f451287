/* SPDX-License-Identifier: MIT */
/* option.c: what is wrong with an option that the parser refuses. */
#include "option.h"

#include <stdbool.h>
#include <string.h>

#define UNKNOWN "no such option"
#define MISSING "its argument is missing"

static bool is_last(const struct argp_option *option)
{
    return !option->name && !option->key && !option->doc && !option->group;
}

static const char *refused_letter(const char *letters,
                                  const struct argp_option *options)
{
    for (; *letters; letters++) {
        const struct argp_option *option = options;

        while (!is_last(option) && option->key != *letters)
            option++;
        if (is_last(option))
            return UNKNOWN;
        if (option->arg)
            return MISSING;
    }
    return UNKNOWN;
}

/* A name may be cut short where no other begins so. */
static const char *refused_name(const char *name,
                                const struct argp_option *options)
{
    size_t len = strcspn(name, "=");
    unsigned int nr = 0;

    for (; !is_last(options); options++) {
        if (!options->name || strncmp(options->name, name, len))
            continue;
        nr++;
        if (!options->name[len]) {
            nr = 1;
            break;
        }
    }
    if (nr != 1)
        return nr ? "more than one option begins so" : UNKNOWN;
    return name[len] ? "it takes no argument" : MISSING;
}

const char *option_refused(const struct argp_state *state,
                           const struct argp_option *options, const char **word)
{
    const char *at = state->argv[state->next > 0 ? state->next - 1 : 0];

    /* It stands still at a bad letter among several: "-qz". */
    if (*at != '-' && state->next < state->argc)
        at = state->argv[state->next];
    *word = at;
    return at[0] == '-' && at[1] == '-' ? refused_name(at + 2, options)
                                        : refused_letter(at + 1, options);
}
