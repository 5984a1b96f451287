/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-native-gone: a consumer of a Xen that is the producer itself; it
 * has gone before it is one.
 *
 *   vmring-lab-native-gone DOMID HOW
 *
 * HOW: "asked", it is killed when it has proposed; "answered", when the answer
 * is there, and it has not read it; "closed", it gives up then; "unmapped", it
 * gives up when it has mapped all.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/xen/xen.h"

#define ANSWER_MS 20000

static void check(const char *what, int err)
{
    if (!err)
        return;
    printf("%s: %s\n", what, strerror(-err));
    exit(1);
}

static void propose(struct link *link)
{
    const struct xen_vm_ring_propose propose = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(propose),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .nr_groups = 1,
        .deadline = XEN_VM_RING_FOR_EVER,
    };

    check("propose", link->ops->send(link, VMRING_LOCAL_PROPOSE, &propose,
                                     sizeof(propose)));
}

static void wait_for_answer(struct link *link)
{
    struct pollfd pfd = {.fd = link->ops->fd(link), .events = POLLIN};

    check("answer", poll(&pfd, 1, ANSWER_MS) == 1 ? 0 : -ETIMEDOUT);
}

static void map(struct link *link, struct link_regions *regions)
{
    struct vmring_local_accept accept;

    check("map", link->ops->map(link, &accept, regions, ANSWER_MS));
    if (accept.body.result != XEN_VM_RING_ACCEPTED) {
        printf("refused: %u\n", accept.body.result);
        exit(1);
    }
    printf("%u before\n", regions->nr_before);
}

static void unmap(struct link_regions *regions)
{
    region_drop(&regions->p);
    region_drop(&regions->c);
    for (unsigned int i = 0; i < regions->nr_before; i++)
        region_drop(&regions->before[i]);
}

int main(int argc, char **argv)
{
    const struct connecting how = {.uri = "xen:", .timeout_ms = ANSWER_MS};
    struct link_regions regions;
    struct link *link;

    if (argc != 3)
        return 2;
    check("connect", xen_connect(&how, argv[1], &link));
    propose(link);
    if (!strcmp(argv[2], "asked"))
        (void)raise(SIGKILL);
    wait_for_answer(link);
    if (!strcmp(argv[2], "answered"))
        (void)raise(SIGKILL);
    if (!strcmp(argv[2], "unmapped")) {
        map(link, &regions);
        unmap(&regions);
    }
    link_close(link);
    return 0;
}
