#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: everything fits the columns of the terminal, also those it gets
# while the agent runs, in its sandbox; TERM=dumb, NO_COLOR and a pipe keep
# escapes away.
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import tempfile
import termios
import time
import tty

from setup import AGENT, BRIDGE, ENDLESS, LIMIT, check, finish

ESCAPE = re.compile(r"\x1b\[[0-9;]*[mK]")
EVENTS = "cpuid cr3:async cr4 msr:0-0x1fff msr:0xc0000000-0xc0001fff " \
         "guest_request:async breakpoint debug"


class Terminal:
    def __init__(self, columns):
        self.ours, self.its = pty.openpty()
        tty.setraw(self.its, termios.TCSANOW)
        self.resize(columns)

    def resize(self, columns):
        fcntl.ioctl(self.its, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))

    def start(self, *command, **environment):
        env = dict(os.environ, TERM="xterm")
        env.pop("NO_COLOR", None)
        env.pop("COLUMNS", None)
        env.update(environment)
        self.agent = subprocess.Popen(command, stdout=self.its,
                                      stderr=self.its, env=env)
        return self

    def read(self):
        os.close(self.its)
        text = b""
        while True:
            try:
                some = os.read(self.ours, 65536)
            except OSError:
                break
            if not some:
                break
            text += some
        self.agent.wait(timeout=LIMIT)
        os.close(self.ours)
        return text.decode()


def longest(text):
    lines = re.split(r"[\r\n]", ESCAPE.sub("", text))
    return max(lines, key=len)


def fits(what, columns, *command, **environment):
    told = environment.get("COLUMNS") and 0 or columns
    text = Terminal(told).start(*command, **environment).read()
    line = longest(text)
    check("%s fits %d columns" % (what, columns), len(line) <= columns,
          (len(line), line))
    check("%s is there" % what, len(text) > 300, text)
    return text


def everything():
    for columns in 80, 100, 200:
        for extra in (), ("-v",), ("--time=absolute",), ("--time=delta",):
            fits("events " + " ".join(extra), columns, AGENT, "-n", "500",
                 "-e", EVENTS, *extra, "sim:vcpus=3")
        fits("-e help", columns, AGENT, "-e", "help")
        fits("-e help sim:", columns, AGENT, "-e", "help", "sim:")
        for program in AGENT, BRIDGE:
            fits("--help", columns, program, "--help")
            fits("--usage", columns, program, "--usage")
    # The ledger is a table, for 80.
    for extra in (), ("-v",), ("--time=absolute",):
        text = Terminal(40).start(AGENT, "-n", "500", "-e", EVENTS, *extra,
                                  "sim:vcpus=3").read()
        line = longest(text.split("Ledger of", 1)[0])
        check("events fit 40 columns", len(line) <= 40, (line, extra))
    for where in (), ("sim:",):
        text = fits("-e help", 40, AGENT, "-e", "help", *where)
        check("no word has a line of its own", text.count("\n") < 100, text)
    fits("a terminal that does not say", 100, AGENT, "-n", "500", "-e", EVENTS,
         "sim:vcpus=3", COLUMNS="100")
    fits("the summary", 80, AGENT, "-q", "-c", "-e", EVENTS,
         "sim:vcpus=3,count=2000")
    fits("lines in order", 80, AGENT, "--sort=1ms", "-n", "500", "-e", EVENTS,
         "sim:vcpus=8")
    # The live line, too.
    fits("counts only", 80, AGENT, "-q", "-t", "1.5", ENDLESS)


def wait_for(path):
    end = time.monotonic() + LIMIT
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.05)


def of_a_bridge():
    """Where it serves, on a terminal alone; and the account at its end."""
    with tempfile.TemporaryDirectory() as folder:
        where = "local:" + folder + "/socket"
        bridges = [Terminal(80).start(BRIDGE, *extra, "--once", "--listen",
                                      where + name, "sim:vcpus=2,name=a")
                   for name, extra in (("1", ["-v"]), ("2", []))]
        piped = subprocess.Popen([BRIDGE, "--once", "--listen", where + "3",
                                  "sim:vcpus=2"], stderr=subprocess.PIPE)
        for name in "123":
            wait_for(where[6:] + name)
            subprocess.run([AGENT, "-q", "-n", "30", where + name],
                           timeout=LIMIT, stdout=subprocess.DEVNULL,
                           check=True)
        lines, plain = [bridge.read().splitlines() for bridge in bridges]
        said = piped.communicate(timeout=LIMIT)[1]
    for some in lines, plain:
        check("what a bridge says fits", any("answered" in line
                                             for line in some)
              and any("vmring-bridge: " in line for line in some)
              and max(map(len, some)) <= 80, some)
    check("where it serves, and how it ends", plain[0].startswith(
        "vmring-bridge: serving a; attach by 'vmring-agent") and
        "Ctrl-C ends" in " ".join(plain[:4]), plain)
    check("not in a pipe", b"serving" not in said, said)
    lines = Terminal(60).start(BRIDGE, "--nosuch-option",
                               "sim:").read().splitlines()
    lines += Terminal(60).start(BRIDGE, "sim:vcpus=many").read().splitlines()
    check("what a bridge refuses fits", len(lines) > 2 and
          max(map(len, lines)) <= 60, lines)


def grows():
    texts = [Terminal(columns).start(AGENT, "--help").read()
             for columns in (80, 110)]
    check("--help grows", len(longest(texts[1])) > 80 >=
          len(longest(texts[0])))
    texts = [Terminal(columns).start(AGENT, "-n", "50", "sim:").read()
             for columns in (80, 200)]
    check("lines grow", "  cpuid               " in ESCAPE.sub("", texts[1])
          and "  cpuid               " not in ESCAPE.sub("", texts[0]), texts)


def drain_until(terminal, pattern):
    """All that came until there was such a line, which may take a while."""
    text, end = b"", time.monotonic() + LIMIT
    while time.monotonic() < end:
        text += os.read(terminal.ours, 65536)
        if re.search(pattern, ESCAPE.sub("", text.decode()).encode(), re.M):
            return True
    return False


def resized(*extra):
    terminal = Terminal(80).start(AGENT, *extra, "-e", "cr3:async", ENDLESS)
    narrow, wide = rb" v\d+ +async cr3 0x", rb" v\d+ +write_ctrlreg +async "
    check("narrow at first", drain_until(terminal, narrow))
    terminal.resize(160)
    terminal.agent.send_signal(signal.SIGWINCH)
    check("wide once the window is, " + " ".join(extra),
          drain_until(terminal, wide))
    terminal.agent.send_signal(signal.SIGTERM)
    text = terminal.read()
    check("it ends in order", terminal.agent.returncode == 0,
          (terminal.agent.returncode, text[-300:]))


def no_escapes():
    command = AGENT, "-q", "-t", "1.5", ENDLESS
    text = Terminal(80).start(*command).read()
    check("a live line, in colours", "\x1b[K" in text and "\x1b[1m" in text,
          text)
    text = Terminal(80).start(*command, NO_COLOR="1").read()
    check("NO_COLOR: no colours", "\x1b[K" in text and
          not re.search(r"\x1b\[\d*m", text), text)
    text = Terminal(80).start(*command, NO_COLOR="").read()
    check("an empty NO_COLOR is none", "\x1b[1m" in text, text)
    for term in "dumb", "":
        text = Terminal(80).start(*command, TERM=term).read()
        check("TERM=%s: no escapes" % term, "\x1b" not in text and
              "\r" not in text and "The ledger adds up" in text, text)
        text = Terminal(80).start(AGENT, "-n", "50", "-e", EVENTS, "--deny",
                                  "cr4:1", "sim:", TERM=term).read()
        check("TERM=%s: none in lines" % term, "\x1b" not in text, text)
    done = subprocess.run(command, capture_output=True, timeout=LIMIT,
                          env=dict(os.environ, TERM="xterm"))
    check("a pipe: no escapes", b"\x1b" not in done.stdout + done.stderr,
          done)


everything()
of_a_bridge()
grows()
resized()
resized("--workers", "2")
resized("--sort=10ms")
resized("--sort=10ms", "--workers", "2")
no_escapes()
finish()
