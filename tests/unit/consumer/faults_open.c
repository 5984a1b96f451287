/* SPDX-License-Identifier: MIT */
/*
 * Description: an endpoint that cannot be opened, whatever the system
 * refuses, is not, says why, keeps nothing, and can be opened the next time.
 */
#include "faults.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmring.h"

static char local[80], fd_uri[32];
static const char *uri;
static struct vmring_producer *producer;
static struct vmring *ring;
static char error[256];

/* The other end goes on while we wait for it. */
static void serve(void)
{
    struct vmring_verdict verdict;

    (void)vmring_producer_dispatch(producer);
    CHECK_EQ(vmring_producer_collect(producer, &verdict), 0);
}

static void make_producer(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts), .nr_vcpus = 1, .arch = XEN_VM_RING_ARCH_X86};

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    faults_idle = serve;
}

static void listen_there(void)
{
    make_producer();
    CHECK_EQ(vmring_producer_serve(producer, local, 0), 0);
    uri = local;
}

static void connect_pair(void)
{
    int ends[2];

    make_producer();
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    CHECK_EQ(vmring_producer_serve_fd(producer, ends[0]), 0);
    snprintf(fd_uri, sizeof(fd_uri), "fd:%d", ends[1]);
    uri = fd_uri;
}

/* A guest that has a thread of its own. */
static void simulate(void)
{
    uri = "sim:vcpus=1,count=4,truth=/dev/null";
}

static int open_it(void)
{
    struct vmring_opts opts = {.size = sizeof(opts),
                               .timeout_ms = 60000,
                               .error = error,
                               .error_len = sizeof(error)};

    ring = NULL;
    error[0] = '\0';
    return vmring_open(uri, &opts, &ring);
}

static void close_it(void)
{
    CHECK(!ring == !!error[0]);
    vmring_close(ring);
    vmring_producer_close(producer, NULL, NULL);
    producer = NULL;
    faults_idle = NULL;
}

/* The peer lied about what it passed, as far as we can tell. */
#define LIES                                                                   \
    {"fcntl", -EPROTO},                                                        \
    {                                                                          \
        "fstat", -EPROTO                                                       \
    }

int main(void)
{
    static const struct expectation expect[] = {LIES, {0}};
    struct walk walk = {.op = open_it, .settle = close_it, .expect = expect};

    snprintf(local, sizeof(local), "local:/tmp/vmring-test-%d.sock",
             (int)getpid());
    walk.prepare = listen_there;
    CHECK(faults_walk(&walk) > 10);
    walk.prepare = connect_pair;
    CHECK(faults_walk(&walk) > 10);
    walk.prepare = simulate;
    CHECK(faults_walk(&walk) > 10);
    return 0;
}
