/* SPDX-License-Identifier: MIT */
/* peer_socket.c: datagrams of a unix socket, as many a call as the batch. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "queue.h"
#include "tables.h"

struct pair {
    int in, out;
};

static void socket_end(void *queue)
{
    struct pair *pair = queue;

    close(pair->in);
    close(pair->out);
    bench_unmap(pair, sizeof(*pair));
}

static void *socket_make(const struct queue_plan *plan,
                         struct bench_sample *sample)
{
    struct pair *pair = bench_map(sizeof(*pair));
    int fds[2], bytes = QUEUE_BYTES;

    (void)plan;
    if (!pair || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds)) {
        (void)bench_skip(sample, "no socket pair: errno %d", errno);
        bench_unmap(pair, sizeof(*pair));
        return NULL;
    }
    pair->in = fds[0];
    pair->out = fds[1];
    setsockopt(pair->in, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    return pair;
}

static void describe(struct mmsghdr *messages, struct iovec *parts,
                     unsigned char *records, size_t nr, size_t len)
{
    for (size_t i = 0; i < nr; i++) {
        parts[i] = (struct iovec){records + i * len, len};
        messages[i] = (struct mmsghdr){
            .msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
}

static size_t socket_push(void *queue, uint32_t who,
                          const unsigned char *records, size_t nr, size_t len)
{
    struct pair *pair = queue;
    struct mmsghdr messages[QUEUE_MAX_BATCH];
    struct iovec parts[QUEUE_MAX_BATCH];
    int sent;

    (void)who;
    if (nr == 1)
        return send(pair->in, records, len, MSG_DONTWAIT) == (ssize_t)len;
    describe(messages, parts, (unsigned char *)(uintptr_t)records, nr, len);
    sent = sendmmsg(pair->in, messages, (unsigned)nr, MSG_DONTWAIT);
    return sent > 0 ? (size_t)sent : 0;
}

static size_t socket_pull(void *queue, unsigned char *records, size_t nr,
                          size_t len)
{
    struct pair *pair = queue;
    struct mmsghdr messages[QUEUE_MAX_BATCH];
    struct iovec parts[QUEUE_MAX_BATCH];
    int got;

    if (nr == 1)
        return recv(pair->out, records, len, MSG_DONTWAIT) == (ssize_t)len;
    describe(messages, parts, records, nr, len);
    got = recvmmsg(pair->out, messages, (unsigned)nr, MSG_DONTWAIT, NULL);
    return got > 0 ? (size_t)got : 0;
}

static const struct queue_ops seqpacket_ops = {
    .make = socket_make,
    .end = socket_end,
    .push = socket_push,
    .pull = socket_pull,
};
QUEUE_CONTESTANT(seqpacket);

#define WHAT "SOCK_SEQPACKET, sendmmsg and recvmmsg where the batch is 32"

static const struct bench_case cases[] = {
    QUEUE_THREADS("unix socket", WHAT, 0, seqpacket),
    QUEUE_PROCESSES("unix socket", WHAT, 0, seqpacket),
    QUEUE_PRODUCERS("unix socket", WHAT, 0, seqpacket),
};

const struct bench_table peer_socket_cases = {cases,
                                              sizeof(cases) / sizeof(cases[0])};
