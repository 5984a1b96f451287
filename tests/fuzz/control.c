/* SPDX-License-Identifier: MIT */
/*
 * Description: fuzzes the control channel: any messages and descriptors, at
 * the real server and at the real client, over socket pairs in one process.
 */
#include "control.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <vmring_local.h>

uint64_t control_now;

/* In the library's place: the same input sees the same time. */
int control_clock(clockid_t id, struct timespec *ts);
int control_clock(clockid_t id, struct timespec *ts)
{
    (void)id;
    control_now += 1000;
    ts->tv_sec = (time_t)(control_now / 1000000000);
    ts->tv_nsec = (long)(control_now % 1000000000);
    return 0;
}

void control_pair(int ends[2])
{
    ALWAYS(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                      ends) == 0);
}

bool control_send(int fd, uint32_t type, const void *body, size_t len,
                  int32_t lie, const int *fds, unsigned int nr_fds)
{
    struct vmring_local_header header = {
        type, (uint32_t)(sizeof(header) + len) + (uint32_t)lie};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(128 * sizeof(int))];
    } control;
    struct iovec iov[2] = {
        {&header, sizeof(header)},
        {(void *)(uintptr_t)body, len},
    };
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = len ? 2 : 1};

    if (nr_fds) {
        struct cmsghdr *cmsg;

        memset(&control, 0, sizeof(control));
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, nr_fds * sizeof(int));
    }
    return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

void control_damage(struct input *in, void *body, size_t len)
{
    for (uint8_t n = take8(in) % 4; n; n--) {
        uint8_t where = take8(in), how = take8(in);
        uint64_t value = how & 0x40 ? take64(in) : take8(in);
        size_t width = how & 0x80 ? 8 : 4;
        size_t off = where % (len / width) * width;
        uint64_t word = 0;

        memcpy(&word, (char *)body + off, width);
        switch (how % 4) {
        case 0:
            word = value;
            break;
        case 1:
            word += value;
            break;
        case 2:
            word -= value;
            break;
        default:
            word ^= 1ULL << value % 64;
            break;
        }
        memcpy((char *)body + off, &word, width);
    }
}

/* How many descriptors are open, of the lowest: one that leaks is there. */
static int open_descriptors(void)
{
    struct pollfd fds[64];
    int nr = 0;

    for (int fd = 0; fd < 64; fd++)
        fds[fd] = (struct pollfd){.fd = fd};
    /* One call for all: those that are closed are said to be. */
    ALWAYS(poll(fds, 64, 0) >= 0);
    for (int fd = 0; fd < 64; fd++)
        nr += !(fds[fd].revents & POLLNVAL);
    return nr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool warm[2];
    struct input in = {data, data + size};
    uint8_t side = take8(&in) & 1;
    int before = open_descriptors();

    control_now = 1000000;
    if (side)
        control_client(&in);
    else
        control_server(&in);
    /* What is made once, at the first input of a side, may stay. */
    ALWAYS(!warm[side] || open_descriptors() == before);
    warm[side] = true;
    return 0;
}
