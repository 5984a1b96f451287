/* SPDX-License-Identifier: MIT */
/*
 * Description: held lines come out in order of time, once they were held for
 * long enough; what comes too late is marked, and nothing is lost.
 */
#include <inttypes.h>

#include "../../agent/output/json.h"
#include "../../agent/output/order.h"
#include "../../agent/output/text.h"
#include "../unit/check.h"

#define HOLD 1000

static struct output in, out;

static void line(int64_t time, const char *text)
{
    size_t begun = order_begin(&in);

    output_text(&in, text);
    order_end(&in, begun, time);
}

static void feed(struct order *order, uint64_t now)
{
    CHECK_EQ(order_feed(order, in.buffer, output_held(&in), now), 0);
    in.used = 0;
}

static const char *released(struct order *order, uint64_t now)
{
    out.used = 0;
    order_release(order, &out, now);
    output_bytes(&out, "", 1);
    return out.buffer;
}

static void check_held(void)
{
    struct order *order = order_new(HOLD, text_unordered);

    CHECK(order);
    CHECK_EQ(order_next(order), UINT64_MAX);
    CHECK_EQ(order_latest(order), 0);
    line(30, "c\n");
    line(10, "a\n");
    feed(order, 0);
    line(20, "b\n");
    line(40, "d\n");
    feed(order, 500);
    CHECK_EQ(order_latest(order), 40);
    CHECK_STR(released(order, 999), "");
    CHECK_EQ(order_next(order), 1000);
    /* With the first of them goes what was seen before it, though it is new. */
    CHECK_STR(released(order, 1000), "a\nb\nc\n");
    CHECK_EQ(order_next(order), 1500);
    CHECK_STR(released(order, 1500), "d\n");
    CHECK_EQ(order_next(order), UINT64_MAX);
    CHECK_EQ(order_late(order), 0);
    order_free(order);
}

/* One that is as late as can be is in order; later ones are marked. */
static void check_late(void)
{
    struct order *order = order_new(HOLD, text_unordered);

    line(20, "b\n");
    feed(order, 0);
    CHECK_STR(released(order, 1000), "b\n");
    line(20, "as early\n");
    line(10, "late\n");
    feed(order, 1001);
    CHECK_STR(released(order, 1001), "late  [out of order]\nas early\n");
    CHECK_EQ(order_late(order), 1);
    out.columns = 80;
    line(10, "late\n");
    feed(order, 1002);
    CHECK_STR(released(order, 1002), "late\n               [out of order]\n");
    out.columns = 0;
    order_free(order);

    order = order_new(HOLD, json_unordered);
    line(20, "{\"b\":1}\n");
    feed(order, 0);
    CHECK_STR(released(order, UINT64_MAX), "{\"b\":1}\n");
    line(10, "{\"a\":1}\n");
    feed(order, 0);
    CHECK_STR(released(order, 0), "{\"a\":1,\"out_of_order\":true}\n");
    order_free(order);
}

/* Of one time those that came first, whatever the heap makes of them. */
static void check_equal(void)
{
    struct order *order = order_new(HOLD, text_unordered);
    char text[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "%d\n", i);
        line(7, text);
    }
    feed(order, 0);
    (void)released(order, UINT64_MAX);
    for (char *at = out.buffer, *end = at; *at; at = end + 1) {
        static int next;

        CHECK_EQ(strtol(at, &end, 10), next);
        next++;
    }
    order_free(order);
}

/* More than it may hold: the first go out before their time, none is lost. */
static void check_bound(void)
{
    struct order *order = order_new(HOLD, text_unordered);
    size_t nr = ORDER_MOST_LINES + 1000, seen = 0;
    int64_t last = -1;
    char text[32];

    for (size_t i = 0; i < nr; i++) {
        int64_t time = (int64_t)(i ^ 0x1ff);

        snprintf(text, sizeof(text), "%" PRId64 "\n", time);
        line(time, text);
        if (i % 256 == 255)
            feed(order, 0);
    }
    feed(order, 0);
    (void)released(order, 1);
    for (int round = 0; round < 2; round++) {
        for (char *at = out.buffer, *end = at; *at; at = end + 1) {
            int64_t time = strtoll(at, &end, 10);

            CHECK(time > last);
            last = time;
            seen++;
        }
        if (!round)
            CHECK(seen >= 1000 && seen < nr);
        (void)released(order, UINT64_MAX);
    }
    CHECK_EQ(seen, nr);
    CHECK_EQ(order_late(order), 0);
    order_free(order);
    order_free(NULL);
}

/* Whatever is held when it ends is freed: memcheck would tell. */
static void check_left(void)
{
    struct order *order = order_new(HOLD, text_unordered);

    for (int64_t i = 0; i < 1000; i++)
        line(i * 7919 % 1000, "x\n");
    feed(order, 0);
    order_free(order);
}

int main(void)
{
    check_held();
    check_late();
    check_equal();
    check_bound();
    check_left();
    free(in.buffer);
    free(out.buffer);
    return 0;
}
