/* SPDX-License-Identifier: MIT */
/* turns.c: how long the loop's turns take. */
#include "turns.h"

#include <inttypes.h>

#include "../../libvmring/base/clock.h"
#include "../log.h"

static const char *const part_names[NR_TURN_PARTS] = {
    [TURN_PEERS] = "peers",       [TURN_SOURCE] = "source",
    [TURN_VERDICTS] = "verdicts", [TURN_TARGET] = "target",
    [TURN_ENDING] = "ending",
};

static const struct {
    const char *name;
    uint64_t below;
} classes[NR_TURN_CLASSES] = {
    {"below_10_us", 10000},      {"below_100_us", 100000},
    {"below_1_ms", 1000000},     {"below_10_ms", 10000000},
    {"below_100_ms", 100000000}, {"longer", UINT64_MAX},
};

void turns_begin(struct turns *turns)
{
    turns->began = turns->part_began = clock_ns();
}

void turns_did(struct turns *turns, enum turn_part part)
{
    uint64_t now = clock_ns();

    if (now - turns->part_began > turns->longest_part_ns[part])
        turns->longest_part_ns[part] = now - turns->part_began;
    turns->part_began = now;
}

void turns_end(struct turns *turns)
{
    uint64_t took = clock_ns() - turns->began;
    int class = 0;

    while (took >= classes[class].below)
        class ++;
    turns->of_class[class]++;
    turns->nr++;
    if (took > turns->longest_ns)
        turns->longest_ns = took;
    if (took > TURN_MAX_MS * UINT64_C(1000000))
        bridge_log(LOG_WARNING,
                   "a turn of the loop took %" PRIu64
                   " ms, and all vCPUs waited for it; give this more of a CPU",
                   took / 1000000);
}

static void add(struct json_object *object, const char *key, uint64_t value)
{
    json_object_object_add(object, key, json_object_new_uint64(value));
}

void turns_json(const struct turns *turns, struct json_object *object)
{
    struct json_object *of = json_object_new_object();
    struct json_object *parts = json_object_new_object();

    add(of, "count", turns->nr);
    add(of, "longest_ns", turns->longest_ns);
    for (int i = 0; i < NR_TURN_CLASSES; i++)
        add(of, classes[i].name, turns->of_class[i]);
    for (int i = 0; i < NR_TURN_PARTS; i++)
        add(parts, part_names[i], turns->longest_part_ns[i]);
    json_object_object_add(of, "longest_part_ns", parts);
    json_object_object_add(object, "turns", of);
}

void turns_print(const struct turns *turns)
{
    int longest = 0;

    for (int i = 1; i < NR_TURN_PARTS; i++)
        if (turns->longest_part_ns[i] > turns->longest_part_ns[longest])
            longest = i;
    bridge_log_plain(
        "longest turn of the loop: %.3f ms (%s) of %" PRIu64 " turns\n",
        (double)turns->longest_ns / 1e6, part_names[longest], turns->nr);
}
