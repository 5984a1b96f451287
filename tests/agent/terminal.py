#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: a terminal or a pipe that nobody drains does not make the agent
# deaf to signals; once it is read again, everything comes.
import array
import fcntl
import os
import pty
import re
import signal
import subprocess
import tempfile
import termios
import time
import tty

from setup import AGENT, LIMIT, check, finish

ENDLESS = "sim:vcpus=4,count=1000000000"


def end(agent, what, *statuses):
    try:
        agent.wait(timeout=LIMIT)
        check(what + ": status", agent.returncode in statuses,
              agent.returncode)
    except subprocess.TimeoutExpired:
        check(what + ": it ends", False)
        agent.kill()
        agent.wait()


def terminal():
    ours, its = pty.openpty()
    tty.setraw(its, termios.TCSANOW)
    return ours, its


def is_full(fd):
    """Whether a writer has stopped: what can be read grows no more."""
    was = -1
    while True:
        now = fionread(fd)
        if now == was and now > 0:
            return
        was = now
        time.sleep(0.3)


def fionread(fd):
    value = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, value)
    return value[0]


def stalled_output(stderr_too):
    ours, its = terminal()
    agent = subprocess.Popen(
        [AGENT, "-v", "--end-within", "1", ENDLESS], stdout=its,
        stderr=its if stderr_too else subprocess.DEVNULL)
    is_full(ours)
    agent.send_signal(signal.SIGTERM)
    # Detached as it was to be, or given up: but it ends.
    end(agent, "a stalled terminal, SIGTERM", 12, 13)
    os.close(its)
    os.close(ours)


def second_signal():
    ours, its = terminal()
    agent = subprocess.Popen([AGENT, "-v", ENDLESS], stdout=its, stderr=its)
    is_full(ours)
    agent.send_signal(signal.SIGINT)
    time.sleep(0.3)
    agent.send_signal(signal.SIGINT)
    end(agent, "a stalled terminal, two signals", 12, 13)
    os.close(its)
    os.close(ours)


def drain(fd):
    """All that a terminal gives."""
    text = b""
    while True:
        try:
            some = os.read(fd, 65536)
        except OSError:
            return text
        if not some:
            return text
        text += some


def stalled_for_a_while():
    ours, its = terminal()
    agent = subprocess.Popen([AGENT, "-n", "20000", ENDLESS], stdout=its,
                             stderr=subprocess.DEVNULL)
    os.close(its)
    is_full(ours)
    time.sleep(0.5)
    text = drain(ours)
    end(agent, "read again", 0)
    shown = len(re.findall(rb" subleaf ", text))
    check("all that was asked for is shown", shown == 20000, shown)
    check("and the ledger", b"The ledger adds up" in text, text[-200:])
    os.close(ours)


def stalled_errors():
    """Lines on standard error, and the live line."""
    ours, its = terminal()
    os.set_blocking(its, False)
    try:
        while True:
            os.write(its, b"x" * 512)
    except BlockingIOError:
        pass
    os.set_blocking(its, True)
    agent = subprocess.Popen([AGENT, "-q", ENDLESS + ",rate=100"],
                             stdout=subprocess.DEVNULL, stderr=its)
    time.sleep(1.5)
    agent.send_signal(signal.SIGTERM)
    end(agent, "a stalled standard error, SIGTERM", 0)
    os.close(its)
    os.close(ours)


class Fifo:
    """That nobody reads; it takes its time, meanwhile the others run."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        path = self.folder.name + "/fifo"
        os.mkfifo(path)
        self.agent = subprocess.Popen([AGENT, "-o", path, ENDLESS],
                                      stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE)

    def end(self):
        said = self.agent.communicate(timeout=LIMIT)[1]
        check("a FIFO that nobody reads", self.agent.returncode == 12 and
              b"nobody reads it" in said, (self.agent.returncode, said))
        self.folder.cleanup()


fifo = Fifo()
stalled_output(False)
stalled_output(True)
second_signal()
stalled_for_a_while()
stalled_errors()
fifo.end()
finish()
