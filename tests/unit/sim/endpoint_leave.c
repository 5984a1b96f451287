/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer may leave a sim: endpoint at any time; no hang; and
 * hears of a truth that cannot be written.
 */
#include "check.h"
#include "vmring.h"

#include <errno.h>

static char said[256];

static void note(void *ctx, int level, const char *text)
{
    (void)ctx;
    if (level <= 3)
        snprintf(said, sizeof(said), "%s", text);
}

static void leave_after(const char *uri, const char *events, int nr)
{
    char error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts),
        .log = note,
        .error = error,
        .error_len = sizeof(error),
    };
    struct vmring_event event;
    struct vmring *ring;
    int err = vmring_open(uri, &opts, &ring);

    CHECK_STR(error, "");
    CHECK_EQ(err, 0);
    if (events)
        CHECK(vmring_subscribe(ring, events, NULL, error, 256) > 0);
    while (nr) {
        err = vmring_next(ring, &event);
        CHECK(err >= 0);
        nr -= err == VMRING_NEXT_EVENT;
    }
    vmring_close(ring);
}

static void refused(const char *uri, int expect, const char *text)
{
    char error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts),
        .error = error,
        .error_len = sizeof(error),
    };
    struct vmring *ring;

    CHECK_EQ(vmring_open(uri, &opts, &ring), expect);
    CHECK_HAS(error, text);
}

int main(void)
{
    leave_after("sim:", NULL, 0);
    leave_after("sim:vcpus=8,count=0", "cpuid", 5);
    leave_after("sim:vcpus=8,count=0", "cr3:async", 500);
    leave_after("sim:vcpus=8,count=0,rate=100", "cr3:async", 5);
    leave_after("sim:vcpus=8,cpuid=1,deadline=3600000,on-deadline=pause",
                "cpuid", 8);
    refused("sim:vcpus=0", -EINVAL, "vcpus=1 to 4096");
    refused("sim:truth=/nowhere/at/all", -EIO, "create its folder");
    refused("sim:truth=/tmp", -EIO, "can be written");
    CHECK_STR(said, "");
    leave_after("sim:truth=/dev/full", "cpuid", 5);
    CHECK_HAS(said, "cannot write the file of truth=");
    return 0;
}
