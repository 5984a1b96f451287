/* SPDX-License-Identifier: MIT */
/*
 * title.c: what lists of processes say: with many bridges on a host,
 * which is whose.  Nothing but memory is written, so it works in the sandbox.
 */
#include <bsd/unistd.h>

#include "../../terminal/visible.h"
#include "state.h"

void bridge_title(const struct bridge *bridge, bool attached)
{
    char target[VISIBLE_ROOM(sizeof(bridge->info.title))];

    visible(target, sizeof(target), bridge->info.title);
    setproctitle("%s, %u vCPU%s, %s", target, bridge->info.nr_vcpus,
                 bridge->info.nr_vcpus == 1 ? "" : "s",
                 attached ? "1 agent" : "no agent");
}
