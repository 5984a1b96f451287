#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: every signal that can be caught, but those of a fault, is
ignored by a bridge or ends it in order."""
import signal
import subprocess

from setup import Bridge, check, fail, finish, works

ENDING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU"]
# A fault of its own; and what no process can do anything about.
FAULTS = ["SIGILL", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGSYS"]
NEVER = ["SIGKILL", "SIGSTOP"]


def name_of(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number


def goes_on(number, bridge):
    name = name_of(number)
    bridge.process.send_signal(number)
    try:
        status = bridge.process.wait(timeout=0.05)
        fail("%s ends a bridge with %d" % (name, status))
        return Bridge(name="next-%d" % number)
    except subprocess.TimeoutExpired:
        state = open("/proc/%d/stat" % bridge.process.pid).read().rsplit(")")[1]
        if state.split()[0] == "T":
            fail("%s stops a bridge" % name)
            bridge.process.send_signal(signal.SIGCONT)
        return bridge


bridge = Bridge(name="ignores")
ignored = 0
# glibc has two for itself, 32 and 33.
for number in range(1, 65):
    if number in (32, 33) or name_of(number) in ENDING + FAULTS + NEVER:
        continue
    bridge = goes_on(number, bridge)
    ignored += 1
works(bridge, "after %d signals" % ignored)
check(bridge.end() == 0, "SIGTERM after all others")

for name in ENDING:
    bridge = Bridge(name=name)
    works(bridge, name)
    bridge.process.send_signal(getattr(signal, name))
    status = bridge.ends()
    check(status == 0 and bridge.numbers()["verdicts"]["consumer"] >= 50,
          "%s: it ends with %d" % (name, status))

# Again and again, until it has gone: the last moments are in order, too.
for i in range(20):
    bridge = Bridge(name="rain-%d" % i)
    while bridge.process.poll() is None:
        bridge.process.send_signal(signal.SIGTERM)
    status = bridge.ends()
    check(status == 0, "signals without end: it ends with %d" % status)

# Who starts it may have blocked or ignored them.
bridge = Bridge(name="deaf", preexec_fn=lambda: (
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)),
    signal.signal(signal.SIGTERM, signal.SIG_IGN)))
try:
    check(bridge.end() == 0, "SIGTERM that was blocked before")
except subprocess.TimeoutExpired:
    fail("deaf to SIGTERM, as whoever started it")

# nohup(1) is meant.
bridge = Bridge(name="nohup", preexec_fn=lambda: signal.signal(
    signal.SIGHUP, signal.SIG_IGN))
bridge = goes_on(signal.SIGHUP, bridge)
works(bridge, "after a hang-up under nohup")
check(bridge.end() == 0, "ending under nohup")
finish()
