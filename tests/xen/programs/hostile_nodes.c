/* SPDX-License-Identifier: MIT */
/* hostile_nodes.c: nodes of xenstore, rewritten as no agent should. */
#include "hostile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *node(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "/local/domain/%d/vmring/%s/%s", BACKEND,
             me.target, name);
    return path;
}

bool learn_numbers(void)
{
    char *text = xs_read(me.xs, XBT_NULL, node("agent/request"), NULL);
    bool good =
        text &&
        sscanf(text, "bridge=%" SCNu64 " session=%" SCNu64 " seq=%" SCNu64,
               &me.bridge, &me.session, &me.seq) == 3;

    free(text);
    return good;
}

static void put(const char *name, const void *value, size_t len)
{
    bool done = xs_write(me.xs, XBT_NULL, node(name), value, (unsigned int)len);

    me.writes++;
    me.refused += !done;
}

static void take_away(const char *name)
{
    me.removals += xs_rm(me.xs, XBT_NULL, node(name));
}

void request(uint64_t bridge, uint64_t session, uint64_t seq, const char *text)
{
    char line[512];

    put("agent/request", line,
        (size_t)snprintf(line, sizeof(line),
                         "bridge=%" PRIu64 " session=%" PRIu64 " seq=%" PRIu64
                         " %s",
                         bridge, session, seq, text));
}

/* All that it may not write. */
static void try_the_others(void)
{
    static const char *const names[] = {"reply", "bridge", "version", "quiet",
                                        "x"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        me.forbidden += xs_write(me.xs, XBT_NULL, node(names[i]), "0", 1);
}

void rewrite_once(void)
{
    static const char proposal[] =
        "propose version_min=1.0 version_max=1.0 features_wanted=0 "
        "features_required=0 async_len=18446744073709551615 deadline=0 "
        "record_len=64 policy=discard groups=1 verdicts=none";
    static const char *const names[] = {"agent/events/0", "agent/events/1",
                                        "agent/events/17/below", "agent/other"};
    char bytes[2048];
    uint64_t kind = noise() % 12;

    for (size_t i = 0; i < sizeof(bytes); i += 8) {
        uint64_t word = noise();

        memcpy(bytes + i, &word, 8);
    }
    switch (kind) {
    case 0:
        put("agent/request", bytes, 1 + noise() % 200);
        break;
    case 1: /* the longest there can be, and longer */
        memset(bytes, 'x', sizeof(bytes));
        put("agent/request", bytes, sizeof(bytes) - noise() % 2);
        break;
    case 2:
        request(me.bridge, me.session, ++me.seq, "subscribe parts=4000000000");
        break;
    case 3:
        request(me.bridge, me.session, ++me.seq, "count from=4294967295");
        break;
    case 4:
        request(noise(), me.session, ++me.seq, "detach");
        break;
    case 5:
        request(me.bridge, me.session, ++me.seq, "supported of what");
        break;
    case 6:
        take_away("agent/request");
        break;
    case 7:
        take_away("agent/events");
        break;
    case 8: /* another agent of this domain */
        request(me.bridge, noise(), 1, proposal);
        break;
    case 9:
        request(me.bridge, me.session, ++me.seq, "subscribe parts=2");
        break;
    case 10:
        try_the_others();
        break;
    default:
        put(names[noise() % 4], bytes, 1 + noise() % 2047);
    }
}
