/* SPDX-License-Identifier: MIT */
/*
 * Description: what a hostile producer does with doorbells and messages, and
 * what vmring_next() and vmring_subscribe() make of each.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attack_victim.h"
#include "transport/local/socket.h"
#include "witness.h"

static xen_vm_ring_u64 *armed_of(struct evil *e, uint32_t group)
{
    return (void *)((unsigned char *)e->p.at + e->geo.p_group_off +
                    (uint64_t)group * XEN_VM_RING_LINE);
}

/* ------------------------------------------------------------ doorbells -- */

static void flood_doorbells(struct evil *e)
{
    static const char bytes[4096];

    for (unsigned int i = 0; i < e->nr_bells; i++)
        (void)!send(e->bells[i], bytes, sizeof(bytes),
                    MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Each of its answers is to be rung for, until nothing more fits. */
static void arm_always(struct evil *e)
{
    uint64_t until = now_ns() + 30000000000ULL;
    int waiting = 0;

    CHECK_EQ(fcntl(e->bells[0], F_SETFL, 0), 0);
    while (waiting < 250 && now_ns() < until) {
        evil_traffic(e, 1);
        __atomic_fetch_add(armed_of(e, 0), 1, __ATOMIC_RELAXED);
        CHECK_EQ(ioctl(e->bells[0], FIONREAD, &waiting), 0);
    }
    CLAIM(e->v, waiting >= 250, "only %d rings", waiting);
    for (int i = 0; i < 100; i++) {
        evil_traffic(e, 1);
        __atomic_fetch_add(armed_of(e, 0), 1, __ATOMIC_RELAXED);
        victim_goes_on(e, 2);
    }
}

static void close_doorbells(struct evil *e)
{
    for (unsigned int i = 0; i < e->nr_bells; i++) {
        close(e->bells[i]);
        e->bells[i] = -1;
    }
    evil_traffic(e, 1);
}

static void shut_doorbells(struct evil *e)
{
    for (unsigned int i = 0; i < e->nr_bells; i++)
        CHECK_EQ(shutdown(e->bells[i], SHUT_RDWR), 0);
    evil_traffic(e, 1);
}

/* ------------------------------------------------------------- messages -- */

static void say(struct evil *e, uint32_t type, const void *body, size_t len)
{
    (void)socket_send(e->control, type, body, len, NULL, 0);
}

static void grant_again(struct evil *e)
{
    static const struct vmring_local_accept accept;
    int fds[] = {e->p.fd, e->c.fd, e->bells[0]};

    (void)socket_send(e->control, VMRING_LOCAL_ACCEPT, &accept, sizeof(accept),
                      fds, 3);
}

static void no_such_type(struct evil *e)
{
    say(e, 99, NULL, 0);
}

static void quiet_unasked(struct evil *e)
{
    say(e, VMRING_LOCAL_QUIET, NULL, 0);
}

static void empty(struct evil *e)
{
    CHECK_EQ(send(e->control, "", 0, 0), 0);
}

static void one_byte(struct evil *e)
{
    CHECK_EQ(send(e->control, "x", 1, 0), 1);
}

static void giant(struct evil *e)
{
    static const unsigned char bytes[VMRING_LOCAL_MAX * 2];

    CHECK_EQ(send(e->control, bytes, sizeof(bytes), 0), sizeof(bytes));
}

static void hang_up(struct evil *e)
{
    CHECK_EQ(shutdown(e->control, SHUT_RDWR), 0);
}

static void shut_write(struct evil *e)
{
    CHECK_EQ(shutdown(e->control, SHUT_WR), 0);
}

/* What it asks is not answered, or by something else. */
static void no_answer(struct evil *e)
{
    struct vmring_local_header header = {0};

    e->v->subscribes = 1;
    while (header.type != VMRING_LOCAL_SUBSCRIBE) {
        CHECK_EQ(socket_wait(e->control, 30000), 0);
        CHECK(recv(e->control, &header, sizeof(header), 0) > 0);
    }
}

static void other_answer(struct evil *e)
{
    static const struct vmring_local_counts counts;

    no_answer(e);
    say(e, VMRING_LOCAL_COUNTS, &counts, 8);
}

static void torn_answer(struct evil *e)
{
    no_answer(e);
    say(e, VMRING_LOCAL_SUBSCRIBED, "", 0);
}

static void answer_of_many(struct evil *e)
{
    struct vmring_local_subscribed answer = {.nr = UINT32_MAX};

    memset(answer.text, 'x', sizeof(answer.text));
    no_answer(e);
    say(e, VMRING_LOCAL_SUBSCRIBED, &answer, sizeof(answer));
}

static void flood_quiet(struct evil *e)
{
    say(e, VMRING_LOCAL_QUIET, NULL, 0);
}

static const struct act acts[] = {
    {.name = "a flood of doorbells", .again = flood_doorbells},
    {.name = "armed for ever, blocking, until all is full", .once = arm_always},
    {.name = "doorbells closed", .once = close_doorbells},
    {.name = "doorbells shut", .once = shut_doorbells},
    {.name = "a grant again", .once = grant_again, .end = -EPROTO},
    {.name = "no such message", .once = no_such_type, .end = -EPROTO},
    {.name = "quiet, unasked", .once = quiet_unasked, .end = -ENODATA},
    {.name = "an empty message", .once = empty, .end = -ECONNRESET},
    {.name = "a message of a byte", .once = one_byte, .end = -EPROTO},
    {.name = "a giant message", .once = giant, .end = -EPROTO},
    {.name = "a hang-up", .once = hang_up, .end = -ECONNRESET},
    {.name = "a hang-up of its sending",
     .once = shut_write,
     .end = -ECONNRESET},
    {.name = "no answer",
     .once = no_answer,
     .end = -ECONNRESET,
     .asked = -ETIMEDOUT},
    {.name = "another answer",
     .once = other_answer,
     .end = -EPROTO,
     .asked = -EPROTO},
    {.name = "a torn answer",
     .once = torn_answer,
     .end = -EPROTO,
     .asked = -EPROTO},
    {.name = "an answer of many",
     .once = answer_of_many,
     .end = -EPROTO,
     .asked = -EPROTO},
    {.name = "quiet for an answer",
     .once = no_answer,
     .again = flood_quiet,
     .end = -ENODATA,
     .asked = -ETIMEDOUT},
};

int main(int argc, char **argv)
{
    return victim_meets(acts, sizeof(acts) / sizeof(acts[0]),
                        argc > 1 && !strcmp(argv[1], "-v"));
}
