/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer of another user cannot write the producer's pages by
 * any means, nor resize either region, nor seal its own against a successor.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wired.h"

#define OTHER 65534

/*
 * Whoever is neither root nor the producer's user, who could as well write in
 * its memory.
 */
static void open_anew(int p)
{
    char self[64];
    int status;
    pid_t pid;

    if (geteuid() != 0)
        return;
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        CHECK_EQ(setgid(OTHER), 0);
        CHECK_EQ(setuid(OTHER), 0);
        snprintf(self, sizeof(self), "/proc/self/fd/%d", p);
        CHECK(fchmod(p, 0666) < 0 && errno == EPERM);
        CHECK(chmod(self, 0666) < 0);
        CHECK(open(self, O_RDWR) < 0 && errno == EACCES);
        CHECK(open(self, O_WRONLY) < 0 && errno == EACCES);
        CHECK(truncate(self, 0) < 0);
        exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
}

/* The producer's pages: read, and nothing else. */
static void p_is_kept(int p, uint64_t len)
{
    void *at;

    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, p, 0) ==
          MAP_FAILED);
    at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, p, 0);
    CHECK(at != MAP_FAILED);
    CHECK(mprotect(at, 4096, PROT_READ | PROT_WRITE) < 0);
    CHECK(write(p, "x", 1) < 0);
    CHECK(pwrite(p, "x", 1, 4096) < 0);
    CHECK(fallocate(p, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) <
          0);
    CHECK(fallocate(p, FALLOC_FL_ZERO_RANGE, 0, 4096) < 0);
    CHECK(ftruncate(p, 0) < 0);
    CHECK(ftruncate(p, (off_t)len + 4096) < 0);
    CHECK(fcntl(p, F_ADD_SEALS, F_SEAL_WRITE) < 0);
    open_anew(p);
    CHECK(*(uint32_t *)at == XEN_VM_RING_MAGIC);
}

/* The consumer's own: written, and neither resized nor sealed. */
static void c_has_its_size(int c, uint64_t len)
{
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, c, 0) !=
          MAP_FAILED);
    CHECK(ftruncate(c, 0) < 0);
    CHECK(ftruncate(c, (off_t)len + 4096) < 0);
    CHECK(fcntl(c, F_ADD_SEALS, F_SEAL_WRITE) < 0);
    CHECK(fcntl(c, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) < 0);
    /* Holes can be made in it: the producer reads zeros, and lives. */
    CHECK_EQ(
        fallocate(c, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)len),
        0);
}

int main(void)
{
    struct vmring_producer_opts opts = wired_opts();
    struct xen_vm_ring_propose propose = wired_propose();
    struct xen_vm_ring_accept accept;
    int fds[VMRING_LOCAL_MAX_FDS], control;
    unsigned int nr;
    pid_t producer;
    char path[96];

    wired_path(path);
    producer = wired_serve(path, &opts, 3);
    control = wired_connect(path);
    accept = wired_ask(control, &propose, fds, &nr);
    CHECK_EQ(accept.result, XEN_VM_RING_ACCEPTED);
    CHECK_EQ(nr, 3); /* P, C, one doorbell */
    p_is_kept(fds[0], accept.p_len);
    c_has_its_size(fds[1], accept.c_len);
    usleep(50000);
    close(control);
    wired_check_alive(path, 3);
    wired_end(producer);
    place_drop(path);
    return 0;
}
