#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: limits of memory, file size and descriptors: the bridge says
so, a consumer that asks for too much is refused, and nobody is killed."""
import os
import re
import resource
import subprocess
import sys

from setup import (AGENT, BRIDGE, Bridge, agent, check, finish, folder,
                   works)

NOBODY = 65534
MIB = 1 << 20


def limited(what, value):
    """Run as somebody who cannot raise it."""
    def set_it():
        resource.setrlimit(what, (value, value))
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    return set_it


def asks(bridge, size):
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    run = user if os.geteuid() == 0 else {}
    return agent(bridge, "-e", "cpuid", "-n", "10", "--async-bytes", size,
                 **run)


def refused(bridge, size, what):
    status, said = asks(bridge, size)
    check(status == 8 and "the maximum" in said,
          "%s: status %d: %s" % (what, status, said))
    status, said = asks(bridge, "64k")
    check(status == 0, "%s, less: status %d: %s" % (what, status, said))
    check(bridge.process.poll() is None, "%s ends the bridge" % what)


if os.geteuid() == 0:
    os.chmod(folder, 0o777)
    try:
        subprocess.run([AGENT, "--version"], check=True, user=NOBODY,
                       group=NOBODY, extra_groups=[],
                       stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        print("another user cannot get to", AGENT)
        sys.exit(77)
mode = ("--mode", "0666")

# What is allowed, by option and by default.
bridge = Bridge("--max-async-bytes", "1m", *mode, name="option")
refused(bridge, "2m", "--max-async-bytes 1m")
check(asks(bridge, "1m")[0] == 0, "just as much as is allowed")
check(bridge.end() == 0, "ending")
bridge = Bridge(*mode, name="default")
refused(bridge, "65m", "more than 64 MiB")
check(bridge.end() == 0, "ending")
for text in ("0", "-1", "k", "1x", "1kk", "", " 1", "2g", "99999999999g",
             "18446744073709551616"):
    done = subprocess.run([BRIDGE,
                           "--max-async-bytes", text, "sim:count=1"],
                          stderr=subprocess.PIPE, check=False)
    check(done.returncode == 2 and b"--max-async-bytes " in done.stderr,
          "--max-async-bytes '%s': %d, %s" % (text, done.returncode,
                                              done.stderr))

# What is granted to a domain is made in one turn.
done = subprocess.run([BRIDGE, "--to", "1", "--max-async-bytes", "65m",
                       "sim:count=1"], stderr=subprocess.PIPE, check=False)
check(done.returncode == 2 and b"64m or less" in done.stderr,
      "--to and 65m: %d, %s" % (done.returncode, done.stderr))

# Nobody could attach by less than the smallest ring.
done = subprocess.run([BRIDGE, "--max-async-bytes", "1", "sim:vcpus=3"],
                      stderr=subprocess.PIPE, check=False)
least = re.search(rb"smallest ring of sim, (\d+);", done.stderr)
check(done.returncode == 2 and least,
      "--max-async-bytes 1: %d, %s" % (done.returncode, done.stderr))
bridge = Bridge("--max-async-bytes", least.group(1).decode(), *mode,
                name="least", guest="vcpus=3,count=0,rate=500")
check(asks(bridge, least.group(1).decode())[0] == 0, "the smallest ring")
check(bridge.end() == 0, "ending")

# The kernel's limits of this process.
bridge = Bridge(*mode, name="file-size",
                preexec_fn=limited(resource.RLIMIT_FSIZE, MIB))
bridge.comes_to_say("ulimit -f")
refused(bridge, "8m", "RLIMIT_FSIZE")
check(bridge.end() == 0, "ending")

bridge = Bridge(*mode, name="space",
                preexec_fn=limited(resource.RLIMIT_AS, 90 * MIB))
bridge.comes_to_say("ulimit -v")
refused(bridge, "64m", "RLIMIT_AS")
check(bridge.end() == 0, "ending")

bridge = Bridge(*mode, name="cpu",
                preexec_fn=limited(resource.RLIMIT_CPU, 100))
bridge.comes_to_say("ulimit -t")
check(bridge.end() == 0, "ending")

bridge = Bridge(*mode, name="files", wait=False,
                preexec_fn=limited(resource.RLIMIT_NOFILE, 64))
check(bridge.ends() == 1 and "ulimit -n" in bridge.says() and
      bridge.says().count("\n") == 1, "descriptors: " + bridge.says())

# A soft limit is no limit where it may be raised.
bridge = Bridge(*mode, name="soft", preexec_fn=lambda: resource.setrlimit(
    resource.RLIMIT_NOFILE,
    (32, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
works(bridge, "a low soft limit")
check(bridge.end() == 0, "ending")

# The kernel kills anything else first, as far as this user may say so.
bridge = Bridge(name="protected")
adjusted = int(open("/proc/%d/oom_score_adj" % bridge.process.pid).read())
if os.geteuid() == 0:
    try:
        with open("/proc/self/oom_score_adj", "w") as ours:
            ours.write("-1000")
        check(adjusted == -1000, "its oom_score_adj is %d" % adjusted)
    except OSError:
        print("not even root may protect a process here")
check(bridge.end() == 0, "ending")
finish()
