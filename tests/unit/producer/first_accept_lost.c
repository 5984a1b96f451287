/* SPDX-License-Identifier: MIT */
/*
 * Description: the very first answer that accepts cannot be sent, as the
 * consumer does not read: there is no ring before it to go back to, and the
 * next consumer attaches.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "pair.h"

static struct pair pair;
static unsigned int nr_told;

static void heard(void *ctx, int level, const char *line)
{
    (void)ctx;
    (void)level;
    nr_told += strstr(line, "a ring cannot be sent") != NULL;
}

int main(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct xen_vm_ring_event raised = pair_event(XEN_VM_RING_REASON_CPUID, 1);
    struct vmring_event event;
    struct vmring *none;
    char uri[32] = "";

    opts.log = heard;
    pair_make(&pair, &opts);
    snprintf(uri, sizeof(uri), "fd:%d", pair_connect(&pair));
    /* Its queue is full of what it has not read. */
    while (send(pair.served, uri, sizeof(uri), MSG_DONTWAIT) > 0)
        ;
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(vmring_open(uri, NULL, &none), -EPROTO);
    pair_serve();
    CHECK_EQ(nr_told, 1);
    CHECK(!vmring_producer_attached(pair.producer));

    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &raised), 1);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    pair_end(&pair);
    return 0;
}
