/* SPDX-License-Identifier: MIT */
/* Description: a truth that cannot be written whole is not left in part, nor
 * waited for. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/sim.h"

static char folder[] = "/tmp/vmring-truth-XXXXXX", path[64];

static void is_of(off_t least, off_t most)
{
    struct stat st;

    CHECK_EQ(stat(path, &st), 0);
    CHECK(st.st_size >= least && st.st_size <= most);
}

/* Nobody is waited for who does not open it, or does not read. */
static void fifo(void)
{
    char params[128], error[128];
    struct sim *sim;
    int reader;

    CHECK_EQ(mkfifo(path, 0600), 0);
    snprintf(params, sizeof(params), "vcpus=4096,cpuid=1,cr3=1,truth=%s", path);
    CHECK_EQ(sim_open(params, &sim, error, sizeof(error)), -ENXIO);
    reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CHECK(reader >= 0);
    CHECK_EQ(sim_open(params, &sim, error, sizeof(error)), 0);
    CHECK_EQ(sim_write_truth(sim), -EAGAIN);
    sim_close(sim);
    close(reader);
    CHECK_EQ(unlink(path), 0);
}

int main(void)
{
    struct rlimit small = {10, RLIM_INFINITY}, large = small;
    char params[128], error[128];
    struct sim *sim;

    CHECK(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/truth", folder);
    fifo();
    snprintf(params, sizeof(params), "vcpus=1,cpuid=3,truth=%s", path);
    CHECK_EQ(sim_open(params, &sim, error, sizeof(error)), 0);

    /* A disk that is full. */
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    large.rlim_cur = RLIM_INFINITY;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    CHECK_EQ(sim_write_truth(sim), -EFBIG);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &large), 0);
    is_of(0, 0);

    CHECK_EQ(sim_write_truth(sim), 0);
    is_of(100, 4096);
    sim_close(sim);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(rmdir(folder), 0);
    return 0;
}
