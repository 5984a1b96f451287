/* SPDX-License-Identifier: MIT */
/* patience.h: may a call go on waiting? */
#ifndef VMRING_TRANSPORT_PATIENCE_H
#define VMRING_TRANSPORT_PATIENCE_H

#include <stdbool.h>

/* Asked ten times a second, if there is anything to ask. */
struct patience {
    bool (*enough)(void *ctx);
    void *ctx;
};

static inline bool patience_is_over(const struct patience *patience)
{
    return patience && patience->enough && patience->enough(patience->ctx);
}

#endif /* VMRING_TRANSPORT_PATIENCE_H */
