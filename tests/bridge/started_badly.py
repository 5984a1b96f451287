#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: whatever descriptors it is started with, or without, a bridge
or an agent has its own where they belong, and no other."""
import os
import resource
import subprocess
import time

from setup import (AGENT, BRIDGE, IS_ROOT, Bridge, check, finish, folder,
                   works)


def descriptors(pid):
    there = "/proc/%d/fd" % pid
    return {int(fd): os.readlink(os.path.join(there, fd))
            for fd in os.listdir(there)}


def close_standard():
    for fd in (0, 1, 2):
        os.close(fd)


bridge = Bridge(name="closed", preexec_fn=close_standard)
works(bridge, "started without descriptors 0 to 2")
for fd in (0, 1, 2) if IS_ROOT else ():
    has = descriptors(bridge.process.pid).get(fd)
    check(has == "/dev/null", "descriptor %d is %s" % (fd, has))
check(bridge.end() == 0, "ending without descriptors 0 to 2")

# What cannot be shown is told.
with open("/dev/full", "w") as full:
    for option in "--help", "--usage", "--version":
        run = subprocess.run([BRIDGE, option], stdout=full,
                             stderr=subprocess.PIPE)
        check(run.returncode == 12 and b"No space left" in run.stderr,
              "%s to a full disk: %s" % (option, run))

# Of any number: a file, and a folder that is a way out of its root.
secret = os.path.join(folder, "secret")
with open(secret, "w") as file:
    file.write("secret")
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
top = min(hard, 4096)
resource.setrlimit(resource.RLIMIT_NOFILE, (top, hard))
given = [7, 1023, 1024, top - 1]
sources = [os.open(secret, os.O_RDONLY), os.open("/", os.O_RDONLY)]
for place, fd in enumerate(given):
    os.dup2(sources[place % 2], fd, inheritable=True)


def has_none(process, what):
    if not IS_ROOT:
        return
    for fd, to in descriptors(process.pid).items():
        check(to not in (secret, "/"), "%s has %s, as %d" % (what, to, fd))


bridge = Bridge(name="given", pass_fds=given)
works(bridge, "started with descriptors")
has_none(bridge.process, "the bridge")
check(bridge.end() == 0, "ending")

events = os.path.join(folder, "events")
watcher = subprocess.Popen([AGENT, "-o", events, "sim:count=0,rate=100"],
                           pass_fds=given)
end = time.monotonic() + 60
while not os.path.exists(events) or not os.path.getsize(events):
    if time.monotonic() > end:
        break
    time.sleep(0.05)
has_none(watcher, "the agent")
watcher.terminate()
check(watcher.wait(timeout=60) == 0, "the agent")

finish()
