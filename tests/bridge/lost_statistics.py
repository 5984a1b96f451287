#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: statistics that cannot be written have their status, also when
the target has ended, and no other is hidden by it."""
import os

from setup import Bridge, agent, check, finish, folder

ENDS = "vcpus=2,cpuid=50"
ENDLESS = "vcpus=2,count=0"


for guest in (ENDS, ENDLESS):
    bridge = Bridge("--stats", "/dev/full", guest=guest, name="full")
    if guest == ENDS:
        agent(bridge, "-e", "cpuid")
        status = bridge.ends()
    else:
        status = bridge.end()
    check(status == 12, "full disk, %s: status %d" % (guest, status))
    check("cannot write the statistics to" in bridge.says(), bridge.says())

bridge = Bridge("--stats", "-", guest=ENDS, name="closed",
                preexec_fn=lambda: os.close(1), wait=False)
check(bridge.ends() == 12, "a closed standard output")
bridge = Bridge("--stats", os.path.join(folder, "file"), guest=ENDS,
                name="good")
agent(bridge, "-e", "cpuid")
check(bridge.ends() == 3, "a target that has ended")
finish()
