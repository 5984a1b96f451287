#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: a bridge that ends, by a signal or with its target, lets an agent
# take what is left and its counts for as long as --farewell says; the agent
# tells an orderly end from a lost bridge.
import json
import os
import signal
import subprocess
import tempfile
import time

from setup import AGENT, BRIDGE, ENDLESS, LIMIT, check, finish


class Pair:
    """A bridge, and an agent that has shown its first event."""

    def __init__(self, target, bridge=(), agent=()):
        self.folder = tempfile.TemporaryDirectory()
        where = "local:" + self.folder.name + "/socket"
        ready, told = os.pipe()
        self.bridge = subprocess.Popen(
            [BRIDGE, "--quiet", "--ready-fd", str(told), "--listen", where,
             *bridge, target], pass_fds=[told], stderr=subprocess.PIPE)
        os.close(told)
        os.read(ready, 200)
        os.close(ready)
        self.ledger = self.folder.name + "/ledger"
        self.agent = subprocess.Popen(
            [AGENT, "--ledger-json", self.ledger, *agent, where],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check("it shows events", self.agent.stdout.readline())

    def end(self, what, bridge, agent):
        self.begun = time.monotonic()
        said = self.bridge.communicate(timeout=LIMIT)[1]
        self.took = time.monotonic() - self.begun
        check(what + ": the bridge's status", self.bridge.returncode == bridge,
              (self.bridge.returncode, said))
        self.agent.send_signal(signal.SIGCONT)
        line = self.agent.communicate(timeout=LIMIT)[1]
        check(what + ": the agent's status", self.agent.returncode == agent,
              (self.agent.returncode, line))
        check(what + ": one line", line.count(b"\n") == 1, line)
        with open(self.ledger) as file:
            ledger = json.load(file)["ledger"]
        self.folder.cleanup()
        return said, line, ledger


def signalled():
    for agent in ([], ["--workers", "2"], ["-e", "cr3:async", "--slow", "500"]):
        pair = Pair(ENDLESS, agent=agent)
        pair.bridge.send_signal(signal.SIGTERM)
        _, line, ledger = pair.end("SIGTERM %s" % agent, 0, 16)
        check("its line", b"has ended in order" in line, line)
        check("its ledger", ledger["adds_up"] is True and
              ledger["ending"] == "producer" and
              ledger["totals"]["attempted"] > 0, ledger)


def slow():
    # 128 records are left, at 20 ms each.
    room = ["--async-bytes", "57344", "-e", "cr4:async"]
    pair = Pair("sim:vcpus=1,cr4=500", agent=[*room, "--slow", "20000"])
    said, _, ledger = pair.end("a slow agent", 3, 3)
    check("nobody hung up", b"hanging up" not in said, said)
    check("all is told", ledger["adds_up"] is True and
          ledger["totals"]["delivered"] == 128, ledger)
    # One that is too slow for this bridge has what was published, no counts.
    pair = Pair("sim:vcpus=1,cr4=500", bridge=["--farewell", "1"],
                agent=[*room, "--slow", "30000"])
    said, _, ledger = pair.end("too slow an agent", 3, 3)
    check("it is told", b"not detached within 1 s" in said, said)
    check("the ledger tells", ledger["adds_up"] is None and
          "0 records were not handed over" in ledger["why"] and
          ledger["totals"]["delivered"] == 128, ledger)


def stopped():
    pair = Pair(ENDLESS, bridge=["--farewell", "1", "--deadline", "50"])
    pair.agent.send_signal(signal.SIGSTOP)
    pair.bridge.send_signal(signal.SIGTERM)
    said, line, ledger = pair.end("a stopped agent", 0, 16)
    check("hung up on", b"not detached within 1 s" in said, said)
    check("it learns so", b"has ended in order" in line and
          ledger["adds_up"] is None, (line, ledger))
    # With lanes that are full, of which the bridge goes on to fill one.
    for workers in ([], ["--workers", "4"]):
        pair = Pair("sim:vcpus=16,count=1000000000,rate=3000",
                    bridge=["--farewell", "1", "--deadline", "50"],
                    agent=["-e", "cpuid cr4:async", *workers])
        pair.agent.send_signal(signal.SIGSTOP)
        time.sleep(1)
        pair.bridge.send_signal(signal.SIGTERM)
        _, _, ledger = pair.end("one stopped amid records", 0, 16)
        check("all are handed over %s" % workers, ledger["adds_up"] is None and
              " 0 records were not handed over" in ledger["why"], ledger)
    # A second signal does not wait.
    pair = Pair(ENDLESS, bridge=["--farewell", "50", "--deadline", "50"])
    pair.agent.send_signal(signal.SIGSTOP)
    pair.bridge.send_signal(signal.SIGTERM)
    time.sleep(1)
    pair.bridge.send_signal(signal.SIGTERM)
    pair.end("two signals", 0, 16)
    check("at once", pair.took < 25, pair.took)


signalled()
slow()
stopped()
finish()
