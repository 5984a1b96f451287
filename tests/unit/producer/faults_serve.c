/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer that cannot serve a path says why, leaves no
 * socket there, and serves it when it is asked again.
 */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/local/socket.h"
#include "vmring.h"

static char uri[80], *const path = uri + 6;

/* A socket that nobody serves any more is in the way, or none is. */
static void leave_stale_socket(void)
{
    struct sockaddr_un addr;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    CHECK_EQ(socket_address(path, &addr), 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    close(fd);
}

static struct vmring_producer *make_producer(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts), .nr_vcpus = 1, .arch = XEN_VM_RING_ARCH_X86};
    struct vmring_producer *producer;

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    return producer;
}

/* The result of serving with the nth call failing.  0 faults: *nth is 0. */
static int serve_failing(unsigned int *nth, bool stale, struct fault *fault)
{
    struct holding before = faults_holding();
    struct vmring_producer *producer = make_producer();
    struct holding made;
    int ret;

    if (stale)
        leave_stale_socket();
    made = faults_holding();
    faults_arm(*nth);
    ret = vmring_producer_serve(producer, uri, 0);
    if (!faults_disarm(fault))
        *nth = 0;
    if (ret) {
        faults_check_holding(&made, fault);
        CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    }
    CHECK_EQ(access(path, F_OK), 0);
    vmring_producer_close(producer, NULL, NULL);
    CHECK(access(path, F_OK) < 0);
    faults_check_holding(&before, fault);
    return ret;
}

static unsigned int walk(bool stale)
{
    unsigned int nr_locks = 0;

    for (unsigned int nth = 1;; nth++) {
        unsigned int at = nth;
        struct fault fault;
        int ret = serve_failing(&at, stale, &fault);

        if (!at) {
            CHECK_EQ(ret, 0);
            CHECK_EQ(nr_locks, 1);
            return nth - 1;
        }
        /* Without a spare descriptor it serves as well. */
        if (!strcmp(fault.call, "fcntl"))
            CHECK_EQ(ret, 0);
        else if (!strcmp(fault.call, "unlink") && ret == 0)
            nr_locks++; /* the file of its lock is left, and no lock */
        else
            CHECK_EQ(ret, -fault.err);
    }
}

/* Where its path leads nowhere any more, as in another root. */
static void removed_from_elsewhere(void)
{
    struct vmring_producer *producer = make_producer();

    CHECK_EQ(chdir("/tmp"), 0);
    CHECK_EQ(vmring_producer_serve(producer, "local:vmring-test-here.sock", 0),
             0);
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(access("/tmp/vmring-test-here.sock", F_OK), 0);
    vmring_producer_close(producer, NULL, NULL);
    CHECK(access("/tmp/vmring-test-here.sock", F_OK) < 0);
}

/* Whoever is starting there is waited for, and not for ever. */
static void somebody_is_starting(void)
{
    struct vmring_producer *producer = make_producer();
    char lock[100];
    int fd;

    snprintf(lock, sizeof(lock), "%s.lock", path);
    fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(flock(fd, LOCK_EX), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), -EADDRINUSE);
    CHECK_EQ(access(path, F_OK), -1);
    unlink(lock);
    close(fd);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    vmring_producer_close(producer, NULL, NULL);
}

/* What is there instead at the end is somebody else's, or nothing. */
static void replaced(bool by_file)
{
    struct vmring_producer *producer = make_producer();

    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    /* Another first: the next file may well get the inode that is freed. */
    CHECK_EQ(rename(path, "/tmp/vmring-test-moved.sock"), 0);
    if (by_file)
        leave_stale_socket();
    vmring_producer_close(producer, NULL, NULL);
    CHECK_EQ(access(path, F_OK), by_file ? 0 : -1);
    unlink(path);
    unlink("/tmp/vmring-test-moved.sock");
}

/* A second connection that cannot be taken leaves the first. */
static void one_more_fd(void)
{
    struct vmring_producer *producer = make_producer();
    int first[2], ends[2], err = -1;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, first), 0);
    CHECK_EQ(vmring_producer_serve_fd(producer, first[0]), 0);
    for (unsigned int nth = 1; err; nth++) {
        struct fault fault;

        CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
        faults_arm(nth);
        err = vmring_producer_serve_fd(producer, ends[0]);
        if (faults_disarm(&fault))
            CHECK_EQ(err, -fault.err);
        else
            CHECK_EQ(err, 0);
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
        close(ends[1]);
    }
    close(first[1]);
    vmring_producer_close(producer, NULL, NULL);
}

int main(void)
{
    snprintf(uri, sizeof(uri), "local:/tmp/vmring-test-%d.sock", (int)getpid());
    CHECK(walk(false) > 5);
    CHECK(walk(true) > 5);
    removed_from_elsewhere();
    somebody_is_starting();
    replaced(false);
    replaced(true);
    one_more_fd();
    return 0;
}
