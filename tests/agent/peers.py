#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: what a producer says reaches no terminal raw and forges no line;
# one that never becomes quiet is left within the documented time.
import json
import os
import re
import signal
import subprocess
import tempfile
import time

from setup import AGENT, LIMIT, build, check, finish

PEER = build + "/tests/agent/test_agent_peer"


class Peer:
    def __init__(self, mode):
        self.folder = tempfile.TemporaryDirectory()
        self.socket = self.folder.name + "/socket"
        self.process = subprocess.Popen([PEER, self.socket, mode],
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def __enter__(self):
        return "local:" + self.socket

    def says(self):
        return self.process.stdout.readline()

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()


def run(*arguments):
    try:
        return subprocess.run([AGENT, *arguments], capture_output=True,
                              timeout=LIMIT)
    except subprocess.TimeoutExpired as late:
        check("%s ends" % (arguments,), False, late.stderr)
        return subprocess.CompletedProcess(arguments, None, b"", b"")


def is_plain(text):
    return re.fullmatch(rb"[\n -~]*", text)


def texts():
    with Peer("name") as uri:
        for style in ("text", "json"):
            got = run("-f", style, "-n", "1", uri)
            check("status", got.returncode == 0, got)
            check("output is plain", is_plain(got.stdout), got.stdout)
            check("the name is shown", rb"\033[31m\007" in got.stdout or
                  rb"\\033[31m\\007" in got.stdout, got.stdout)
            check("no line is forged", not re.search(
                rb"(?m)^vmring-agent: a forged", got.stdout), got.stdout)
            if style == "json":
                for line in got.stdout.decode("utf-8").splitlines():
                    json.loads(line)
        # It is named in a line on standard error, too.
        agent = subprocess.Popen([AGENT, "-q", uri], stderr=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL)
        time.sleep(0.5)
    said = agent.communicate(timeout=LIMIT)[1]
    check("the end names it", is_plain(said) and said.count(b"\n") == 1 and
          rb"\033" in said, said)
    with Peer("refusal") as uri:
        got = run("-n", "1", uri)
        check("refused", got.returncode == 7, got)
        check("one plain line", is_plain(got.stderr) and
              got.stderr.count(b"\n") == 1 and rb"\033" in got.stderr,
              got.stderr)


def ends_unquiet(agent, begun):
    out, said = agent.communicate(timeout=LIMIT)
    check("status 13", agent.returncode == 13, (agent.returncode, said))
    check("one line says so", said.count(b"\n") == 1 and
          b"not ended within 1 s" in said, said)
    check("its ledger", b"not checked: it was not drained" in out, out)
    check("within its limit", time.monotonic() - begun < LIMIT / 2)


def quiet():
    for arguments in (["-n", "1"], ["-t", "0.2"], ["-n", "1", "--workers", "1"]):
        with Peer("quiet") as uri:
            agent = subprocess.Popen(
                [AGENT, "-q", "--end-within", "1", *arguments, uri],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                ends_unquiet(agent, time.monotonic())
            except subprocess.TimeoutExpired:
                check("it ends: %s" % arguments, False)
                agent.kill()
    with Peer("quiet") as uri:
        agent = subprocess.Popen([AGENT, "-q", "--end-within", "1", uri],
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        time.sleep(0.5)
        agent.send_signal(signal.SIGTERM)
        ends_unquiet(agent, time.monotonic())


class NoCounts:
    """It says that it is quiet, and never tells its counts."""

    def __init__(self, limit):
        self.peer = Peer("counts")
        self.begun = time.monotonic()
        self.agent = subprocess.Popen(
            [AGENT, "-q", "-t", "0.2", "--end-within", limit,
             "local:" + self.peer.socket],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self, status, line, within):
        with self.peer:
            out, said = self.agent.communicate(timeout=LIMIT)
        check("status %d" % status, self.agent.returncode == status,
              (self.agent.returncode, said))
        check("one line says so", said.count(b"\n") == 1 and line in said, said)
        check("its ledger", b"not checked: " in out, out)
        check("within its limit", time.monotonic() - self.begun < within)


def arming():
    """A signal while it waits until all is armed: it detaches in order."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
                   signal.SIGQUIT):
        peer = Peer("arming")
        with peer as uri:
            agent = subprocess.Popen([AGENT, "-q", uri],
                                     stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
            check("it arms", peer.says() == b"arming\n")
            agent.send_signal(signal.SIGUSR1)
            agent.send_signal(number)
            try:
                _, said = agent.communicate(timeout=LIMIT)
                check("status 0", agent.returncode == 0,
                      (number, agent.returncode, said))
                check("one line says so", said.count(b"\n") == 1 and
                      b"before all was armed" in said, said)
                check("it was detached", peer.says() == b"disarmed\n")
            except subprocess.TimeoutExpired:
                check("it ends", False, number)
                agent.kill()


# The library's own limit takes its time, meanwhile the others run.
unlimited = NoCounts("none")
texts()
quiet()
NoCounts("1").end(13, b"not ended within 1 s: the producer of guest does not "
                  b"tell its counts", 8)
arming()
unlimited.end(11, b"did not tell its counts in time", LIMIT)
finish()
