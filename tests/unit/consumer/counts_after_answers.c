/* SPDX-License-Identifier: MIT */
/*
 * Description: the counts that a consumer asks for have what it answered
 * before it asked, though the producer has not collected that yet.
 */
#include <errno.h>

#include <vmring_local.h>

#include "pair.h"
#include "transport/local/socket.h"

static struct pair pair;

/* Returns the ring's own descriptor. */
static int begin(void)
{
    struct vmring_producer_opts opts = pair_opts();
    char uri[32];
    int fd;

    pair_make(&pair, &opts);
    fd = pair_connect(&pair);
    snprintf(uri, sizeof(uri), "fd:%d", fd);
    CHECK_EQ(vmring_open(uri, NULL, &pair.ring), 0);
    return fd;
}

static void answer(uint32_t vcpu)
{
    struct xen_vm_ring_event raised =
        pair_event(XEN_VM_RING_REASON_CPUID, vcpu);
    struct xen_vm_ring_response response;
    struct vmring_event event;

    CHECK_EQ(vmring_producer_post(pair.producer, &raised, 1), 0);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    vmring_neutral(&event, &response);
    CHECK_EQ(vmring_respond(pair.ring, &event, &response), 0);
}

static void counted(unsigned int nr)
{
    struct vmring_count *rows;

    CHECK_EQ(vmring_counts(pair.ring, &rows), (int)nr);
    for (unsigned int i = 0; i < nr; i++) {
        CHECK_EQ(rows[i].vcpu, i);
        CHECK_EQ(rows[i].requests, 1);
        CHECK_EQ(rows[i].answered, 1);
        CHECK_EQ(rows[i].defaulted, 0);
        CHECK_EQ(rows[i].requests_taken, 1);
    }
    free(rows);
}

/* As at the target's end, where no QUIET has waited for all verdicts. */
static void last_answer(void)
{
    struct vmring_event event;

    (void)begin();
    answer(0);
    answer(1);
    vmring_producer_set_target_state(pair.producer,
                                     XEN_VM_RING_TARGET_DESTROYED, 0);
    CHECK_EQ(vmring_next(pair.ring, &event), VMRING_NEXT_TARGET);
    CHECK_EQ(vmring_next(pair.ring, &event), -ESRCH);
    counted(2);
    pair_end(&pair);
}

/* One who does not wait for his answer has each, in turn. */
static void asks_on(void)
{
    struct vmring_local_count from = {0};
    struct vmring_local_counts counts;
    uint32_t type;
    int fd = begin();

    answer(1);
    vmring_flush(pair.ring);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(
            socket_send(fd, VMRING_LOCAL_COUNT, &from, sizeof(from), NULL, 0),
            0);
    pair_serve();
    for (int i = 0; i < 2; i++) {
        CHECK(socket_recv(fd, &type, &counts, sizeof(counts), NULL, 0, NULL) >
              0);
        CHECK_EQ(type, VMRING_LOCAL_COUNTS);
        CHECK_EQ(counts.nr, 1);
    }
    CHECK_EQ(counts.rows[0].answered, 1);
    pair_end(&pair);
}

int main(void)
{
    last_answer();
    asks_on();
    return 0;
}
