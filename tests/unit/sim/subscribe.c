/* SPDX-License-Identifier: MIT */
/* Description: the guest runs while events are armed, and says which can be. */
#include "check.h"
#include "sim/guest.h"
#include "stub_producer.h"

static const char *const can[] = {"cr0",   "cr3",          "cr4",
                                  "msr",   "cpuid",        "breakpoint",
                                  "debug", "guest_request"};

static void check_supported(struct sim *sim)
{
    uint64_t mask = sim_producer_ops.supported(sim);
    struct vmring_kind kind;

    for (unsigned int i = 0; !vmring_get_kind(i, &kind); i++) {
        int expect = 0;

        for (unsigned int c = 0; c < sizeof(can) / sizeof(*can); c++)
            expect |= !strcmp(can[c], kind.name);
        CHECK_EQ(mask >> i & 1, expect);
    }
}

static void check_unsupported(struct sim *sim, const char *bad,
                              const char *text)
{
    struct vmring_spec specs[2];
    int results[2];
    char error[256] = "";

    CHECK_EQ(vmring_specs_parse("cr3", &specs[0], 1, NULL, 0), 1);
    CHECK_EQ(vmring_specs_parse(bad, &specs[1], 1, NULL, 0), 1);
    sim_producer_ops.subscribe(sim, specs, 2, results, error, sizeof(error));
    CHECK_EQ(results[0], VMRING_SPEC_ARMED);
    CHECK_EQ(results[1], VMRING_SPEC_UNSUPPORTED);
    CHECK_HAS(error, bad);
    CHECK_HAS(error, text);
    /* All or nothing. */
    CHECK(sim_producer_ops.quiet(sim));
}

static void check_start(void)
{
    struct vmring_producer p = {0};
    struct sim *sim;
    char error[256];

    CHECK_EQ(sim_open("vcpus=2,cr3=40,batch=3", &sim, error, 256), 0);
    sim_start(sim, &p);
    check_supported(sim);
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    check_unsupported(sim, "xcr0", "never raises it");
    check_unsupported(sim, "msr:0x10", "never writes such a register");
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, 0);

    stub_arm(sim, "cr3:async");
    CHECK(!sim_producer_ops.quiet(sim));
    CHECK_EQ(sim_run(sim), 0);
    CHECK_EQ(p.nr, 3);
    stub_arm(sim, "");
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    stub_arm(sim, "cr3:async");
    sim_run(sim);
    stub_arm(sim, "");
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, 6);

    /* Nothing is lost of it meanwhile. */
    stub_arm(sim, "cr3:async");
    stub_run_to_end(sim, &p);
    CHECK_EQ(p.nr, 80);
    sim_close(sim);
    stub_free(&p);
}

static void check_now(void)
{
    struct vmring_producer p = {0};
    struct sim *sim;
    char error[256];

    CHECK_EQ(sim_open("vcpus=2,cr3=40,start=now", &sim, error, 256), 0);
    sim_start(sim, &p);
    stub_run_to_end(sim, &p);
    CHECK_EQ(p.nr, 0);
    CHECK_EQ(sim->vcpus[1].passed, 40);
    sim_close(sim);

    CHECK_EQ(sim_open("count=10,start=now", &sim, error, 256), 0);
    sim_start(sim, &p);
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    sim_close(sim);
    stub_free(&p);
}

int main(void)
{
    check_start();
    check_now();
    return 0;
}
