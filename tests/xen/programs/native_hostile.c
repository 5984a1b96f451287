/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-native-hostile: an agent of a Xen that is the producer itself,
 * which attaches as it should, and then writes all of C without end, and rings.
 * Xen reads nothing of P.
 *
 *   vmring-lab-native-hostile DOMID SECONDS VERDICTS EVENTS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "transport/xen/xen.h"

#define DEADLINE_NS 20000000U
#define ANSWER_MS   20000

static uint64_t seed = 88172645463325252U;

static uint64_t some_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void fail_with(const char *what, int err)
{
    printf("%s: %s\n", what, strerror(-err));
    exit(1);
}

static void attach(struct link *link, uint32_t verdicts,
                   struct link_regions *regions)
{
    struct xen_vm_ring_propose propose = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(propose),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .nr_groups = 1,
        .deadline = DEADLINE_NS,
        .verdicts = verdicts,
    };
    struct vmring_local_accept accept;
    int err =
        link->ops->send(link, VMRING_LOCAL_PROPOSE, &propose, sizeof(propose));

    if (!err)
        err = link->ops->map(link, &accept, regions, ANSWER_MS);
    if (err)
        fail_with("attach", err);
    if (accept.body.result != XEN_VM_RING_ACCEPTED) {
        printf("refused: %u\n", accept.body.result);
        exit(1);
    }
}

static void subscribe(struct link *link, const char *events)
{
    static char answer[VMRING_LOCAL_MAX];
    uint32_t type;
    int err =
        link->ops->send(link, VMRING_LOCAL_SUBSCRIBE, events, strlen(events));

    if (!err)
        err = link->ops->recv(link, &type, answer, sizeof(answer), ANSWER_MS);
    if (err < 0)
        fail_with("subscribe", err);
}

/* Small numbers are more often near what means something. */
static void scribble(volatile uint64_t *at, size_t len)
{
    size_t i = some_number() % (len / sizeof(*at));
    uint64_t what = some_number();

    switch (what % 4) {
    case 0:
        at[i] = some_number();
        break;
    case 1:
        at[i] = some_number() % 64;
        break;
    case 2:
        at[i] += some_number() % 3;
        break;
    default:
        at[i] = ~at[i];
        break;
    }
}

int main(int argc, char **argv)
{
    const struct connecting how = {.uri = "xen:", .timeout_ms = ANSWER_MS};
    struct link_regions regions;
    struct link *link;
    unsigned long writes = 0, rings = 0;
    time_t end;
    int err;

    if (argc != 5)
        return 2;
    err = xen_connect(&how, argv[1], &link);
    if (err)
        fail_with("connect", err);
    attach(link, (uint32_t)strtoul(argv[3], NULL, 0), &regions);
    subscribe(link, argv[4]);
    printf("attached\n");
    fflush(stdout);
    end = time(NULL) + strtol(argv[2], NULL, 0);
    while (time(NULL) < end) {
        for (int i = 0; i < 1000; i++, writes++)
            scribble(regions.c.at, regions.c.len);
        link->ops->kick(link, 0);
        rings++;
    }
    printf("%lu writes, %lu rings\n", writes, rings);
    return 0;
}
