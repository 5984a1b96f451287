/* SPDX-License-Identifier: MIT */
/* sync_wake.c: the ways to sleep until another process wakes one. */
#include <linux/futex.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sync.h"
#include "worker.h"

#include "transport/local/socket.h"

/* What each side sleeps on; a line each. */
struct bell {
    uint32_t token; /* futex: 1 if it was rung */
    int fd;         /* to sleep on */
    int far;        /* to ring it */
    uint32_t pad[29];
};

struct bells {
    struct bell of[2];
};

static void *make_none(void)
{
    struct bells *bells = bench_map(sizeof(*bells));

    for (int i = 0; bells && i < 2; i++)
        bells->of[i].fd = bells->of[i].far = -1;
    return bells;
}

static void end(void *wake)
{
    struct bells *bells = wake;

    for (int i = 0; i < 2; i++)
        if (bells->of[i].fd >= 0)
            close(bells->of[i].fd);
    bench_unmap(bells, sizeof(*bells));
}

static void futex_wake(void *wake, int side)
{
    struct bell *bell = &((struct bells *)wake)->of[side];

    __atomic_store_n(&bell->token, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &bell->token, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void futex_sleep(void *wake, int side)
{
    struct bell *bell = &((struct bells *)wake)->of[side];

    while (!__atomic_exchange_n(&bell->token, 0, __ATOMIC_ACQUIRE))
        syscall(SYS_futex, &bell->token, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void *eventfd_make(void)
{
    struct bells *bells = make_none();

    for (int i = 0; bells && i < 2; i++) {
        bells->of[i].fd = bells->of[i].far = eventfd(0, EFD_CLOEXEC);
        if (bells->of[i].fd < 0) {
            end(bells);
            return NULL;
        }
    }
    return bells;
}

static void eventfd_wake(void *wake, int side)
{
    uint64_t one = 1;

    (void)!write(((struct bells *)wake)->of[side].far, &one, sizeof(one));
}

static void eventfd_sleep(void *wake, int side)
{
    uint64_t rung;

    (void)!read(((struct bells *)wake)->of[side].fd, &rung, sizeof(rung));
}

/* Each side sleeps on its own end and rings by it. */
static void *pair_of(int type)
{
    struct bells *bells = make_none();
    int ends[2];

    if (bells && socketpair(AF_UNIX, type, 0, ends)) {
        end(bells);
        return NULL;
    }
    for (int i = 0; bells && i < 2; i++) {
        bells->of[i].fd = ends[i];
        bells->of[i].far = ends[!i];
    }
    return bells;
}

static void *blocking_make(void)
{
    return pair_of(SOCK_STREAM | SOCK_CLOEXEC);
}

static void *polled_make(void)
{
    return pair_of(SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void socketpair_wake(void *wake, int side)
{
    doorbell_ring(((struct bells *)wake)->of[side].far);
}

static void blocking_sleep(void *wake, int side)
{
    char rung[64];

    (void)!recv(((struct bells *)wake)->of[side].fd, rung, sizeof(rung), 0);
}

/* As the library's transport has it: among other descriptors. */
static void polled_sleep(void *wake, int side)
{
    int fd = ((struct bells *)wake)->of[side].fd;
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    poll(&wait, 1, -1);
    (void)doorbell_ack(fd);
}

const struct sync_wake sync_futex = {make_none, end, futex_wake, futex_sleep};
const struct sync_wake sync_eventfd = {eventfd_make, end, eventfd_wake,
                                       eventfd_sleep};
const struct sync_wake sync_socketpair = {blocking_make, end, socketpair_wake,
                                          blocking_sleep};
const struct sync_wake sync_socketpair_poll = {polled_make, end,
                                               socketpair_wake, polled_sleep};
