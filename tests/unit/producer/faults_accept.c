/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer that the system fails while somebody attaches
 * refuses that one, or hangs up, keeps nothing of it, and serves the next.
 */
#include "pair.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vmring_local.h>

#include "by_hand.h"
#include "transport/local/socket.h"

static struct pair pair;
static char path[64];
static int fd;

static int ask(void)
{
    int asking = by_hand_connect(path, 0);

    by_hand_propose(asking, 0, 2);
    return asking;
}

/* What it is told: a result, or that nobody is there. */
static int answer(int asking)
{
    int fds[VMRING_LOCAL_MAX_FDS], ret;
    unsigned int nr = 0;
    struct vmring_local_accept accept;
    uint32_t type;

    CHECK_EQ(socket_wait(asking, 0), 0);
    ret = socket_recv(asking, &type, &accept, sizeof(accept), fds,
                      VMRING_LOCAL_MAX_FDS, &nr);
    while (nr)
        close(fds[--nr]);
    close(asking);
    return ret < 0 ? ret : (int)accept.body.result;
}

/* Not the first epoch: what the last consumer left is to be passed on. */
static void make(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct xen_vm_ring_event event = pair_event(XEN_VM_RING_REASON_CPUID, 1);
    char uri[80];

    pair_make(&pair, &opts);
    snprintf(uri, sizeof(uri), "local:%s", path);
    CHECK_EQ(vmring_producer_serve(pair.producer, uri, 0), 0);
    fd = ask();
    pair_serve();
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &event), 1);
    CHECK_EQ(answer(fd), XEN_VM_RING_ACCEPTED);
    pair_serve();
    pair_serve();
    fd = ask();
}

static int dispatch(void)
{
    return vmring_producer_dispatch(pair.producer);
}

static void end(void)
{
    int result;

    pair_serve();
    result = answer(fd);
    CHECK(result == XEN_VM_RING_ACCEPTED ||
          result == XEN_VM_RING_REFUSED_MEMORY ||
          result == XEN_VM_RING_REFUSED_PERMISSION || result == -ECONNRESET);
    pair_serve();
    pair_serve();
    fd = ask();
    pair_serve();
    CHECK_EQ(answer(fd), XEN_VM_RING_ACCEPTED);
    pair_end(&pair);
}

/* Requests and records of a consumer that is there: it is heard, or let go. */
static void make_attached(void)
{
    struct vmring_producer_opts opts = pair_opts();

    pair_make(&pair, &opts);
    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_quiesce(pair.ring), 0);
}

static int serve(void)
{
    struct vmring_verdict verdict;
    int ret = vmring_producer_dispatch(pair.producer);

    if (!ret)
        ret = vmring_producer_collect(pair.producer, &verdict);
    if (ret)
        return ret;
    /* That it is quiet is said as soon as all is collected, if it is there. */
    ret = vmring_producer_dispatch(pair.producer);
    return ret == -EBADF ? 0 : ret;
}

static void end_attached(void)
{
    struct vmring_event event;
    int ret;

    pair_serve();
    ret = vmring_next(pair.ring, &event);
    CHECK(ret == -ENODATA || ret == -ECONNRESET);
    pair_end(&pair);
}

int main(void)
{
    /* Whatever happens, the producer goes on. */
#define GOES_ON(call)                                                          \
    {                                                                          \
        call, 0                                                                \
    }
    static const struct expectation expect[] = {
        GOES_ON("accept4"),      GOES_ON("getsockopt"),
        GOES_ON("epoll_ctl"),    GOES_ON("recvmsg"),
        GOES_ON("memfd_create"), GOES_ON("fchmod"),
        GOES_ON("open"),         GOES_ON("fstat"),
        GOES_ON("ftruncate"),    GOES_ON("posix_fallocate"),
        GOES_ON("mmap"),         GOES_ON("fcntl"),
        GOES_ON("socketpair"),   GOES_ON("sendmsg"),
        GOES_ON("recv"),         GOES_ON("poll"),
        GOES_ON("open"),         GOES_ON("send"),
        GOES_ON("calloc"),       {0}};
    struct walk walk = {
        .prepare = make, .op = dispatch, .settle = end, .expect = expect};

    snprintf(path, sizeof(path), "/tmp/vmring-test-%d.sock", (int)getpid());
    CHECK(faults_walk(&walk) > 15);
    walk.prepare = make_attached;
    walk.op = serve;
    walk.settle = end_attached;
    CHECK(faults_walk(&walk) >= 4);
    return 0;
}
