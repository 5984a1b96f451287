/* SPDX-License-Identifier: MIT */
/* option.c: see option.h. */
#include "option.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../libvmring/text/suggest.h"

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

/* Their names as they are written. */
static const char *near_name(const char *name,
                             const struct argp_option *options,
                             char text[SUGGEST_TEXT])
{
    struct suggest near = suggest_for(name, strcspn(name, "="));

    text[0] = '\0';
    for (; !is_last(options); options++)
        if (options->name && *options->name)
            suggest_try(&near, options->name);
    if (near.name)
        snprintf(text, SUGGEST_TEXT, "did you mean --%s? ", near.name);
    return text;
}

void option_refused(const struct argp_state *state,
                    const struct argp_option *options, char *text, size_t len)
{
    const char *at = state->argv[state->next > 0 ? state->next - 1 : 0];
    char near[SUGGEST_TEXT] = "";
    const char *why;

    /* It stands still at a bad letter among several: "-qz". */
    if (*at != '-' && state->next < state->argc)
        at = state->argv[state->next];
    if (at[0] == '-' && at[1] == '-')
        why = refused_name(at + 2, options);
    else
        why = refused_letter(at + 1, options);
    /* "-quiet" is a name with a hyphen too few, perhaps. */
    if (!strcmp(why, UNKNOWN) && at[1])
        near_name(at + (at[1] == '-' ? 2 : 1), options, near);
    snprintf(text, len, "%s: %s; %s%s --help", at, why, near,
             *near ? "See" : "see");
}

int option_choice(const char *arg, const char *const *words, char *text,
                  size_t len)
{
    struct suggest near = suggest_for(arg, strlen(arg));
    char meant[SUGGEST_TEXT];

    for (int i = 0; words[i]; i++) {
        if (strcmp(arg, words[i]) == 0)
            return i;
        suggest_try(&near, words[i]);
    }
    suggest_text(&near, meant);
    snprintf(text, len, "%s%s ", meant, *meant ? "Say" : "say");
    for (int i = 0; words[i]; i++) {
        size_t used = strlen(text);

        snprintf(text + used, len - used, "%s%s",
                 !i             ? ""
                 : words[i + 1] ? ", "
                                : " or ",
                 words[i]);
    }
    return -EINVAL;
}
