#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""steps.py BUILD: instructions that Xen takes to raise an event.

Runs the scenario native_steps in the lab, and counts by QEMU's debugger
interface, one step at a time: from the call of monitor_traps() until it
returns.  Interrupts wait meanwhile, and so does the other CPU.  An instruction
that repeats itself (rep movs) counts once.  Prints a table of medians, quartiles
and the number of events; 1 where the scenario failed, or nothing was counted.
"""
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

EVENTS = 25      # of each kind
LONGEST = 20000  # instructions: the other CPU has the lock that is waited for
RIP, RSP = 16, 7


class Debugger:
    """QEMU's, by the remote protocol of gdb."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(100):
            try:
                self.socket.connect(path)
                break
            except OSError:
                time.sleep(0.1)
        self.socket.settimeout(60)
        self.bytes = b""
        # Connecting stops the machine, and says so.
        self.receive()
        # Without having read which there are, single registers are not told.
        self.ask("qXfer:features:read:target.xml:0,ff")
        self.send("c")

    def send(self, text):
        data = text.encode()
        self.socket.sendall(b"$%s#%02x" % (data, sum(data) % 256))

    def receive(self):
        while True:
            found = re.search(rb"\$([^#]*)#..", self.bytes)
            if found:
                self.bytes = self.bytes[found.end():]
                self.socket.sendall(b"+")
                return found.group(1).decode()
            self.bytes += self.socket.recv(65536)

    def ask(self, text):
        self.send(text)
        return self.receive()

    def stop(self):
        self.socket.sendall(b"\x03")
        return self.receive()

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")

    def word(self, at):
        return int.from_bytes(bytes.fromhex(self.ask(f"m{at:x},8")), "little")


def thread_of(stopped):
    return re.search(r"thread:([^;]+);", stopped).group(1)


def count_one(debugger, thread):
    """From a function's first instruction until it has returned."""
    debugger.ask(f"Hg{thread}")
    stack = debugger.register(RSP)
    back, at = debugger.word(stack), debugger.register(RIP)
    steps = 0
    while steps < LONGEST:
        debugger.ask(f"vCont;s:{thread}")
        before, at = at, debugger.register(RIP)
        steps += before != at
        if at == back and debugger.register(RSP) > stack:
            return steps
    return None


def count(debugger, address):
    counts = []
    debugger.stop()
    debugger.ask(f"Z0,{address:x},1")
    while len(counts) < EVENTS:
        debugger.send("c")
        steps = count_one(debugger, thread_of(debugger.receive()))
        if steps:
            counts.append(steps)
    debugger.ask(f"z0,{address:x},1")
    debugger.send("c")
    return counts


def table(run, path):
    """A row for each time that the scenario says that it waits."""
    rows, debugger = [], None
    for line in run.stdout:
        sys.stderr.write(line)
        found = re.match(r"count (.*): ([0-9a-f]+)\s*$", line)
        if not found:
            continue
        debugger = debugger or Debugger(path)
        counts = count(debugger, int(found.group(2), 16))
        first, middle, third = statistics.quantiles(counts)
        rows.append(f"| {found.group(1)} | {middle:.0f} | "
                    f"{first:.0f}-{third:.0f} | {len(counts)} |")
    run.wait()
    return rows


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lab")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "gdb")
        run = subprocess.Popen(
            [lab, "run", "--bin", sys.argv[1], "native_steps"],
            env=dict(os.environ, LAB_QEMU_ARGS=
                     f"-gdb unix:path={path},server=on,wait=off"),
            stdout=subprocess.PIPE, text=True, errors="replace")
        try:
            rows = table(run, path)
        finally:
            run.terminate()
            status = run.wait()
    print("| monitor_traps() | instructions | quartiles | events |\n"
          "|---|--:|--:|--:|")
    print("\n".join(rows))
    sys.exit(1 if status or not rows else 0)


if __name__ == "__main__":
    main()
