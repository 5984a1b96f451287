#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""client.py BRIDGE CLIENT: a consumer that was written from the documents alone
against vmring-bridge, with a simulated guest: what it took is what the bridge
says, whether it stays to the end, falls behind or goes without a word."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

BRIDGE, CLIENT = sys.argv[1:3]
# Seconds for what takes one or two: this machine may be busy.
LIMIT = 60
# And for what takes none: a bell that is not rung passes it, no busy machine.
DEADLINE = "20s"
STRANGER = 65534
failures = 0


def check(what, ok, got=None):
    global failures
    if not ok:
        failures += 1
        print(f"FAILED: {what}: {got}", flush=True)


class Served:
    """A bridge with a guest, and what it counted once it has ended."""

    def __init__(self, guest, *options):
        self.folder = tempfile.TemporaryDirectory()
        # A stranger finds all of it, and is refused by its credentials.
        os.chmod(self.folder.name, 0o755)
        self.program = shutil.copy(CLIENT, self.folder.name)
        self.path = os.path.join(self.folder.name, "socket")
        self.stats = os.path.join(self.folder.name, "stats")
        self.truth = os.path.join(self.folder.name, "truth")
        ready, theirs = os.pipe()
        self.bridge = subprocess.Popen(
            [BRIDGE, "-q", f"--stats={self.stats}", f"--ready-fd={theirs}",
             f"--listen=local:{self.path}", *options,
             f"sim:{guest},truth={self.truth}"],
            pass_fds=[theirs], stderr=subprocess.DEVNULL)
        os.close(theirs)
        check("the bridge starts", os.read(ready, 4096) != b"")
        os.close(ready)
        os.chmod(self.path, 0o666)

    def client(self, *words, user=None):
        ended = subprocess.run([self.program, self.path, *words], text=True,
                               stdout=subprocess.PIPE, timeout=LIMIT,
                               user=user)
        check(f"client {' '.join(words)}", ended.returncode == 0,
              ended.returncode)
        return json.loads(ended.stdout) if ended.stdout else {}

    def counts(self):
        self.bridge.wait(LIMIT)
        with open(self.stats, encoding="utf-8") as file:
            return json.load(file)

    def guest(self):
        with open(self.truth, encoding="utf-8") as file:
            return json.load(file)


def to_the_end(guest, *words):
    served = Served(guest, f"--deadline={DEADLINE}")
    took, counts = served.client(*words), served.counts()
    for name in ("requests", "records"):
        lost = took["lost"] if name == "records" else 0
        check(f"{name} of {words}", took[name] + lost == counts[name],
              (took, counts))
    check("answered", took["answered"] == counts["verdicts"]["consumer"] ==
          counts["requests"], (took, counts))
    return took, served.guest()


def main():
    took, _ = to_the_end("vcpus=2,count=3000", "cr3:async cpuid")
    check("requests come", took["requests"] > 0, took)
    # Both sleep most of the time: who is not rung has a deadline pass.
    to_the_end("vcpus=2,count=100,rate=300", "cr3:async cpuid")
    took, guest = to_the_end("vcpus=5,count=3000", "cr3:async cr4 cpuid",
                             "groups=3", "deny=1")
    denied = sum(row["denied"] for row in guest["guest"])
    check("writes are denied", denied > 0, guest)
    to_the_end("vcpus=70,count=100", "cr3:async cpuid", "groups=2")
    # Smaller than what comes: the newest is lost, or the oldest.
    for policy in ("policy=0", "policy=1"):
        to_the_end("vcpus=3,count=20000", "cr3:async", "async=8192", policy)

    served = Served("vcpus=2,count=10")
    refused = served.client("cpuid", "async=1")
    check("too small is refused, with the limits", refused == {
        "refused": 4, "vcpus": 2, "least": 2 * 2 * 448,
        "most": refused.get("most")}, refused)
    if os.geteuid() == 0:
        refused = served.client("cpuid", user=STRANGER)
        check("who is not let in learns nothing", refused == {
            "refused": 11, "vcpus": 0, "least": 0, "most": 0}, refused)
    served.client("cpuid")
    served.counts()

    served = Served("vcpus=4,count=3000,rate=20000", "--deadline=200")
    served.client("cr3:async cpuid", "leave=2000")
    time.sleep(0.3)
    took, counts = served.client("cr3:async cpuid"), served.counts()
    check("what was left is drained", took["drained"] > 0, took)
    check("two came", counts["consumers"] == 2, counts)

    print(f"{failures} failures")
    sys.exit(1 if failures else 0)


main()
