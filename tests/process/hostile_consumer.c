/* SPDX-License-Identifier: MIT */
/*
 * Description: whatever a consumer sends, passes along, leaves unread or
 * writes into its region, the producer serves the next one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/local/socket.h"
#include "wired.h"

#define RAISED 3

static char path[96];

/* An attached consumer, by hand. */
struct attached {
    int control, bell;
    unsigned char *c;
    struct xen_vm_ring_accept accept;
    struct xen_vm_ring_header header;
};

static struct attached attach(void)
{
    struct xen_vm_ring_propose propose = wired_propose();
    int fds[VMRING_LOCAL_MAX_FDS];
    unsigned int nr;
    struct attached it;

    for (int i = 0; i < 2000; i++) {
        it.control = wired_connect(path);
        it.accept = wired_ask(it.control, &propose, fds, &nr);
        if (it.accept.result != XEN_VM_RING_REFUSED_BUSY)
            break;
        close(it.control);
        usleep(1000);
    }
    CHECK_EQ(it.accept.result, XEN_VM_RING_ACCEPTED);
    it.c = mmap(NULL, it.accept.c_len, PROT_READ | PROT_WRITE, MAP_SHARED,
                fds[1], 0);
    CHECK(it.c != MAP_FAILED);
    CHECK(pread(fds[0], &it.header, sizeof(it.header), 0) == sizeof(it.header));
    it.bell = fds[nr - 1];
    for (unsigned int i = 0; i + 1 < nr; i++)
        close(fds[i]);
    return it;
}

static void leave(struct attached *it)
{
    close(it->control);
    if (it->bell >= 0)
        close(it->bell);
    munmap(it->c, it->accept.c_len);
    wired_check_alive(path, RAISED);
}

/* Messages before an attach and after it. */
static void garbage(const void *bytes, size_t len)
{
    int fd = wired_connect(path);
    struct attached it;

    CHECK(send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
    it = attach();
    CHECK(send(it.control, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
    usleep(20000);
    close(fd);
    leave(&it);
}

static void malformed_messages(void)
{
    static unsigned char bytes[VMRING_LOCAL_MAX + 100];
    struct vmring_local_header *header = (void *)bytes;

    memset(bytes, 0xa5, sizeof(bytes));
    garbage("", 1);
    garbage(bytes, 8);
    garbage(bytes, sizeof(bytes));
    for (uint32_t type = 0; type < 14; type++) {
        *header = (struct vmring_local_header){type, 8};
        garbage(bytes, 8); /* no body */
        header->length = 100;
        garbage(bytes, 100); /* of the wrong length, and nonsense */
        header->length = 7;
        garbage(bytes, 100); /* a length that lies */
        header->length = VMRING_LOCAL_MAX;
        garbage(bytes, VMRING_LOCAL_MAX);
        header->length = sizeof(bytes);
        garbage(bytes, sizeof(bytes));
    }
}

static void descriptors_passed(void)
{
    struct attached it = attach();
    int fds[VMRING_LOCAL_MAX_FDS];

    for (int i = 0; i < VMRING_LOCAL_MAX_FDS; i++)
        fds[i] = it.bell;
    for (int i = 0; i < 20; i++)
        (void)socket_send(it.control, VMRING_LOCAL_SUPPORTED, NULL, 0, fds,
                          VMRING_LOCAL_MAX_FDS);
    leave(&it);
}

static void replies_unread(void)
{
    struct attached it = attach();
    struct pollfd pfd = {it.control, POLLOUT, 0};

    /* Until it is hung up on, or has sent enough for any buffer. */
    for (int i = 0; i < 20000; i++) {
        int err =
            socket_send(it.control, VMRING_LOCAL_SUPPORTED, NULL, 0, NULL, 0);

        if (err == -EPIPE || err == -ECONNRESET)
            break;
        if (err == -EAGAIN)
            (void)poll(&pfd, 1, 10);
    }
    leave(&it);
}

static void connections_flood(void)
{
    int fds[40];

    for (int i = 0; i < 40; i++) {
        fds[i] = wired_connect(path);
        usleep(500);
    }
    wired_check_alive(path, RAISED);
    for (int i = 0; i < 40; i++)
        close(fds[i]);
}

static void doorbell_closed(void)
{
    struct attached it = attach();

    CHECK_EQ(shutdown(it.bell, SHUT_WR), 0);
    usleep(20000);
    CHECK_EQ(shutdown(it.bell, SHUT_RDWR), 0);
    usleep(20000);
    close(it.bell);
    it.bell = -1;
    *(xen_vm_ring_u64 *)(void *)(it.c + it.header.c_group_off) = 1;
    usleep(20000);
    leave(&it);
}

static void doorbell_flooded(void)
{
    struct attached it = attach();
    char bytes[4096] = {0};

    CHECK_EQ(fcntl(it.bell, F_SETFL, 0), 0);
    for (int i = 0; i < 2000; i++)
        (void)!send(it.bell, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
    leave(&it);
}

/* All of C, with a value, again and again while the producer works. */
static void region_is(unsigned char value)
{
    struct attached it = attach();

    for (int i = 0; i < 50; i++) {
        memset(it.c, value, it.accept.c_len);
        doorbell_ring(it.bell);
        usleep(500);
    }
    leave(&it);
}

static void region_is_noise(unsigned int seed)
{
    struct attached it = attach();

    for (int i = 0; i < 50; i++) {
        for (size_t at = 0; at + 4 <= it.accept.c_len; at += 4) {
            uint32_t word = seed = seed * 1664525 + 1013904223;

            memcpy(it.c + at, &word, 4);
        }
        doorbell_ring(it.bell);
        usleep(500);
    }
    leave(&it);
}

static void cursors_lie(void)
{
    struct attached it = attach();

    for (uint32_t lane = 0; lane < it.header.nr_lanes; lane++) {
        struct xen_vm_ring_cursor *cursor =
            (void *)(it.c + it.header.cursor_off + lane * XEN_VM_RING_LINE);

        cursor->cons = UINT64_MAX - lane;
    }
    leave(&it);
}

static void detached_and_talking(void)
{
    struct attached it = attach();

    (void)socket_send(it.control, VMRING_LOCAL_DETACH, NULL, 0, NULL, 0);
    for (int i = 0; i < 100; i++) {
        (void)socket_send(it.control, VMRING_LOCAL_QUIESCE, NULL, 0, NULL, 0);
        (void)socket_send(it.control, VMRING_LOCAL_DETACH, NULL, 0, NULL, 0);
        memset(it.c, i, it.accept.c_len);
    }
    leave(&it);
}

int main(void)
{
    struct vmring_producer_opts opts = wired_opts();
    pid_t producer;

    opts.deadline_ns = 200000000;
    wired_path(path);
    producer = wired_serve(path, &opts, RAISED);
    wired_check_alive(path, RAISED);
    malformed_messages();
    descriptors_passed();
    replies_unread();
    connections_flood();
    doorbell_closed();
    doorbell_flooded();
    region_is(0xff);
    region_is(0x01);
    region_is(0x80);
    for (unsigned int seed = 1; seed <= 10; seed++)
        region_is_noise(seed);
    cursors_lie();
    detached_and_talking();
    wired_end(producer);
    place_drop(path);
    return 0;
}
