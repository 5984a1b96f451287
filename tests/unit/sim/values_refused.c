/* SPDX-License-Identifier: MIT */
/* Description: a value that a key of the simulated guest cannot have. */
#include <errno.h>

#include "check.h"
#include "sim/params.h"
#include "vmring.h"

static const char *const bad[] = {
    "mix=cpuid:1/cpuid:2",
    "mix=cpuid:0",
    "mix=cpuid",
    "mix=nothing:1",
    "mix=",
    "start=",
    "start=later",
    "on-deadline=",
    "on-deadline=never",
    "verdicts=",
    "verdicts=nothing",
    "truth=",
    "name=",
    "name=a\"b",
    "name=a\\b",
    "name=a\tb",
    "name=\x7f",
    "deadline=0",
    "vcpus=4097",
    "seed=x",
    "batch=0",
};

int main(void)
{
    struct sim_params params;
    char error[256], text[256];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(sim_params_parse(bad[i], true, &params, error, sizeof(error)),
                 -EINVAL);
        CHECK_HAS(error, "bad value in");
    }
    memset(text, 'x', sizeof(text));
    memcpy(text, "verdicts=", 9);
    text[200] = '\0';
    CHECK_EQ(sim_params_parse(text, true, &params, error, sizeof(error)),
             -EINVAL);
    memcpy(text, "name=xxxx", 9);
    CHECK_EQ(sim_params_parse(text, true, &params, NULL, 0), -EINVAL);

    CHECK_EQ(sim_params_parse("start=now,on-deadline=neutral,verdicts=all",
                              true, &params, error, sizeof(error)),
             0);
    CHECK(params.start_now);
    CHECK_EQ(params.on_deadline, VMRING_DEADLINE_NEUTRAL);
    CHECK_EQ(sim_params_parse("start=subscribe,on-deadline=pause", true,
                              &params, error, sizeof(error)),
             0);
    CHECK(!params.start_now);
    CHECK_EQ(params.on_deadline, VMRING_DEADLINE_PAUSE);
    return 0;
}
