/* SPDX-License-Identifier: MIT */
/*
 * Description: an agent waits for its bridge to be ready for so long and no
 * longer, also for one that says what it has to say bit by bit.
 */
#define READY_MS 300
#include "agent/bridge_start.c"

#include "../unit/check.h"

/* Says a byte each 100 ms, and does not come to the end of its line. */
static pid_t say_slowly(int fd)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    pid_t pid = fork();

    CHECK(pid >= 0);
    for (int i = 0; pid == 0 && i < 60; i++) {
        if (write(fd, "x", 1) != 1)
            _exit(1);
        nanosleep(&pause, NULL);
    }
    if (pid == 0)
        _exit(0);
    return pid;
}

int main(void)
{
    struct bridge bridge = {.pid = 0};
    int fds[2];
    int status;
    pid_t child;

    CHECK_EQ(pipe(fds), 0);
    child = say_slowly(fds[1]);
    CHECK_EQ(read_ready(&bridge, fds[0], -1), -ETIMEDOUT);
    /* It has not waited for its end. */
    CHECK_EQ(kill(child, SIGKILL), 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    /* What comes in time is taken, in however many pieces. */
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(write(fds[1], "/run/", 5), 5);
    CHECK_EQ(write(fds[1], "x.sock\n", 7), 7);
    CHECK_EQ(read_ready(&bridge, fds[0], -1), 0);
    CHECK_STR(bridge.socket, "/run/x.sock");
    close(fds[1]);
    CHECK_EQ(read_ready(&bridge, fds[0], -1), -EPIPE);
    return 0;
}
