# SPDX-License-Identifier: MIT
"""What the tests of the agent in Python have in common."""
import contextlib
import sys
import threading

build = sys.argv[1]
AGENT = build + "/agent/vmring-agent"
BRIDGE = build + "/bridge/vmring-bridge"
# An endless guest, at leisure.
ENDLESS = "sim:vcpus=4,count=1000000000,rate=2000"
# Seconds for what takes one or two: this machine may be busy.
LIMIT = 60
failures = []


def check(what, ok, got=""):
    if not ok:
        failures.append(what)
        print("FAILED: %s: %s" % (what, str(got)[:2000]), flush=True)


@contextlib.contextmanager
def ended_in_time(process):
    """A process from whose output is read: not for longer than LIMIT."""
    killer = threading.Timer(LIMIT, process.kill)
    killer.start()
    try:
        yield
    finally:
        killer.cancel()


def finish():
    sys.exit(1 if failures else 0)
