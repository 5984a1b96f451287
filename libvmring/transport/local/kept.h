/* SPDX-License-Identifier: MIT */
/*
 * kept.h: memory that was handed to users and cannot be taken back.
 *
 * A P that had to be sealed (region.h) stays allocated for as long as whoever
 * was handed it likes, and nobody can see how long that is.  So it counts for
 * the user who got it, for good, and who has been handed as much as is allowed
 * is given nothing more.  Not so root and our own user: they could end us.
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
