/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-hostile: an agent that attaches as it should, and then does what
 * no agent should.
 *
 *   vmring-lab-hostile TARGET            served by a bridge in domain 0
 *
 * Says what it has done, one line each, and does what its standard input says:
 *   attach LEN EVENTS  with LEN bytes for records; EVENTS, as for -e, armed
 *   silent SECONDS     takes nothing and answers nothing
 *   scribble SECONDS   writes all of C without end
 *   ring SECONDS       rings without end
 *   nodes SECONDS      rewrites its nodes of xenstore without end
 *   all SECONDS        these three in turn
 *   liar N LEN         attaches N times, says each time that it has let go of
 *                      the pages, and keeps them mapped
 *   uproot             removes the folder that it may write to
 *   quit
 */
#include "hostile.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct hostile me;

void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t noise(void)
{
    me.seed ^= me.seed << 13;
    me.seed ^= me.seed >> 7;
    return me.seed ^= me.seed << 17;
}

static void command_attach(uint64_t len, const char *events)
{
    int ret = attach(len);

    if (!ret && *events)
        ret = ask(me.now->meet, VMRING_LOCAL_SUBSCRIBE, events, strlen(events),
                  VMRING_LOCAL_SUBSCRIBED);
    if (ret > 0)
        say("refused %d", ret);
    else if (ret)
        say("failed: %s", strerror(-ret));
    else
        say("attached, epoch %" PRIu64 ", %zu pages",
            (uint64_t)me.now->header.epoch,
            (me.now->regions.p.len + me.now->regions.c.len) / 4096);
}

static void for_seconds(unsigned int seconds, bool scribbles, bool rings,
                        bool writes)
{
    uint64_t end = now_ms() + seconds * 1000ULL;

    while (now_ms() < end) {
        if (scribbles)
            scribble_once();
        for (int i = 0; rings && i < 16; i++, me.rings++)
            evtchn_ring(me.now->bells, 0);
        if (writes)
            rewrite_once();
        if (!scribbles && !rings && !writes)
            usleep(10000);
    }
    /* Whatever the dice were: one of its own that is none. */
    if (writes)
        request(me.bridge, me.session, ++me.seq, "nonsense");
    say("did %" PRIu64 " passes over C, %" PRIu64 " wild answers, %" PRIu64
        " rings, %" PRIu64 " writes (%" PRIu64 " refused), %" PRIu64
        " removals, %" PRIu64 " forbidden",
        me.passes, me.answers, me.rings, me.writes, me.refused, me.removals,
        me.forbidden);
}

/* Until the bridge has given this one up. */
static void await_its_end(const struct held *held)
{
    uint64_t end = now_ms() + ANSWER_MS;

    while (held->life && held->life->producer && now_ms() < end)
        usleep(10000);
}

static void lie(unsigned int times, uint64_t len)
{
    for (unsigned int i = 0; i < times; i++) {
        int ret = attach(len);

        if (ret) {
            say("lied %u times, refused %d", i, ret);
            return;
        }
        /* Either way: it has gone, and it has left in order. */
        tell(me.now->meet, VMRING_LOCAL_DRAINED);
        if (i % 2) {
            tell(me.now->meet, VMRING_LOCAL_DETACH);
        } else if (me.now->life) {
            me.now->life->consumer = XEN_VM_RING_LIFE_GONE;
            evtchn_ring(me.now->bells, 0);
        }
        await_its_end(me.now);
        if (i % 2 && me.now->life)
            me.now->life->consumer = XEN_VM_RING_LIFE_GONE;
        say("lied, %zu pages kept",
            (me.now->regions.p.len + me.now->regions.c.len) / 4096);
    }
    say("lied %u times, not refused", times);
}

static void command(const char *line)
{
    char verb[32] = "", rest[128] = "";
    unsigned long long number = 0;

    if (sscanf(line, "%31s %llu %127s", verb, &number, rest) < 1)
        return;
    if (!strcmp(verb, "quit"))
        exit(0);
    if (!strcmp(verb, "attach"))
        command_attach(number, rest);
    else if (!strcmp(verb, "liar"))
        lie((unsigned int)number, strtoull(rest, NULL, 0));
    else if (!strcmp(verb, "uproot"))
        say("uprooted: %d", xs_rm(me.xs, XBT_NULL, node("agent")));
    else if (!me.now || (!learn_numbers() && !me.session))
        say("failed: nothing is attached");
    else if (!strcmp(verb, "silent"))
        for_seconds((unsigned int)number, false, false, false);
    else if (!strcmp(verb, "scribble"))
        for_seconds((unsigned int)number, true, false, false);
    else if (!strcmp(verb, "ring"))
        for_seconds((unsigned int)number, false, true, false);
    else if (!strcmp(verb, "nodes"))
        for_seconds((unsigned int)number, false, false, true);
    else if (!strcmp(verb, "all"))
        for_seconds((unsigned int)number, true, true, true);
    else
        say("failed: no such command");
}

int main(int argc, char **argv)
{
    char line[256];

    if (argc != 2) {
        fprintf(stderr, "see the source for how it is used\n");
        return 64;
    }
    me.target = argv[1];
    me.seed = 88172645463325252ULL;
    me.xs = xs_open(0);
    if (!me.xs) {
        fprintf(stderr, "no xenstore\n");
        return 1;
    }
    say("ready");
    while (fgets(line, sizeof(line), stdin))
        command(line);
    return 0;
}
