/* SPDX-License-Identifier: MIT */
#include "shim.h"

#include "watch.h"

static struct {
    bool on;
    uint64_t steps, limit;
    const struct watcher *watcher;
    void *ctx;
} watch;

void watch_begin(const struct watcher *watcher, void *ctx, uint64_t limit)
{
    ALWAYS(!watch.on);
    watch.watcher = watcher;
    watch.ctx = ctx;
    watch.steps = 0;
    watch.limit = limit;
    watch.on = true;
}

void watch_end(void)
{
    ALWAYS(watch.on);
    watch.on = false;
}

void shim_access(const volatile void *at, size_t len, enum shim_kind kind)
{
    const void *plain = (const void *)(uintptr_t)at;

    if (!watch.on)
        return;
    /* Steps bounded by a constant, whatever the peer does meanwhile. */
    ALWAYS(++watch.steps <= watch.limit);
    ALWAYS(watch.watcher->may(watch.ctx, plain, len, kind));
    /* The peer is not watched, even if it is our own code. */
    watch.on = false;
    watch.watcher->between(watch.ctx, plain);
    watch.on = true;
}
