/* SPDX-License-Identifier: MIT */
/* Description: keys of a simulated guest: taken, refused with the remedy. */
#include "sim/params.h"
#include "check.h"
#include "vmring.h"

#include <errno.h>

static const struct {
    const char *text, *cause, *remedy;
} bad[] = {
    {"foo=1", "unknown key 'foo'", "'; sim:help lists them"},
    {"vcpu", "unknown key 'vcpu'", "; did you mean vcpus? sim:help lists"},
    {"hel", "unknown key 'hel'", "'; did you mean help? sim:help lists"},
    {"vcpus=1,help", "unknown key 'help'", "'; sim:help lists them"},
    {"verdcits=all", "unknown key 'verdcits'", "did you mean verdicts?"},
    {"=", "unknown key ''", "sim:help lists them"},
    {"vcpus", "bad value in 'vcpus'", "vcpus=1 to 4096"},
    {"vcpus=0", "bad value in 'vcpus=0'", "vcpus=1 to 4096"},
    {"vcpus=4097", "bad value", "vcpus=1 to 4096"},
    {"vcpus=4x", "bad value", "vcpus=1 to 4096"},
    {"vcpus=4=5", "bad value", "vcpus=1 to 4096"},
    {"vcpus=2,count=1,vcpus=2", "given twice", "leave one out"},
    {"count=-1", "bad value", "count=0 to 2^40"},
    {"rate=1000000001", "bad value", "rate=0 to 1000000000"},
    {"seed=18446744073709551616", "bad value", "seed=0"},
    {"batch=0", "bad value", "batch=1 to 4096"},
    {"mix=", "bad value", "mix=KIND:WEIGHT"},
    {"mix=cpuid", "bad value", "kinds cpuid"},
    {"mix=cpuid:0", "bad value", "weights 1"},
    {"mix=cpuid:1/cpuid:2", "bad value", "weights 1"},
    {"mix=cpuid:1/", "bad value", "weights 1"},
    {"mix=foo:1", "bad value", "kinds cpuid"},
    {"start=later", "bad value", "start=subscribe or now"},
    {"truth=", "bad value", "truth=FILE"},
    {"name=a\"b", "bad value", "name=TEXT"},
    {"cpuid=5,count=3", "contradiction: 'count'", "give count and mix, or"},
    {"mix=cr3:1,cpuid=5", "contradiction: 'mix'", "give count and mix, or"},
    {"deadline=0", "bad value", "deadline=1 to"},
    {"verdicts=deny+inject", "bad value", "verdicts=NAME/NAME"},
    {"on-deadline=foo", "bad value", "on-deadline=neutral or pause"},
    {"max-async=1", "bad value", "max-async=256"},
};

static void check_good(void)
{
    struct sim_params p;
    char error[256];

    CHECK_EQ(sim_params_parse("", false, &p, error, 256), 0);
    CHECK_EQ(p.nr_vcpus, 4);
    CHECK_EQ(p.count, 1000);
    CHECK(!p.counted && !p.start_now);
    CHECK_STR(p.name, "sim");

    CHECK_EQ(sim_params_parse("vcpus=16,cpuid=1000,cr4=0x10,rate=7,seed=9,"
                              "start=now,truth=/tmp/a b,name=web 1,msrnr=0x174",
                              false, &p, error, 256),
             0);
    CHECK(p.counted && p.start_now);
    CHECK_EQ(p.asked[SIM_CPUID], 1000);
    CHECK_EQ(p.asked[SIM_CR4], 16);
    CHECK_EQ(p.asked[SIM_CR3], 0);
    CHECK_EQ(p.msr, 0x174);
    CHECK_STR(p.truth, "/tmp/a b");
    CHECK_STR(p.name, "web 1");

    CHECK_EQ(sim_params_parse("mix=cpuid:3/cr3:5,count=0,deadline=250,"
                              "on-deadline=pause,verdicts=deny/inject",
                              true, &p, error, 256),
             0);
    CHECK_EQ(p.weight[SIM_CPUID], 3);
    CHECK_EQ(p.weight[SIM_CR3], 5);
    CHECK_EQ(p.weight[SIM_MSR], 0);
    CHECK_EQ(p.deadline_ms, 250);
    CHECK_EQ(p.on_deadline, VMRING_DEADLINE_PAUSE);
    CHECK_EQ(p.verdicts, XEN_VM_RING_VERDICT_DENY | XEN_VM_RING_VERDICT_INJECT);
    for (unsigned int k = 0; k < NR_SIM_WORK; k++)
        CHECK(sim_work_name(k));
}

/* A line of each key, with what it is by default, but for those of an agent. */
static void check_help(bool endpoint, const char *without)
{
    static const char *const lines[] = {
        "  vcpus        1 to 4096          4          ",
        "  count        0 to 2^40          1000       ",
        "  batch        1 to 4096          256        ",
        "  seed         0 to 2^64 - 1      1          ",
        "  start        subscribe or now   subscribe  ",
        "  db           0 to 2^40          -          ",
        "mix=cpuid:4/cr0:1/cr3:60/",
        "  deadline     1 to 3600000 ms    1000       ",
        "  max-async    256 to 2^30 bytes  67108864   ",
    };
    char all[4096] = "", line[VMRING_LINE];
    int len;

    for (unsigned int i = 0; (len = sim_params_help(endpoint, i, line)) >= 0;
         i++) {
        CHECK(len > 0 && len < VMRING_LINE);
        CHECK_EQ(strlen(line), len);
        strcat(strcat(all, "\n"), line);
    }
    CHECK_EQ(len, -ENOENT);
    for (unsigned int i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        if (!endpoint && i >= 7)
            CHECK(!strstr(all, lines[i]));
        else
            CHECK_HAS(all, lines[i]);
    }
    CHECK(!*without || !strstr(all, without));
}

int main(void)
{
    struct sim_params p;
    char error[256];

    check_good();
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CHECK_EQ(sim_params_parse(bad[i].text, true, &p, error, 256), -EINVAL);
        CHECK_HAS(error, bad[i].cause);
        CHECK_HAS(error, bad[i].remedy);
        CHECK_EQ(sim_params_parse(bad[i].text, true, &p, NULL, 0), -EINVAL);
    }
    /* What belongs to the endpoint is not a key of the guest. */
    CHECK_EQ(sim_params_parse("deadline=5", false, &p, error, 256), -EINVAL);
    CHECK_HAS(error, "unknown key 'deadline'");
    CHECK_EQ(sim_params_parse("verdict=all", false, &p, error, 256), -EINVAL);
    CHECK(!strstr(error, "did you mean"));
    check_help(false, "deadline");
    check_help(true, "");
    return 0;
}
