/* SPDX-License-Identifier: MIT */
#include "shim.h"

#include "watch.h"

#define PAGE 4096

bool shim_watched;

static struct {
    uint64_t steps, limit;
    const struct watcher *watcher;
    void *ctx;
} watch;

static struct {
    uintptr_t base;
    unsigned char *dirty;
    size_t nr;
} stores;

void watch_stores(const unsigned char *base, unsigned char *dirty, size_t nr)
{
    stores.base = (uintptr_t)base;
    stores.dirty = dirty;
    stores.nr = nr;
}

void watch_note_store(const void *at, size_t len)
{
    size_t off = (uintptr_t)at - stores.base;

    if (off / PAGE >= stores.nr)
        return;
    stores.dirty[off / PAGE] = 1;
    stores.dirty[(off + len - 1) / PAGE] = 1;
}

void watch_begin(const struct watcher *watcher, void *ctx, uint64_t limit)
{
    ALWAYS(!shim_watched);
    watch.watcher = watcher;
    watch.ctx = ctx;
    watch.steps = 0;
    watch.limit = limit;
    shim_watched = true;
}

void watch_end(void)
{
    ALWAYS(shim_watched);
    shim_watched = false;
}

void shim_tell(const volatile void *at, size_t len, enum shim_kind kind)
{
    const void *plain = (const void *)(uintptr_t)at;

    if (kind != SHIM_LOAD)
        watch_note_store(plain, len);
    if (!shim_watched)
        return;
    /* Steps bounded by a constant, whatever the peer does meanwhile. */
    ALWAYS(++watch.steps <= watch.limit);
    ALWAYS(watch.watcher->may(watch.ctx, plain, len, kind));
    /* The peer is not watched, even if it is our own code. */
    shim_watched = false;
    watch.watcher->between(watch.ctx, plain, kind);
    shim_watched = true;
}
