#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: a terminal, pipe or socket that nobody reads holds no bridge:
not its lines, its statistics or its ready line, whatever a peer has it say."""
import os
import socket
import subprocess
import time

from setup import (Bridge, agent, check, connect, fail, finish, junk,
                   no_reader, works)


def full_socket():
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    try:
        while True:
            theirs.send(b"x" * 4096)
    except BlockingIOError:
        pass
    theirs.setblocking(True)
    return ours.detach(), theirs.detach()


def full_pipe():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x")
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    return reader, writer


def lines(name, make):
    ours, theirs = make()
    bridge = Bridge("-v", stderr=theirs, name="lines-" + name.replace(" ", "-"))
    # Each session is some lines with -v, and so is each that is refused.
    junk(bridge, 400)
    for _ in range(20):
        agent(bridge, "-e", "cpuid", "-n", "1")
    works(bridge, "lines to a stalled " + name)
    try:
        check(bridge.end() == 0, "SIGTERM, lines to a stalled " + name)
        numbers = bridge.numbers()
        check(numbers["verdicts"]["deadline"] == 0,
              "a vCPU was held past its deadline, stalled " + name)
        print("stalled %s: longest turn %.3f ms" %
              (name, numbers.get("turns", {}).get("longest_ns", 0) / 1e6))
    except subprocess.TimeoutExpired:
        fail("SIGTERM does not end it: lines to a stalled " + name)
        bridge.process.kill()
    os.close(ours)
    os.close(theirs)


def statistics(name, make):
    ours, theirs = make()
    bridge = Bridge("--stats", "-", stdout=theirs, name="stats-" + name)
    works(bridge, "statistics to a stalled " + name)
    try:
        check(bridge.end() == 12, "statistics to a stalled %s: not 12" % name)
    except subprocess.TimeoutExpired:
        fail("statistics to a stalled %s hold it" % name)
        bridge.process.kill()
    os.close(ours)
    os.close(theirs)


def ready():
    ours, theirs = full_pipe()
    bridge = Bridge("--ready-fd", str(theirs), pass_fds=[theirs], wait=False,
                    name="ready")
    for _ in range(600):
        try:
            connect(bridge).close()
            break
        except OSError:
            time.sleep(0.1)
    works(bridge, "a ready line to a full pipe")
    check(bridge.end() == 0, "a ready line to a full pipe")
    check("cannot write to --ready-fd" in bridge.says(), bridge.says())
    os.close(ours)
    os.close(theirs)


def limited():
    """What a peer can have it say again and again is said a few times."""
    bridge = Bridge("-v", name="limited")
    junk(bridge, 300)
    check(bridge.end() == 0, "ending after junk")
    said = bridge.says()
    check(said.count("\n") < 100, "%d lines of junk" % said.count("\n"))
    check("more lines like" in said, "what was not said is not told: " + said)


# It polls writable, and sleeps in write(), once a line finds no room there.
lines("unread terminal", os.openpty)
lines("terminal", no_reader)
lines("pipe", full_pipe)
lines("socket", full_socket)
statistics("terminal", no_reader)
statistics("pipe", full_pipe)
ready()
limited()
finish()
