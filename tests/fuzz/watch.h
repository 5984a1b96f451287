/* SPDX-License-Identifier: MIT */
/* watch.h: one side's accesses to shared memory, one by one. */
#ifndef VMRING_TESTS_WATCH_H
#define VMRING_TESTS_WATCH_H

#include "fuzz.h"
#include "shim.h"

struct watcher {
    /* May the side under test do this? */
    bool (*may)(void *ctx, const void *at, size_t len, enum shim_kind kind);
    /* Its peer's turn, just before the access. */
    void (*between)(void *ctx, const void *at, enum shim_kind kind);
};

/* Until watch_end(): every access is checked, and at most `limit` of them. */
void watch_begin(const struct watcher *watcher, void *ctx, uint64_t limit);
void watch_end(void);

/*
 * Marks each page from `base` that is stored into, by either side, watched
 * or not; a byte for each of `nr`.
 */
void watch_stores(const unsigned char *base, unsigned char *dirty, size_t nr);

/* A store that atomic.h does not make. */
void watch_note_store(const void *at, size_t len);

#endif /* VMRING_TESTS_WATCH_H */
