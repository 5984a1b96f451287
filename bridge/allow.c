/* SPDX-License-Identifier: MIT */
/* allow.c: which kinds of event may be armed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../libvmring/text/suggest.h"
#include "allow.h"

#define NAME_MAX_LEN 32

static uint64_t kinds_named(const char *name)
{
    struct vmring_kind kind;
    uint64_t mask = 0;

    for (unsigned int i = 0; vmring_get_kind(i, &kind) == 0; i++) {
        const char *reason = vmring_reason_name(kind.reason);

        if (strcmp(name, kind.name) == 0 ||
            (reason && strcmp(name, reason) == 0))
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

static const char *near_event(const char *word, char text[SUGGEST_TEXT])
{
    struct suggest near = suggest_for(word, strlen(word));
    struct vmring_kind kind;

    for (unsigned int i = 0; vmring_get_kind(i, &kind) == 0; i++) {
        suggest_try(&near, kind.name);
        suggest_try(&near, vmring_reason_name(kind.reason));
    }
    return suggest_text(&near, text);
}

int allow_parse(const char *text, struct allow *allow, char *error,
                size_t error_len)
{
    char word[NAME_MAX_LEN], near[SUGGEST_TEXT];
    uint64_t kinds = 0;

    while (*text) {
        size_t len = strcspn(text, ", ");

        snprintf(word, sizeof(word), "%.*s", (int)len, text);
        if (len >= sizeof(word) ||
            (len && !kinds_named(word) && strcmp(word, "all") != 0 &&
             strcmp(word, "none") != 0)) {
            snprintf(error, error_len,
                     "unknown event '%s'; %svmring-agent -e help lists them",
                     word, near_event(word, near));
            return -EINVAL;
        }
        if (len)
            kinds |= strcmp(word, "all") == 0 ? UINT64_MAX : kinds_named(word);
        text += len + (text[len] != '\0');
    }
    allow->kinds = kinds;
    return 0;
}

/* A spec's canonical text starts with the name of its kind. */
bool allow_spec(const struct allow *allow, const struct vmring_spec *spec)
{
    char text[128];

    if (allow->kinds == UINT64_MAX)
        return true;
    if (vmring_spec_format(spec, text, sizeof(text)) < 0)
        return false;
    text[strcspn(text, ":")] = '\0';
    return (kinds_named(text) & allow->kinds) != 0;
}

uint32_t allow_reasons(const struct allow *allow)
{
    struct vmring_kind kind;
    uint32_t reasons = 0;

    for (unsigned int i = 0; vmring_get_kind(i, &kind) == 0; i++) {
        if (allow->kinds >> i & 1)
            reasons |= 1u << kind.reason;
    }
    return reasons;
}
