#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: HUP and QUIT end it as TERM does, with a ledger; USR1 prints one
# and it goes on; nohup is heeded; a reader that has gone is no error; a parent
# that has signals blocked does not keep them from it.
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time

from setup import AGENT, ENDLESS, LIMIT, check, finish

PIPE = 4096


class Agent:
    """One that has shown its first event."""

    def __init__(self, *arguments, **options):
        self.ledger = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen(
            [AGENT, "--ledger-json", self.ledger.name, *arguments, ENDLESS],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        check("it shows events", self.process.stdout.readline())

    def end(self, what, status=0):
        try:
            out, said = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            check(what + ": it ends", False)
            self.process.kill()
            return b"", b""
        check(what + ": status", self.process.returncode == status,
              (self.process.returncode, said))
        ledger = self.ledger.read()
        check(what + ": ledger", ledger and
              json.loads(ledger)["ledger"]["adds_up"] is True, ledger)
        return out, said


def ending():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGXCPU):
        agent = Agent()
        agent.process.send_signal(number)
        out, _ = agent.end(number.name)
        check("%s: detached in order" % number.name,
              b"The ledger adds up" in out, out[-200:])
    every = signal.valid_signals()
    agent = Agent(preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK,
                                                            every))
    agent.process.send_signal(signal.SIGTERM)
    agent.end("all blocked by the parent")
    # The terminal and the shell both tell of a hang-up: it is one.
    agent = Agent("-e", "cpuid", "--slow", "1000")
    agent.process.send_signal(signal.SIGHUP)
    agent.process.send_signal(signal.SIGHUP)
    agent.end("SIGHUP twice")
    agent = Agent(preexec_fn=lambda: signal.signal(signal.SIGHUP,
                                                   signal.SIG_IGN))
    agent.process.send_signal(signal.SIGHUP)
    check("nohup: it goes on", agent.process.stdout.readline() and
          agent.process.poll() is None)
    agent.process.send_signal(signal.SIGTERM)
    agent.end("nohup")


def ledgers():
    for arguments in ([], ["--workers", "2"]):
        agent = Agent(*arguments)
        for _ in range(2):
            agent.process.send_signal(signal.SIGUSR1)
            text = b""
            while b"The ledger" not in text:
                line = agent.process.stderr.readline()
                if not line:
                    break
                text += line
            check("USR1 %s: a ledger" % arguments,
                  b"not checked: it goes on" in text, text)
            total = [line.split() for line in text.splitlines()
                     if b"total" in line]
            check("USR1 %s: with counts" % arguments,
                  total and int(total[0][2]) > 0, text)
        check("USR1 %s: it goes on" % arguments,
              agent.process.stdout.readline())
        agent.process.send_signal(signal.SIGTERM)
        agent.end("USR1 %s" % arguments)
    agent = Agent("-f", "json")
    agent.process.send_signal(signal.SIGUSR1)
    line = agent.process.stderr.readline()
    check("USR1: JSON", line and
          json.loads(line)["ledger"]["ending"] == "running", line)
    agent.process.send_signal(signal.SIGTERM)
    agent.end("USR1 json")


def output_unread():
    """All is taken, nobody reads what is left of it, and a signal comes."""
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE)
    with tempfile.NamedTemporaryFile() as ledger:
        agent = subprocess.Popen(
            [AGENT, "-n", "500", "--ledger-json", ledger.name, ENDLESS],
            stdout=writer, stderr=subprocess.PIPE)
        begun = time.monotonic()
        while (select.select([], [writer], [], 0)[1] and
               time.monotonic() - begun < LIMIT):
            time.sleep(0.01)
        # What it would have written next may be little, and less than is left.
        os.set_blocking(writer, False)
        try:
            while os.write(writer, b"x"):
                pass
        except BlockingIOError:
            pass
        os.set_blocking(writer, True)
        os.close(writer)
        # One that comes before the end begins that; none of them kills.
        while not os.path.getsize(ledger.name) and agent.poll() is None:
            time.sleep(0.05)
            agent.send_signal(signal.SIGINT)
        _, said = agent.communicate(timeout=LIMIT)
        check("unread: status 12 or 13", agent.returncode in (12, 13),
              (agent.returncode, said))
        check("unread: it says so", b"nobody has read it for 1 s" in said, said)
        check("unread: its ledger", b'"adds_up"' in ledger.read())
    os.close(reader)


def attaching():
    """To a producer that does not answer."""
    for number, how in ((signal.SIGTERM, "-q"), (signal.SIGHUP, "-q"),
                        (signal.SIGINT, "-ehelp")):
        ours, theirs = socket.socketpair(socket.AF_UNIX,
                                         socket.SOCK_SEQPACKET)
        agent = subprocess.Popen(
            [AGENT, how, "fd:%d" % theirs.fileno()],
            pass_fds=[theirs.fileno()], stderr=subprocess.PIPE)
        theirs.close()
        check("it proposes", ours.recv(4096))
        agent.send_signal(number)
        _, said = agent.communicate(timeout=LIMIT)
        check("attaching: status 0", agent.returncode == 0,
              (agent.returncode, said))
        check("attaching: one line", said.count(b"\n") == 1 and
              b"before it was attached" in said, said)
        ours.close()


def reader_gone():
    for arguments in ([], ["--workers", "2"]):
        agent = Agent(*arguments)
        agent.process.stdout.close()
        agent.process.stdout = None
        _, said = agent.end("| head -1")
        check("| head -1: no error", said == b"", said)


ending()
ledgers()
attaching()
output_unread()
reader_gone()
finish()
