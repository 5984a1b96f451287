/* SPDX-License-Identifier: MIT */
/*
 * Description: memory that a user keeps counts for that user, up to a limit;
 * root and our own user have none.
 */
#include "transport/local/kept.h"

#include <unistd.h>

#include "check.h"

int main(void)
{
    struct kept kept = {.nr = 0};
    uid_t first = geteuid() + 1000;

    CHECK(kept_allows(&kept, first));
    kept_add(&kept, first, MAX_KEPT_OF_USER - 1);
    CHECK(kept_allows(&kept, first));
    kept_add(&kept, first, 1);
    CHECK(!kept_allows(&kept, first));
    CHECK(kept_allows(&kept, first + 1));
    kept_add(&kept, 0, MAX_KEPT_OF_USER);
    kept_add(&kept, geteuid(), MAX_KEPT_OF_USER);
    CHECK(kept_allows(&kept, 0));
    CHECK(kept_allows(&kept, geteuid()));
    CHECK_EQ(kept.bytes, 3 * MAX_KEPT_OF_USER);
    /* More users than are told apart: the last of them count as one. */
    for (uid_t uid = first + 1; kept.nr < MAX_KEPT_USERS; uid++)
        kept_add(&kept, uid, 1);
    CHECK(kept_allows(&kept, first + 100));
    kept_add(&kept, first + 100, MAX_KEPT_OF_USER);
    CHECK_EQ(kept.nr, MAX_KEPT_USERS);
    CHECK(!kept_allows(&kept, first + 100));
    CHECK(!kept_allows(&kept, first + 200));
    CHECK(kept_allows(&kept, first + 1));
    return 0;
}
