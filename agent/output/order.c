/* SPDX-License-Identifier: MIT */
/*
 * order.c: lines of several vCPUs by the time of their events (--sort).
 *
 * A heap has the held lines by time.  A queue has when each of them has been
 * held for long enough, in the order in which they came: whatever is in the
 * heap up to the time of one that has, may go.
 */
#include "order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Before each line, in what is fed. */
struct header {
    int64_t time;
    size_t len;
};

struct held {
    int64_t time;
    uint64_t nr; /* the how manieth: it decides between equal times */
    size_t len;
    char text[];
};

struct due {
    uint64_t at;
    int64_t time;
};

struct order {
    uint64_t hold_ns;
    order_mark *mark;
    struct held **heap;
    size_t nr, room, bytes;
    struct due *queue; /* a ring, of as many as the heap has room for */
    size_t first, queued;
    uint64_t fed, late;
    int64_t latest, written, horizon; /* INT64_MIN: none yet */
};

struct order *order_new(uint64_t hold_ns, order_mark *mark)
{
    struct order *order = calloc(1, sizeof(*order));

    if (!order)
        return NULL;
    order->hold_ns = hold_ns;
    order->mark = mark;
    order->latest = order->written = order->horizon = INT64_MIN;
    return order;
}

void order_free(struct order *order)
{
    if (!order)
        return;
    for (size_t i = 0; i < order->nr; i++)
        free(order->heap[i]);
    free(order->heap);
    free(order->queue);
    free(order);
}

size_t order_begin(struct output *out)
{
    const struct header header = {0};
    size_t begun = output_held(out);

    output_bytes(out, &header, sizeof(header));
    return begun;
}

void order_end(struct output *out, size_t begun, int64_t time)
{
    size_t len = output_held(out) - begun;
    struct header header = {time, len - sizeof(header)};

    /* There may be nothing, once there was an error. */
    if (output_held(out) > begun)
        memcpy(out->buffer + out->start + begun, &header, sizeof(header));
}

static bool is_before(const struct held *a, const struct held *b)
{
    return a->time != b->time ? a->time < b->time : a->nr < b->nr;
}

static void sift_up(struct held **heap, size_t at)
{
    struct held *line = heap[at];

    for (; at && is_before(line, heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = line;
}

/* The first of `nr` is new there. */
static void sift_down(struct held **heap, size_t nr)
{
    struct held *line = heap[0];
    size_t at = 0, child;

    for (; (child = 2 * at + 1) < nr; at = child) {
        if (child + 1 < nr && is_before(heap[child + 1], heap[child]))
            child++;
        if (!is_before(heap[child], line))
            break;
        heap[at] = heap[child];
    }
    heap[at] = line;
}

/* Of the i-th in the ring. */
static size_t place_of(const struct order *order, size_t i)
{
    size_t at = order->first + i;

    return at < order->room ? at : at - order->room;
}

/* Room for one more in both. */
static int grow(struct order *order)
{
    size_t room = order->room ? 2 * order->room : 256;
    struct held **heap;
    struct due *queue;

    if (order->nr < order->room && order->queued < order->room)
        return 0;
    heap = realloc(order->heap, room * sizeof(void *));
    if (!heap)
        return -ENOMEM;
    order->heap = heap;
    queue = calloc(room, sizeof(*queue));
    if (!queue)
        return -ENOMEM;
    for (size_t i = 0; i < order->queued; i++)
        queue[i] = order->queue[place_of(order, i)];
    free(order->queue);
    order->queue = queue;
    order->first = 0;
    order->room = room;
    return 0;
}

static int hold(struct order *order, int64_t time, const char *text, size_t len,
                uint64_t now)
{
    struct held *line = grow(order) ? NULL : malloc(sizeof(*line) + len);

    if (!line)
        return -ENOMEM;
    *line = (struct held){.time = time, .nr = order->fed, .len = len};
    memcpy(line->text, text, len);
    order->heap[order->nr] = line;
    sift_up(order->heap, order->nr);
    order->nr++;
    order->queue[place_of(order, order->queued)] =
        (struct due){now + order->hold_ns, time};
    order->queued++;
    order->fed++;
    order->bytes += len;
    if (order->latest < time)
        order->latest = time;
    return 0;
}

int order_feed(struct order *order, const char *data, size_t len, uint64_t now)
{
    struct header header;
    int r = 0;

    for (size_t at = 0; !r && at < len; at += header.len) {
        memcpy(&header, data + at, sizeof(header));
        at += sizeof(header);
        r = hold(order, header.time, data + at, header.len, now);
    }
    return r;
}

static void write_first(struct order *order, struct output *out)
{
    struct held *line = order->heap[0];

    order->nr--;
    order->heap[0] = order->heap[order->nr];
    sift_down(order->heap, order->nr);
    if (line->time < order->written) {
        order->late++;
        order->mark(out, line->text, line->len);
    } else {
        order->written = line->time;
        output_bytes(out, line->text, line->len);
    }
    order->bytes -= line->len;
    free(line);
}

/* All up to the time of one that was held for long enough. */
static void write_due(struct order *order, struct output *out)
{
    while (order->nr && order->heap[0]->time <= order->horizon)
        write_first(order, out);
}

static bool is_too_much(const struct order *order)
{
    return order->nr > ORDER_MOST_LINES || order->bytes > ORDER_MOST_BYTES ||
           order->queued > ORDER_MOST_LINES;
}

void order_release(struct order *order, struct output *out, uint64_t now)
{
    write_due(order, out);
    while (order->queued &&
           (order->queue[order->first].at <= now || is_too_much(order))) {
        int64_t time = order->queue[order->first].time;

        order->first = place_of(order, 1);
        order->queued--;
        if (order->horizon < time)
            order->horizon = time;
        write_due(order, out);
    }
}

uint64_t order_next(const struct order *order)
{
    return order->queued ? order->queue[order->first].at : UINT64_MAX;
}

int64_t order_latest(const struct order *order)
{
    return order->latest == INT64_MIN ? 0 : order->latest;
}

uint64_t order_late(const struct order *order)
{
    return order->late;
}
