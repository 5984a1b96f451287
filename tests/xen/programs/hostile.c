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
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "core/atomic.h"
#include "transport/grant/evtchn.h"
#include "transport/grant/limits.h"
#include "transport/grant/pages.h"
#include "transport/grant/rendezvous.h"

#define BACKEND   0
#define MAX_HELD  64
#define ANSWER_MS 60000

/* What one attach has given; never given back. */
struct held {
    struct rendezvous_agent *meet;
    struct evtchn *bells;
    struct grant_map *map;
    struct link_regions regions;
    struct xen_vm_ring_header header;
    volatile struct xen_vm_ring_life *life;
};

static struct {
    const char *target;
    struct held held[MAX_HELD];
    unsigned int nr;
    struct held *now; /* the last; NULL: none */
    uint64_t seed;
    struct xs_handle *xs;
    uint64_t bridge, session, seq; /* of its last request */
    /* Counted. */
    uint64_t passes, answers, rings, writes, removals, forbidden, refused;
} me;

static struct rendezvous_message message;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t noise(void)
{
    me.seed ^= me.seed << 13;
    me.seed ^= me.seed >> 7;
    return me.seed ^= me.seed << 17;
}

/* --- Attaching --- */

static int ask(struct rendezvous_agent *meet, uint32_t type, const void *body,
               size_t len, uint32_t expected)
{
    uint64_t end = now_ms() + ANSWER_MS;
    uint32_t got = 0;
    int ret = rendezvous_send(meet, type, body, len);

    while (ret >= 0 && now_ms() < end) {
        struct pollfd pfd = {.fd = rendezvous_fd(meet), .events = POLLIN};

        ret = rendezvous_recv(meet, &got, message.body.bytes,
                              sizeof(message.body));
        if (ret >= 0)
            return got == expected ? 0 : -EPROTO;
        if (ret != -EAGAIN)
            return ret;
        ret = poll(&pfd, 1, 100);
    }
    return ret < 0 ? ret : -ETIMEDOUT;
}

static int propose(struct held *held, uint64_t len)
{
    struct xen_vm_ring_propose wish = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(wish),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .async_len = len,
        .record_len = XEN_VM_RING_MIN_RECORD,
        .nr_groups = 1,
    };
    int err = ask(held->meet, VMRING_LOCAL_PROPOSE, &wish, sizeof(wish),
                  VMRING_LOCAL_ACCEPT);

    return err ? err : (int)message.body.accept.wire.body.result;
}

/* By a handle of our own: the library's stays as it is. */
static void map_life(struct held *held, uint32_t gref)
{
    xengnttab_handle *gnttab = xengnttab_open(&grant_logger, 0);
    const struct xen_vm_ring_directory *directory =
        xengnttab_map_grant_ref(gnttab, BACKEND, gref, PROT_READ);

    if (directory)
        held->life = xengnttab_map_grant_ref(gnttab, BACKEND, directory->life,
                                             PROT_READ | PROT_WRITE);
    if (!held->life)
        say("failed: the life page cannot be mapped");
}

static int take_grant(struct held *held)
{
    struct message_accept accept = message.body.accept;
    char error[256] = "";
    int err = evtchn_bind(BACKEND, accept.ports, accept.nr_ports, &held->bells,
                          error, sizeof(error));

    if (!err)
        err = grant_map_open(BACKEND, &held->map, error, sizeof(error));
    if (!err)
        err = grant_map_attach(held->map, accept.directory,
                               evtchn_port(held->bells, 0), &accept.wire.body,
                               &held->regions, error, sizeof(error));
    if (err) {
        say("failed: %s", error);
        return err;
    }
    vmr_copy_from_shared(&held->header, held->regions.p.at,
                         sizeof(held->header));
    map_life(held, accept.directory);
    return 0;
}

/* 0; the reason of a refusal; or -errno. */
static int attach(uint64_t len)
{
    struct held *held = &me.held[me.nr];
    char error[256] = "";
    int ret;

    if (me.nr == MAX_HELD)
        return -ENOSPC;
    memset(held, 0, sizeof(*held));
    ret =
        rendezvous_open(BACKEND, me.target, &held->meet, error, sizeof(error));
    if (!ret)
        ret = propose(held, len);
    if (!ret)
        ret = take_grant(held);
    if (ret) {
        rendezvous_close(held->meet);
        return ret;
    }
    me.now = held;
    me.nr++;
    return 0;
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

/* --- C --- */

static xen_vm_ring_u64 *c_word(uint64_t offset)
{
    return (xen_vm_ring_u64 *)((char *)me.now->regions.c.at + offset);
}

static uint64_t p_word(uint64_t offset)
{
    return vmr_load_acquire(
        (const xen_vm_ring_u64 *)((const char *)me.now->regions.p.at + offset));
}

static void fill(int kind)
{
    for (uint64_t at = 0; at < me.now->regions.c.len; at += 8)
        *c_word(at) = kind == 0 ? noise() : kind == 1 ? UINT64_MAX : 0;
}

static void lie_of_cursors(void)
{
    const struct xen_vm_ring_header *h = &me.now->header;

    for (uint32_t lane = 0; lane < h->nr_lanes; lane++) {
        uint64_t head = p_word(h->lane_off + (uint64_t)lane * XEN_VM_RING_LANE);
        uint64_t lies[] = {head + 1, head - 1, 0, UINT64_MAX, noise(), head};

        *c_word(h->cursor_off + (uint64_t)lane * XEN_VM_RING_LINE) =
            lies[noise() % 6];
    }
}

/* Attention, answered, armed: the whole block of each group. */
static void lie_of_bits(void)
{
    const struct xen_vm_ring_header *h = &me.now->header;

    for (uint64_t at = 0; at < (uint64_t)h->nr_groups * h->c_group_len; at += 8)
        *c_word(h->c_group_off + at) = noise() & 1 ? UINT64_MAX : noise();
}

/* Of a request that waits, with verdicts that nobody has granted. */
static void answer_wildly(void)
{
    const struct xen_vm_ring_header *h = &me.now->header;

    for (uint32_t v = 0; v < h->nr_vcpus; v++) {
        uint64_t slot = (uint64_t)v * h->slot_len;
        uint64_t seq = p_word(h->request_off + slot);
        const struct xen_vm_ring_event *event =
            (const void *)((const char *)me.now->regions.p.at + h->request_off +
                           slot);
        struct xen_vm_ring_response *response =
            (void *)c_word(h->response_off + slot);
        uint32_t flags[] = {XEN_VM_RING_FLAG_DENY,
                            XEN_VM_RING_FLAG_SET_REGISTERS,
                            XEN_VM_RING_FLAG_INJECT,
                            XEN_VM_RING_FLAG_EMULATE,
                            XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP,
                            UINT32_MAX,
                            (uint32_t)noise() | XEN_VM_RING_FLAG_DENY};

        if (!(seq & 1))
            continue;
        for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
            response->data.words[i] = noise();
        response->inject = (struct xen_vm_ring_inject){.vector = 13, .type = 3};
        response->flags = flags[noise() % 7];
        response->reason = event->reason;
        vmr_store_release(&response->seq, seq);
        me.answers++;
    }
    lie_of_bits();
}

static void scribble_once(void)
{
    switch (me.passes++ % 6) {
    case 0:
    case 1:
    case 2:
        fill((int)(me.passes % 3));
        break;
    case 3:
        lie_of_cursors();
        break;
    case 4:
        lie_of_bits();
        break;
    default:
        answer_wildly();
    }
    if (me.passes % 16 == 0)
        evtchn_ring(me.now->bells, 0);
}

/* --- Xenstore --- */

static const char *node(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "/local/domain/%d/vmring/%s/%s", BACKEND,
             me.target, name);
    return path;
}

/* What the bridge would take for the session's own. */
static bool learn_numbers(void)
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

static void request(uint64_t bridge, uint64_t session, uint64_t seq,
                    const char *text)
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

static void rewrite_once(void)
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

/* --- Commands --- */

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

/* What is answered by no message: until it was seen. */
static void tell(struct rendezvous_agent *meet, uint32_t type)
{
    uint64_t end = now_ms() + ANSWER_MS;

    (void)rendezvous_send(meet, type, NULL, 0);
    while (rendezvous_is_waiting(meet) && now_ms() < end) {
        uint32_t got;

        (void)rendezvous_recv(meet, &got, message.body.bytes,
                              sizeof(message.body));
        usleep(10000);
    }
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
