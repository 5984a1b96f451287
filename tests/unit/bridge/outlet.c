/* SPDX-License-Identifier: MIT */
/*
 * Description: an outlet takes what fits while nobody reads, in whole pieces,
 * never waits, tells the first error, and gives up at its end.
 */
#include "bridge/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"

#define PIECE 1000

/* All that was put, in order, for whom reads slowly. */
static void *read_all(void *ctx)
{
    unsigned char piece[777];
    int fd = *(int *)ctx;
    size_t at = 0;
    ssize_t nr;

    while ((nr = read(fd, piece, sizeof(piece))) > 0)
        for (ssize_t i = 0; i < nr; i++, at++)
            CHECK_EQ(piece[i], (unsigned char)(at % PIECE + at / PIECE));
    return (void *)at;
}

static size_t put_all(struct outlet *outlet, size_t pieces)
{
    unsigned char piece[PIECE];
    size_t nr;

    for (nr = 0; nr < pieces; nr++) {
        for (size_t i = 0; i < PIECE; i++)
            piece[i] = (unsigned char)(i + nr);
        if (outlet_put(outlet, piece, PIECE))
            break;
    }
    return nr;
}

static void nobody_reads(void)
{
    struct outlet *outlet;
    pthread_t reader;
    size_t put;
    void *got;
    int ends[2];

    CHECK_EQ(pipe(ends), 0);
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
    outlet = outlet_open(ends[1]);
    CHECK(outlet != NULL);
    put = put_all(outlet, 1000);
    CHECK(put >= OUTLET_BYTES / PIECE && put < 1000);
    CHECK_EQ(outlet_put(outlet, "", OUTLET_BYTES + 1), -ENOBUFS);
    /* Then somebody does, and has every byte of it. */
    CHECK_EQ(pthread_create(&reader, NULL, read_all, &ends[0]), 0);
    CHECK_EQ(close(ends[1]), 0);
    CHECK_EQ(outlet_close(outlet, 60000), 0);
    CHECK_EQ(pthread_join(reader, &got), 0);
    CHECK_EQ((size_t)got, put * PIECE);
    CHECK_EQ(close(ends[0]), 0);
}

static void many_rounds(void)
{
    struct outlet *outlet;
    pthread_t reader;
    size_t put = 0;
    void *got;
    int ends[2];

    CHECK_EQ(pipe(ends), 0);
    outlet = outlet_open(ends[1]);
    CHECK(outlet != NULL);
    CHECK_EQ(close(ends[1]), 0);
    CHECK_EQ(pthread_create(&reader, NULL, read_all, &ends[0]), 0);
    while (put < 1000) {
        unsigned char piece[PIECE];

        for (size_t i = 0; i < PIECE; i++)
            piece[i] = (unsigned char)(i + put);
        if (outlet_put(outlet, piece, PIECE) == 0)
            put++;
        else
            usleep(100);
    }
    CHECK_EQ(outlet_close(outlet, 60000), 0);
    CHECK_EQ(pthread_join(reader, &got), 0);
    CHECK_EQ((size_t)got, put * PIECE);
    CHECK_EQ(close(ends[0]), 0);
}

static void errors(void)
{
    struct outlet *outlet;
    int ends[2], full = open("/dev/full", O_WRONLY);

    CHECK(outlet_open(-1) == NULL);
    CHECK_EQ(errno, EBADF);
    outlet = outlet_open(full);
    CHECK(outlet != NULL);
    CHECK_EQ(outlet_put(outlet, "x", 1), 0);
    CHECK_EQ(outlet_close(outlet, 60000), -ENOSPC);
    CHECK_EQ(close(full), 0);

    /* Its reader has gone. */
    CHECK_EQ(pipe(ends), 0);
    outlet = outlet_open(ends[1]);
    CHECK(outlet != NULL);
    CHECK_EQ(close(ends[0]) | close(ends[1]), 0);
    CHECK_EQ(outlet_put(outlet, "x", 1), 0);
    CHECK_EQ(outlet_close(outlet, 60000), -EPIPE);

    /* Nobody reads, to the end; whether or not the file can wait. */
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        CHECK_EQ(pipe2(ends, flags), 0);
        CHECK(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
        outlet = outlet_open(ends[1]);
        CHECK(outlet != NULL);
        (void)put_all(outlet, 1000);
        CHECK_EQ(outlet_close(outlet, 1900), -ETIMEDOUT);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    nobody_reads();
    many_rounds();
    errors();
    return 0;
}
