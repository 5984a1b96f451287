/* SPDX-License-Identifier: MIT */
/*
 * Description: whoever finds first that the producer lies, a worker or the
 * ring, by its group, by its pages or by the control channel: all are woken,
 * and each of them is told.
 */
#include <errno.h>
#include <sys/socket.h>

#include "consumer/ring.h"
#include "transport/local/socket.h"
#include "workers.h"

static void one_lies(void)
{
    begin();
    open_workers();
    all_sleep();
    pair.ring->core.groups[1].broken = true;
    CHECK_EQ(next(1), -EPROTO);
    CHECK(is_woken(0) && ring_is_woken());
    CHECK_EQ(next(0), -EPROTO);
    CHECK_EQ(ring_next(), -EPROTO);
    CHECK_EQ(next(1), -EPROTO);
    CHECK_EQ(ring_next(), -EPROTO);
    CHECK_EQ(vmring_quiesce(pair.ring), -EPROTO);
    pair_end(&pair);
    /* Or the ring's own thread finds it. */
    begin();
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &workers[1]), 0);
    CHECK_EQ(next(1), 0);
    pair.ring->core.groups[0].broken = true;
    CHECK_EQ(ring_next(), -EPROTO);
    CHECK(is_woken(1));
    CHECK_EQ(next(1), -EPROTO);
    pair_end(&pair);
}

/* Pages that the producer took away, of either region. */
static void memory_taken(bool of_c)
{
    begin();
    open_workers();
    all_sleep();
    CHECK_EQ(vmring_survive_sigbus(of_c ? pair.ring->c.at : pair.ring->p.at),
             1);
    CHECK_EQ(next(1), -EPROTO);
    CHECK(is_woken(0) && ring_is_woken());
    CHECK_EQ(next(0), -EPROTO);
    CHECK_EQ(ring_next(), -EPROTO);
    pair_end(&pair);
}

/* By the control channel, which is the ring's. */
static void channel_lies(void)
{
    begin();
    open_workers();
    all_sleep();
    CHECK_EQ(socket_send(pair.served, VMRING_LOCAL_DETACH, NULL, 0, NULL, 0),
             0);
    CHECK_EQ(ring_next(), -EPROTO);
    CHECK(is_woken(0) && is_woken(1));
    CHECK_EQ(next(0), -EPROTO);
    CHECK_EQ(next(1), -EPROTO);
    pair_end(&pair);
}

int main(void)
{
    one_lies();
    memory_taken(false);
    memory_taken(true);
    channel_lies();
    return 0;
}
