/* SPDX-License-Identifier: MIT */
/*
 * Description: a truth that cannot be written whole is not left in part, and
 * the one before it stays.
 */
#include "faults.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/sim.h"

static char folder[] = "/tmp/vmring-truth-XXXXXX", path[64];

static void put_old(void)
{
    FILE *f = fopen(path, "w");

    CHECK(f);
    CHECK(fputs("old", f) >= 0);
    CHECK_EQ(fclose(f), 0);
}

static void is_old(void)
{
    struct stat st;
    char part[80];

    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_size, 3);
    snprintf(part, sizeof(part), "%s.part", path);
    CHECK(stat(part, &st) < 0);
}

int main(void)
{
    struct rlimit small = {10, RLIM_INFINITY}, large = small;
    char params[128], error[128];
    struct fault fault;
    struct sim *sim;

    CHECK(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/truth", folder);
    snprintf(params, sizeof(params), "vcpus=1,cpuid=3,truth=%s", path);
    CHECK_EQ(sim_open(params, &sim, error, sizeof(error)), 0);
    put_old();

    /* A disk that is full. */
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    large.rlim_cur = RLIM_INFINITY;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    CHECK_EQ(sim_write_truth(sim), -EFBIG);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &large), 0);
    is_old();

    faults_arm(1); /* the library's one call here: to rename */
    CHECK_EQ(sim_write_truth(sim), -EXDEV);
    CHECK(faults_disarm(&fault));
    CHECK_STR(fault.call, "rename");
    is_old();

    CHECK_EQ(sim_write_truth(sim), 0);
    sim_close(sim);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(rmdir(folder), 0);
    return 0;
}
