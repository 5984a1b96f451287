/* SPDX-License-Identifier: MIT */
/*
 * Description: a doorbell that the peer lets fill up, or whose flags it
 * changes, blocks nobody, and still rings.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "check.h"
#include "transport/local/socket.h"

int main(void)
{
    struct pollfd pfd = {.events = POLLIN};
    int ends[2], rung = 0;

    alarm(20); /* where it would block */
    CHECK_EQ(doorbell_make(ends), 0);
    CHECK_EQ(fcntl(ends[1], F_SETFL, 0), 0);
    for (int i = 0; i < 300000; i++)
        doorbell_ring(ends[0]);
    pfd.fd = ends[1];
    CHECK_EQ(poll(&pfd, 1, 0), 1);
    while (doorbell_ack(ends[1]) == 1)
        rung++;
    CHECK(rung > 0);
    CHECK_EQ(doorbell_ack(ends[1]), 0);
    doorbell_ring(ends[0]);
    CHECK_EQ(doorbell_ack(ends[1]), 1);
    /* The other way round, on what is now a blocking descriptor. */
    CHECK_EQ(doorbell_ack(ends[0]), 0);
    close(ends[1]);
    CHECK_EQ(doorbell_ack(ends[0]), -ECONNRESET);
    doorbell_ring(ends[0]); /* no signal */
    return 0;
}
