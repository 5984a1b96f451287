/* SPDX-License-Identifier: MIT */
/*
 * Description: when vmring_producer_collect() has nothing, the doorbell for
 * answers is armed, or the next look is due at once, whatever hints came
 * meanwhile.
 */
#include <sys/socket.h>

#include "by_hand.h"
#include "check.h"
#include "producer/handle.h"
#include "transport/local/socket.h"

static struct vmring_producer *producer;
static int hints; /* how often a hint for nothing comes while it arms */

/* Asked between the last look at answers and the arming. */
static bool quiet(void *ctx)
{
    (void)ctx;
    if (hints > 0) {
        hints--;
        *producer->core.bells[0].answered |= 1;
    }
    return false;
}

int main(void)
{
    static const struct vmring_producer_ops ops = {.size = sizeof(ops),
                                                   .quiet = quiet};
    struct vmring_producer_opts opts = {.size = sizeof(opts),
                                        .ops = &ops,
                                        .nr_vcpus = 1,
                                        .arch = XEN_VM_RING_ARCH_X86};
    struct vmring_verdict verdict;
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve_fd(producer, ends[0]), 0);
    by_hand_propose(ends[1], 0, 1);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    CHECK(vmring_producer_attached(producer));
    CHECK_EQ(socket_send(ends[1], VMRING_LOCAL_QUIESCE, NULL, 0, NULL, 0), 0);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);

    hints = 1;
    CHECK_EQ(vmring_producer_collect(producer, &verdict), 0);
    CHECK_EQ(hints, 0);
    CHECK(producer->core.bells[0].answers->armed != 0 ||
          vmring_producer_timeout(producer) == 0);
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
