/* SPDX-License-Identifier: MIT */
/* Description: the truth as rows, and as the documented JSON in a file. */
#include "check.h"
#include "sim/guest.h"
#include "stub_producer.h"

#include <errno.h>
#include <unistd.h>

static const char expected[] =
    "{\"format\":\"vmring-sim-truth\",\"version\":1,\n"
    "\"name\":\"web 1\",\"seed\":1,\"vcpus\":2,\"ended\":true,\n"
    "\"counts\":[\n"
    "{\"vcpu\":0,\"reason\":\"write_ctrlreg\",\"requests\":0,\"answered\":0,"
    "\"defaulted\":0,\"records\":5},\n"
    "{\"vcpu\":0,\"reason\":\"cpuid\",\"requests\":3,\"answered\":3,"
    "\"defaulted\":0,\"records\":0},\n"
    "{\"vcpu\":1,\"reason\":\"write_ctrlreg\",\"requests\":0,\"answered\":0,"
    "\"defaulted\":0,\"records\":5},\n"
    "{\"vcpu\":1,\"reason\":\"cpuid\",\"requests\":3,\"answered\":3,"
    "\"defaulted\":0,\"records\":0}],\n"
    "\"total\":{\"requests\":6,\"answered\":6,\"defaulted\":0,\"records\":10},"
    "\n"
    "\"guest\":[\n"
    "{\"vcpu\":0,\"passed\":4,\"trapped\":0,\"denied\":0,\"cpuid_wrong\":0,"
    "\"stray\":0,\"refused\":0},\n"
    "{\"vcpu\":1,\"passed\":4,\"trapped\":0,\"denied\":0,\"cpuid_wrong\":0,"
    "\"stray\":0,\"refused\":0}]}\n";

static void check_file(const char *path)
{
    char text[2048];
    size_t len;
    FILE *f = fopen(path, "r");

    CHECK(f);
    len = fread(text, 1, sizeof(text) - 1, f);
    text[len] = '\0';
    fclose(f);
    CHECK_STR(text, expected);
}

int main(void)
{
    char folder[] = "/tmp/vmring-truth-XXXXXX", path[64], params[256];
    struct vmring_producer p = {0};
    struct vmring_count *rows;
    struct sim *sim;
    char error[256];

    CHECK(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/truth.json", folder);
    snprintf(params, sizeof(params),
             "vcpus=2,cpuid=3,cr4=5,greq=4,name=web 1,truth=%s", path);
    CHECK_EQ(sim_open(params, &sim, error, sizeof(error)), 0);
    CHECK_EQ(sim_truth(sim, &rows), 0);
    free(rows);
    sim_start(sim, &p);
    stub_arm(sim, "cpuid cr4:async");
    stub_run_to_end(sim, &p);
    CHECK_EQ(sim_truth(sim, &rows), 4);
    CHECK_EQ(rows[3].vcpu, 1);
    CHECK_EQ(rows[3].reason, XEN_VM_RING_REASON_CPUID);
    CHECK_EQ(rows[3].requests, 3);
    CHECK_EQ(rows[3].answered, 3);
    CHECK_EQ(rows[2].records, 5);
    free(rows);
    CHECK_EQ(sim_write_truth(sim), 0);
    check_file(path);
    /* Again, over what is there. */
    CHECK_EQ(sim_write_truth(sim), 0);
    check_file(path);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(rmdir(folder), 0); /* nothing else was left in it */
    /* It was opened before, so that no file has to be now. */
    CHECK_EQ(sim_write_truth(sim), 0);
    sim_close(sim);
    CHECK_EQ(sim_open(params, &sim, error, sizeof(error)), -ENOENT);
    CHECK(strstr(error, "truth="));
    stub_free(&p);
    return 0;
}
