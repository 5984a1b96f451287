/* SPDX-License-Identifier: MIT */
/*
 * kept.h: memory that was handed to users and cannot be taken back.
 *
 * A P that had to be sealed (region.h) stays allocated until the peer that was
 * handed it lets go, which cannot be seen.  So its bytes count for the peer's
 * user, for good, and a user that has reached the limit is given nothing more.
 * Root and our own user have no limit: they could end us.
 */
#ifndef VMRING_TRANSPORT_LOCAL_KEPT_H
#define VMRING_TRANSPORT_LOCAL_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_KEPT_OF_USER (UINT64_C(256) << 20)

/* Users that are told apart; further ones count as one. */
#define MAX_KEPT_USERS 16

struct kept {
    uint64_t bytes; /* of all */
    unsigned int nr;
    struct {
        uid_t uid;
        uint64_t bytes;
    } of[MAX_KEPT_USERS];
};

void kept_add(struct kept *kept, uid_t uid, uint64_t bytes);

/* May this user be handed more? */
bool kept_allows(const struct kept *kept, uid_t uid);

#endif /* VMRING_TRANSPORT_LOCAL_KEPT_H */
