/* SPDX-License-Identifier: MIT */
/* Description: an output keeps all bytes, never blocks a push, tells errors. */
#include "../../agent/output/output.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "../unit/check.h"

#define LINES 100000

static void fill(struct output *out)
{
    for (int i = 0; i < LINES; i++)
        output_printf(out, "%09d\n", i);
}

/* A pipe that nobody reads takes its share; a reader gets everything. */
static void check_stalled_pipe(void)
{
    static char got[LINES * 10 + 1];
    size_t used = 0;
    struct output out;
    int fds[2], saved = dup(1);

    CHECK_EQ(pipe(fds), 0);
    dup2(fds[1], 1);
    close(fds[1]);
    CHECK_EQ(output_open(&out, NULL), 0);
    fill(&out);
    CHECK(output_is_full(&out));
    CHECK_EQ(output_push(&out), -EAGAIN);
    while (used < LINES * 10) {
        ssize_t n = read(fds[0], got + used, sizeof(got) - used);

        CHECK(n > 0);
        used += (size_t)n;
        output_push(&out);
    }
    CHECK_EQ(output_close(&out, OUTPUT_WAITS), 0);
    CHECK_EQ(used, LINES * 10);
    for (int i = 0; i < LINES; i++)
        CHECK_EQ(atoi(got + i * 10), i);
    close(fds[0]);
    dup2(saved, 1);
    close(saved);
}

static void check_reader_gone(void)
{
    struct output out;
    int fds[2], saved = dup(1);

    CHECK_EQ(pipe(fds), 0);
    dup2(fds[1], 1);
    close(fds[1]);
    close(fds[0]);
    CHECK_EQ(output_open(&out, NULL), 0);
    fill(&out);
    CHECK_EQ(output_push(&out), -EPIPE);
    fill(&out); /* harmless, and vanishes */
    CHECK_EQ(output_push(&out), -EPIPE);
    CHECK_EQ(output_close(&out, OUTPUT_WAITS), -EPIPE);
    dup2(saved, 1);
    close(saved);
}

static void check_disk_full(void)
{
    struct output out;

    CHECK_EQ(output_open(&out, "/dev/full"), 0);
    output_printf(&out, "one line\n");
    CHECK_EQ(output_close(&out, OUTPUT_WAITS), -ENOSPC);
    CHECK_EQ(output_open(&out, "/nonexistent/file"), -ENOENT);
    CHECK_EQ(output_close(&out, OUTPUT_WAITS), -ENOENT);
}

static void check_long_line(void)
{
    char text[2000], path[] = "/tmp/vmring-output-XXXXXX";
    struct output out;
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    CHECK_EQ(output_open(&out, path), 0);
    output_printf(&out, "%s", text);
    CHECK_EQ(output_close(&out, OUTPUT_WAITS), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), sizeof(text) - 1);
    close(fd);
    unlink(path);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    check_stalled_pipe();
    check_reader_gone();
    check_disk_full();
    check_long_line();
    return 0;
}
