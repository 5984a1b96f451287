/* SPDX-License-Identifier: MIT */
/*
 * Description: a domain that writes anything into its nodes, removes them and
 * never stops costs the bridge a bounded number of calls a look, and is told
 * nothing; one that tells the truth afterwards is served.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "meeting.h"

/* To drain, see whose tree it is, read a request and all its parts. */
#define MAX_CALLS (4 + MESSAGE_PARTS)

static uint32_t random_number(void)
{
    static uint64_t state = 0x2545f4914f6cdd1d;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static struct rendezvous_message *request;

static int look(struct rendezvous_bridge *bridge)
{
    unsigned int before = fake_xenstore.calls;
    int ret = rendezvous_next(bridge, random_number() % 2, request);

    CHECK(ret == 0 || ret == 1);
    CHECK(fake_xenstore.calls - before <= MAX_CALLS);
    if (ret)
        CHECK(request->len <= sizeof(request->body));
    return ret;
}

/* A request of its own, and then something about it is changed. */
static void write_request(char *text, size_t size, const char *bridge)
{
    static const char *const messages[] = {
        "detach",
        "count from=3",
        "subscribe parts=2",
        "subscribe parts=18",
        "subscribe parts=17",
        "quiet",
        "propose version_min=1.0",
    };
    size_t len;

    snprintf(text, size, "bridge=%s session=%u seq=%u %s", bridge,
             random_number() % 3, random_number() % 5,
             messages[random_number() % 7]);
    len = strlen(text);
    for (uint32_t i = random_number() % 4; i; i--)
        text[random_number() % len] = (char)random_number();
}

static void one_move(const char *bridge)
{
    static const char *const nodes[] = {"request", "events/0", "events/1",
                                        "events/0/below", "more"};
    char path[128], value[2048];
    size_t len = random_number() % sizeof(value);

    snprintf(path, sizeof(path), MEETING "/agent/%s",
             nodes[random_number() % 5]);
    switch (random_number() % 4) {
    case 0:
        for (size_t i = 0; i < len; i++)
            value[i] = (char)random_number();
        CHECK(fake_xenstore_put(MEETING_AGENT, path, value, len));
        break;
    case 1:
        (void)fake_xenstore_put(MEETING_AGENT, path, NULL, 0);
        break;
    default:
        write_request(value, sizeof(value), bridge);
        CHECK(fake_xenstore_put(MEETING_AGENT, MEETING "/agent/request", value,
                                strlen(value)));
    }
}

static void anything(struct rendezvous_bridge *bridge)
{
    char instance[24];
    unsigned int taken = 0;

    snprintf(instance, sizeof(instance), "%s",
             fake_xenstore_get(0, MEETING "/bridge"));
    for (int round = 0; round < 20000; round++) {
        for (uint32_t i = random_number() % 4; i; i--)
            one_move(instance);
        taken += (unsigned int)look(bridge);
    }
    CHECK(taken > 100);
}

/* Nothing but events: they are taken in bounded portions. */
static void flood(struct rendezvous_bridge *bridge)
{
    CHECK(fake_xenstore_put(MEETING_AGENT, MEETING "/agent/request", "", 0));
    for (int i = 0; i < 10000; i++)
        CHECK(
            fake_xenstore_put(MEETING_AGENT, MEETING "/agent/request", "x", 1));
    for (int i = 0; i < 20; i++)
        CHECK_EQ(look(bridge), 0);
}

int main(void)
{
    struct rendezvous_bridge *bridge;
    struct rendezvous_agent *agent;

    request = calloc(1, sizeof(*request));
    CHECK(request);
    meeting_prepare();
    bridge = meeting_serve();
    anything(bridge);
    flood(bridge);
    (void)fake_xenstore_put(MEETING_AGENT, MEETING "/agent/request", NULL, 0);
    (void)look(bridge);
    agent = meeting_open();
    meeting_exchange(bridge, agent);
    rendezvous_close(agent);
    /* It may even remove what it has been given: then it is not heard. */
    CHECK(fake_xenstore_put(MEETING_AGENT, MEETING "/agent", NULL, 0));
    CHECK_EQ(look(bridge), 0);
    rendezvous_serve_end(bridge);
    fake_xenstore_check_empty(MEETING_ABOVE);
    free(request);
    return 0;
}
