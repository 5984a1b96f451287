/* SPDX-License-Identifier: MIT */
/*
 * Description: a peer punches holes into the memory that it shares, and there
 * is none to fill them: whoever asked to survive that sees a broken peer, and
 * goes on; whoever did not dies of SIGBUS, as without this library.
 *
 * A system without memory is not to be had here: userfaultfd(2) answers a page
 * that is missing with SIGBUS in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wired.h"

static char path[96], uri[128];
static int to_child[2], to_parent[2];

static int open_uffd(void)
{
    struct uffdio_api api = {.api = UFFD_API,
                             .features = UFFD_FEATURE_SIGBUS |
                                         UFFD_FEATURE_MISSING_SHMEM};
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* No page of a region of that name comes again once it is gone. */
static void no_memory_for(const char *name)
{
    int fd = open_uffd(), found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];

    CHECK(fd >= 0);
    CHECK(maps);
    while (fgets(line, sizeof(line), maps)) {
        struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};
        unsigned long from, to;

        if (!strstr(line, name) || sscanf(line, "%lx-%lx", &from, &to) != 2)
            continue;
        range.range.start = from;
        range.range.len = to - from;
        CHECK_EQ(ioctl(fd, UFFDIO_REGISTER, &range), 0);
        found++;
    }
    fclose(maps);
    CHECK(found > 0);
}

static void tell(int fd)
{
    CHECK(write(fd, "", 1) == 1);
}

static void wait_for(int fd)
{
    char byte;

    CHECK(read(fd, &byte, 1) == 1);
}

static void punch(int fd, uint64_t len)
{
    CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                       (off_t)len),
             0);
}

static pid_t start(void (*child)(bool survives), bool survives)
{
    pid_t pid;

    CHECK_EQ(pipe(to_child), 0);
    CHECK_EQ(pipe(to_parent), 0);
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (survives)
            CHECK_EQ(vmring_catch_sigbus(), 0);
        child(survives);
        exit(0);
    }
    return pid;
}

static void end(pid_t pid, bool survives)
{
    int status;

    CHECK(waitpid(pid, &status, 0) == pid);
    if (survives)
        CHECK_EQ(status, 0);
    else
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    for (int i = 0; i < 2; i++) {
        close(to_child[i]);
        close(to_parent[i]);
    }
}

/* ----------------------------------------- a producer and its consumers -- */

static void turn(struct vmring_producer *producer)
{
    struct pollfd pfd = {vmring_producer_fd(producer), POLLIN, 0};
    struct vmring_verdict verdict;

    (void)poll(&pfd, 1, 5);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    while (vmring_producer_collect(producer, &verdict) == 1)
        ;
}

static void serve(bool survives)
{
    struct vmring_producer_opts opts = wired_opts();
    struct xen_vm_ring_event event = {.length = XEN_VM_RING_EVENT_HEAD,
                                      .reason = XEN_VM_RING_REASON_CPUID};
    struct vmring_producer_stats stats = {.size = sizeof(stats)};
    struct vmring_producer *producer;

    (void)survives;
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    tell(to_parent[1]);
    while (!vmring_producer_attached(producer))
        turn(producer);
    no_memory_for("vmring-c");
    tell(to_parent[1]);
    wait_for(to_child[0]);
    CHECK_EQ(vmring_producer_post(producer, &event, 0), 0);
    vmring_producer_flush(producer);
    while (vmring_producer_attached(producer))
        turn(producer);
    /* The next one has pages of its own. */
    tell(to_parent[1]);
    while (stats.epochs < 2 || vmring_producer_attached(producer)) {
        turn(producer);
        CHECK_EQ(vmring_producer_get_stats(producer, &stats), 0);
    }
    vmring_producer_close(producer, NULL, NULL);
}

static void takes_from_producer(bool survives)
{
    struct xen_vm_ring_propose propose = wired_propose();
    struct xen_vm_ring_accept accept;
    pid_t pid = start(serve, survives);
    unsigned int nr = 0;
    int fds[VMRING_LOCAL_MAX_FDS], control;
    char byte;

    wait_for(to_parent[0]);
    control = wired_connect(path);
    accept = wired_ask(control, &propose, fds, &nr);
    CHECK_EQ(accept.result, XEN_VM_RING_ACCEPTED);
    wait_for(to_parent[0]);
    punch(fds[1], accept.c_len);
    tell(to_child[1]);
    /* It is hung up on, or there is nobody any more. */
    CHECK_EQ(recv(control, &byte, 1, 0), 0);
    close(control);
    for (unsigned int i = 0; i < nr; i++)
        close(fds[i]);
    if (survives) {
        wait_for(to_parent[0]);
        wired_check_alive(path, 0);
    }
    end(pid, survives);
    unlink(path);
}

/* ------------------------------------------ a consumer and its producer -- */

static const char *taken;

static void consume(bool survives)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = 30000};
    struct vmring_event event;
    struct vmring *ring;

    (void)survives;
    CHECK_EQ(vmring_open(uri, &opts, &ring), 0);
    CHECK_EQ(vmring_next(ring, &event), 0);
    no_memory_for(taken);
    tell(to_parent[1]);
    wait_for(to_child[0]);
    CHECK(vmring_next(ring, &event) <= 0);
    CHECK_EQ(vmring_next(ring, &event), -EPROTO);
    CHECK_EQ(vmring_next(ring, &event), -EPROTO);
    vmring_close(ring);
}

static void takes_from_consumer(const char *name, bool survives)
{
    struct wired_producer producer;
    pid_t pid;

    taken = name;
    wired_listen(&producer, path);
    pid = start(consume, survives);
    wired_accept(&producer);
    wired_hand_over(&producer, 1);
    wait_for(to_parent[0]);
    punch(producer.p.fd, producer.p.len);
    punch(producer.c.fd, producer.c.len);
    tell(to_child[1]);
    end(pid, survives);
    wired_hang_up(&producer);
    wired_unlisten(&producer, path);
}

int main(void)
{
    int fd = open_uffd();

    if (fd < 0) {
        printf("no userfaultfd that answers with SIGBUS\n");
        return 77;
    }
    close(fd);
    wired_path(path);
    snprintf(uri, sizeof(uri), "local:%s", path);
    for (int survives = 0; survives < 2; survives++) {
        takes_from_producer(survives);
        takes_from_consumer("vmring-c", survives);
        takes_from_consumer("vmring-p", survives);
    }
    place_drop(path);
    return 0;
}
