/* SPDX-License-Identifier: MIT */
#include "scheme.h"

#include <string.h>

/*
 * The linker's names for the ends of the section. Hidden: LLD exports them
 * otherwise, and another library could have a section of that name.
 */
#pragma GCC visibility push(hidden)
extern const struct scheme *const first[] __asm__("__start_vmring_schemes");
extern const struct scheme *const last[] __asm__("__stop_vmring_schemes");
#pragma GCC visibility pop

const struct scheme *scheme_find(const char *uri, const char **where)
{
    for (const struct scheme *const *at = first; at != last; at++) {
        size_t len = strlen((*at)->name);

        if (strncmp(uri, (*at)->name, len))
            continue;
        *where = uri + len;
        return *at;
    }
    return NULL;
}
