#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: an agent whose producer does not tell its counts ends with a
line and a status that say so; one that is cut short asks for none; an output
that nobody reads or that may not grow is one that could not be written.

untold.py BUILD_FOLDER
"""
import array
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading

from setup import AGENT, BRIDGE, LIMIT, check, finish

SUBSCRIBE, COUNT, QUIESCE, DETACH, COUNTS, QUIET = 2, 4, 5, 6, 11, 12


class Between:
    """Between an agent and its bridge; `answer` gets what the agent asks, and
    says what it is told instead: None: the bridge's own answer; b"": it is hung
    up on; False: nothing."""

    def __init__(self, answer, guest="vcpus=1,count=0,rate=500"):
        self.answer, self.asked = answer, []
        self.subscribed = threading.Event()
        self.agent, theirs = socket.socketpair(socket.AF_UNIX,
                                               socket.SOCK_SEQPACKET)
        self.bridge, served = socket.socketpair(socket.AF_UNIX,
                                                socket.SOCK_SEQPACKET)
        self.theirs = theirs
        self.process = subprocess.Popen(
            [BRIDGE, "-q", "--fd", str(served.fileno()), "--linger", "0",
             "sim:" + guest], pass_fds=[served.fileno()],
            stderr=subprocess.DEVNULL)
        served.close()
        threading.Thread(target=self.pass_on, daemon=True).start()

    def move(self, source, sink):
        ancillary = socket.CMSG_LEN(100 * 4)
        data, rights, _, _ = source.recvmsg(40000, ancillary)
        if not data:
            return False
        kind = struct.unpack_from("<I", data)[0]
        told = None
        if source is self.agent:
            self.asked.append(kind)
            told = self.answer(kind)
        if told is None:
            sink.sendmsg([data], rights)
        elif told:
            self.agent.send(told)
        for _, _, fds in rights:
            for fd in array.array("i", fds):
                os.close(fd)
        if kind == SUBSCRIBE:
            self.subscribed.set()
        return told != b""

    def pass_on(self):
        try:
            while True:
                for source in select.select([self.agent, self.bridge], [],
                                            [])[0]:
                    if not self.move(source, self.bridge
                                     if source is self.agent else self.agent):
                        return
        except OSError:
            return
        finally:
            self.agent.shutdown(socket.SHUT_RDWR)
            self.bridge.shutdown(socket.SHUT_RDWR)

    def start(self, *arguments, **popen):
        popen.setdefault("stdout", subprocess.PIPE)
        agent = subprocess.Popen([AGENT, "-e", "cpuid", *arguments,
                                  "fd:%d" % self.theirs.fileno()],
                                 stderr=subprocess.PIPE,
                                 pass_fds=[self.theirs.fileno()], **popen)
        self.theirs.close()
        return agent

    def end(self, agent):
        try:
            out, said = agent.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            agent.kill()
            out, said = agent.communicate()
            check("it ends", False, said)
        self.process.kill()
        self.process.wait()
        return agent.returncode, out, said


def message(kind, body=b""):
    return struct.pack("<II", kind, 8 + len(body)) + body


def counts_not_told():
    for what, told, line in (
            ("hangs up", b"", b"went away"),
            ("counts nothing", message(COUNTS, b"\0\0\0\0"), b"broke"),
            ("more rows than there are",
             message(COUNTS, struct.pack("<II", 0xffffffff, 9)), b"broke"),
            ("never the last", message(COUNTS, bytes(8)), b"broke")):
        between = Between(lambda kind, told=told:
                          told if kind == COUNT else None)
        status, out, said = between.end(between.start("-q", "-n", "3"))
        check(what + ": status 11", status == 11, (status, said))
        check(what + ": a line says so", said.count(b"\n") == 1 and
              line in said, said)
        check(what + ": the ledger", b"is not checked" in out, out)


def target_ended():
    """It has ended, and says so; that nobody has counted is said, too."""
    between = Between(lambda kind: b"" if kind == COUNT else None,
                      "vcpus=1,cpuid=3")
    status, out, said = between.end(between.start("-q"))
    check("target: status 3", status == 3, (status, said))
    check("target: a line says so", b"and the ledger is not checked" in said, said)
    check("target: the ledger", b"is not checked" in out, out)


def signal_amid():
    """All is taken, the counts do not come, and a signal does."""
    asked = threading.Event()

    def silent(kind):
        if kind != COUNT:
            return None
        asked.set()
        return False  # neither the bridge's nor another one
    between = Between(silent)
    agent = between.start("-q", "-n", "3")
    check("asked for counts", asked.wait(LIMIT))
    agent.send_signal(signal.SIGTERM)
    status, out, said = between.end(agent)
    check("amid counts: status 13", status == 13, (status, said))
    check("amid counts: a line", said.count(b"\n") == 1 and
          b"interrupted while it ended" in said, said)
    check("amid counts: the ledger", b"is not checked" in out, out)


def cut_short():
    """By a second signal, or by its limit: it has nothing to ask for."""
    for what, arguments, signals in (
            ("two signals", (), 2), ("a limit", ("--end-within", "1"), 1)):
        between = Between(lambda kind: None)
        agent = between.start("-q", *arguments)
        check("subscribed", between.subscribed.wait(LIMIT))
        # Its answer has come, and it has set out to take signals.
        select.select([], [], [], 1)
        between.process.send_signal(signal.SIGSTOP)
        for _ in range(signals):
            end_soon(agent, between)
        status, out, said = between.end(agent)
        check(what + ": status 13", status == 13, (status, said))
        check(what + ": it asks for no counts", COUNT not in between.asked,
              between.asked)
        check(what + ": the ledger", b"was not drained" in out, out)


def end_soon(agent, between):
    agent.send_signal(signal.SIGTERM)
    # The second one is another than the first once that has been acted on.
    for _ in range(LIMIT * 100):
        if QUIESCE in between.asked or agent.poll() is not None:
            return
        select.select([], [], [], 0.01)


def unread():
    reader, writer = os.pipe()
    between = Between(lambda kind: None, "vcpus=2,count=0")
    agent = between.start("-t", "1", "--end-within", "1", stdout=writer)
    os.close(writer)
    status, _, said = between.end(agent)
    os.close(reader)
    check("unread: status 12", status == 12, (status, said))
    check("unread: a line", b"nobody reads standard output" in said, said)


def may_not_grow(folder):
    between = Between(lambda kind: None)
    agent = between.start(
        "-o", folder + "/out", preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (2000, 2000)))
    status, _, said = between.end(agent)
    check("a file that may not grow: status 12", status == 12, (status, said))
    check("and why", b"File too large" in said, said)
    check("it detaches", DETACH in between.asked, between.asked)


counts_not_told()
target_ended()
signal_amid()
cut_short()
unread()
with tempfile.TemporaryDirectory() as name:
    may_not_grow(name)
finish()
