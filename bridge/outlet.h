/* SPDX-License-Identifier: MIT */
/*
 * outlet.h: writing without waiting for the reader.
 *
 * A descriptor that polls writable may still make write() sleep: a terminal
 * whose other end has stalled does.  So a thread of its own writes, out of a
 * queue of bounded size.
 */
#ifndef BRIDGE_OUTLET_H
#define BRIDGE_OUTLET_H

#include <stddef.h>

#define OUTLET_BYTES 65536

struct outlet;

/*
 * Starts the thread that writes to a duplicate of `fd`.  NULL, and errno: there
 * is no memory, descriptor or thread for it.
 */
struct outlet *outlet_open(int fd);

/* Queues all of it, or nothing: -ENOBUFS, too much is queued.  Never waits. */
int outlet_put(struct outlet *outlet, const void *data, size_t len);

/*
 * Waits until all is written, limit_ms at most, and ends it.  Returns 0, the
 * first -errno of writing, or -ETIMEDOUT: nobody reads.  Then its thread, which
 * cannot be ended, and its memory remain until the process ends.
 */
int outlet_close(struct outlet *outlet, int limit_ms);

#endif /* BRIDGE_OUTLET_H */
