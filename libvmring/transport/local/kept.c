/* SPDX-License-Identifier: MIT */
/* kept.c: memory that cannot be taken back.  See kept.h. */
#include "kept.h"

#include <unistd.h>

/* Of those that are too many the last: then it is nobody's in particular. */
static unsigned int place_of(const struct kept *kept, uid_t uid)
{
    unsigned int i = 0;

    while (i < kept->nr && kept->of[i].uid != uid)
        i++;
    return i < MAX_KEPT_USERS ? i : MAX_KEPT_USERS - 1;
}

void kept_add(struct kept *kept, uid_t uid, uint64_t bytes)
{
    unsigned int i = place_of(kept, uid);

    if (i == kept->nr) {
        kept->of[i].uid = uid;
        kept->of[i].bytes = 0;
        kept->nr++;
    }
    kept->of[i].bytes += bytes;
    kept->bytes += bytes;
}

bool kept_allows(const struct kept *kept, uid_t uid)
{
    unsigned int i = place_of(kept, uid);

    return uid == 0 || uid == geteuid() || i == kept->nr ||
           kept->of[i].bytes < MAX_KEPT_OF_USER;
}
