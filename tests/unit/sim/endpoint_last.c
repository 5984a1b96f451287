/* SPDX-License-Identifier: MIT */
/* Description: what a guest raises just before its end arrives before it. */
#include "check.h"
#include "vmring.h"

#include <errno.h>

static void run(void)
{
    struct vmring_opts opts = {.size = sizeof(opts)};
    struct vmring_event event;
    struct vmring *ring;
    int nr = 0, ret;
    char error[256];

    CHECK_EQ(vmring_open("sim:vcpus=8,count=1", &opts, &ring), 0);
    CHECK_EQ(vmring_subscribe(ring, "cr3:async", NULL, error, 256), 1);
    while ((ret = vmring_next(ring, &event)) >= 0)
        nr += ret == VMRING_NEXT_EVENT;
    CHECK_EQ(ret, -ESRCH);
    CHECK_EQ(nr, 8);
    vmring_close(ring);
}

int main(void)
{
    /* The end comes while the consumer looks, in some of them. */
    for (int i = 0; i < 1000; i++)
        run();
    return 0;
}
