#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: what lists of processes say of a bridge is whose it is, and
whether an agent is attached, in the sandbox too."""
import signal
import subprocess
import time

from setup import AGENT, PATIENCE, Bridge, check, finish


def title(pid):
    with open("/proc/%d/cmdline" % pid, "rb") as file:
        # As long as the command line was, libbsd ends it in a space.
        return file.read().split(b"\0")[0].decode("ascii").rstrip(" ")


def comes_to(pid, wanted):
    until = time.monotonic() + PATIENCE
    while title(pid) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    check(title(pid) == wanted, "'%s', not '%s'" % (title(pid), wanted))


bridge = Bridge("--linger", "0s", guest="vcpus=4,count=0,rate=50,name=web1",
                name="title")
pid = bridge.process.pid
comes_to(pid, "vmring-bridge: web1, 4 vCPUs, no agent")
for _ in range(2):
    agent = subprocess.Popen([AGENT, "-q", "-o", "/dev/null",
                              "local:" + bridge.path],
                             stderr=subprocess.DEVNULL)
    comes_to(pid, "vmring-bridge: web1, 4 vCPUs, 1 agent")
    agent.send_signal(signal.SIGINT)
    agent.wait(PATIENCE)
    comes_to(pid, "vmring-bridge: web1, 4 vCPUs, no agent")
check(bridge.end() == 0, "ending")

bridge = Bridge(guest="vcpus=1,count=0,name=100%s", name="percent")
comes_to(bridge.process.pid, "vmring-bridge: 100%s, 1 vCPU, no agent")
check(bridge.end() == 0, "ending")
finish()
