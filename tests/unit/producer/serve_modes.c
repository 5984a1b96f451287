/* SPDX-License-Identifier: MIT */
/*
 * Description: who may attach is decided by the mode that a producer serves
 * with and the peer's credentials, whatever the socket's mode is by then.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "vmring.h"

#define STRANGER 65534

static char uri[80];

/* What vmring_open() gives to a process of that user and group. */
static int opens_as(struct vmring_producer *producer, uid_t uid, gid_t gid)
{
    struct vmring_verdict verdict;
    int status;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = 60000};
        struct vmring *ring;
        int err;

        CHECK_EQ(setgid(gid), 0);
        CHECK_EQ(setuid(uid), 0);
        err = vmring_open(uri, &opts, &ring);
        if (!err)
            vmring_close(ring);
        _exit(-err);
    }
    while (waitpid(pid, &status, WNOHANG) != pid) {
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
        CHECK_EQ(vmring_producer_collect(producer, &verdict), 0);
        usleep(500);
    }
    CHECK(WIFEXITED(status));
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    CHECK_EQ(vmring_producer_collect(producer, &verdict), 0);
    return -WEXITSTATUS(status);
}

/* Served with `mode`, then opened to all by somebody's chmod. */
static void serve(unsigned int mode, int in_group, int other)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts), .nr_vcpus = 1, .arch = XEN_VM_RING_ARCH_X86};
    struct vmring_producer *producer;
    struct stat st;

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, mode), 0);
    CHECK_EQ(stat(uri + 6, &st), 0);
    CHECK_EQ(st.st_mode & 0777, mode ? mode : 0600);
    CHECK_EQ(chmod(uri + 6, 0666), 0);
    CHECK_EQ(opens_as(producer, geteuid(), getegid()), 0);
    if (geteuid() == 0) {
        /* A server of our own: a stranger takes root's. */
        CHECK_EQ(opens_as(producer, STRANGER, getegid()), in_group);
        CHECK_EQ(opens_as(producer, STRANGER, STRANGER), other);
    }
    vmring_producer_close(producer, NULL, NULL);
}

int main(void)
{
    snprintf(uri, sizeof(uri), "local:/tmp/vmring-test-%d.sock", (int)getpid());
    serve(0, -EACCES, -EACCES);
    serve(0600, -EACCES, -EACCES);
    serve(0660, 0, -EACCES);
    serve(0602, 0, 0);
    return 0;
}
