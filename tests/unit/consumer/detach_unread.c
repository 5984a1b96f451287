/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that detaches and closes has detached, whatever it
 * has not read before: the kernel then tells the producer of a reset first,
 * and refuses what it would still send.
 */
#include <string.h>
#include <sys/socket.h>

#include <vmring_local.h>

#include "pair.h"
#include "transport/local/socket.h"

static struct pair pair;
static unsigned int nr_clean, nr_crashed;

static void heard(void *ctx, int level, const char *line)
{
    (void)ctx;
    (void)level;
    nr_clean += strstr(line, "the consumer has detached") != NULL;
    nr_crashed += strstr(line, "gone without a word") != NULL;
    CHECK(!strstr(line, "broke the protocol"));
}

/* Returns the ring's own descriptor. */
static int begin(void)
{
    struct vmring_producer_opts opts = pair_opts();
    char uri[32];
    int fd;

    opts.log = heard;
    pair_make(&pair, &opts);
    fd = pair_connect(&pair);
    snprintf(uri, sizeof(uri), "fd:%d", fd);
    CHECK_EQ(vmring_open(uri, NULL, &pair.ring), 0);
    nr_clean = nr_crashed = 0;
    return fd;
}

static void end(bool clean)
{
    vmring_close(pair.ring);
    pair.ring = NULL;
    for (int i = 0; i < 4; i++)
        pair_serve();
    CHECK(!vmring_producer_attached(pair.producer));
    CHECK_EQ(nr_clean, clean);
    CHECK_EQ(nr_crashed, !clean);
    pair_end(&pair);
}

static void ask(int fd, uint32_t type, const void *body, size_t len)
{
    CHECK_EQ(socket_send(fd, type, body, len, NULL, 0), 0);
}

int main(void)
{
    const struct vmring_local_count from = {0};
    int fd;

    /* Answered, and nobody has read it. */
    fd = begin();
    ask(fd, VMRING_LOCAL_SUPPORTED, NULL, 0);
    pair_serve();
    end(true);

    fd = begin();
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cpuid", 5);
    pair_serve();
    end(true);

    /* Asked for all, and never there when the answers come. */
    fd = begin();
    ask(fd, VMRING_LOCAL_SUPPORTED, NULL, 0);
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cpuid", 5);
    ask(fd, VMRING_LOCAL_COUNT, &from, sizeof(from));
    ask(fd, VMRING_LOCAL_SUPPORTED, NULL, 0);
    end(true);

    fd = begin();
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cpuid", 5);
    pair_serve();
    ask(fd, VMRING_LOCAL_QUIESCE, NULL, 0);
    pair_serve();
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cr3", 3);
    end(true);

    /* Who closes without a word has crashed, as ever. */
    fd = begin();
    ask(fd, VMRING_LOCAL_SUPPORTED, NULL, 0);
    pair_serve();
    CHECK_EQ(shutdown(fd, SHUT_WR), 0);
    end(false);
    return 0;
}
