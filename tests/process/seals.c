/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer cannot write the producer's pages by any means, nor
 * resize either region, nor seal its own against a successor.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wired.h"

int main(void)
{
    struct vmring_producer_opts opts = wired_opts();
    struct xen_vm_ring_propose propose = wired_propose();
    struct xen_vm_ring_grant grant;
    char path[96], self[64];
    int fds[WIRE_MAX_FDS], p, c, control;
    unsigned int nr;
    pid_t producer;
    void *at;

    wired_path(path);
    producer = wired_serve(path, &opts, 3);
    control = wired_connect(path);
    grant = wired_ask(control, &propose, fds, &nr);
    CHECK_EQ(grant.result, XEN_VM_RING_GRANTED);
    CHECK_EQ(nr, 3); /* P, C, one doorbell */
    p = fds[0];
    c = fds[1];

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
    CHECK(ftruncate(p, (off_t)grant.p_len + 4096) < 0);
    CHECK(fcntl(p, F_ADD_SEALS, F_SEAL_WRITE) < 0);
    /* Opened anew it is the same file with the same seals. */
    snprintf(self, sizeof(self), "/proc/self/fd/%d", p);
    p = open(self, O_RDWR);
    if (p >= 0) {
        CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, p, 0) ==
              MAP_FAILED);
        CHECK(write(p, "x", 1) < 0);
    }
    CHECK(*(uint32_t *)at == XEN_VM_RING_MAGIC);

    at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, c, 0);
    CHECK(at != MAP_FAILED);
    CHECK(ftruncate(c, 0) < 0);
    CHECK(ftruncate(c, (off_t)grant.c_len + 4096) < 0);
    CHECK(fcntl(c, F_ADD_SEALS, F_SEAL_WRITE) < 0);
    CHECK(fcntl(c, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) < 0);
    /* Holes can be made in it: the producer reads zeros, and lives. */
    CHECK_EQ(fallocate(c, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                       (off_t)grant.c_len),
             0);
    usleep(50000);
    close(control);
    wired_check_alive(path, 3);
    wired_end(producer);
    wired_unlink(path);
    return 0;
}
