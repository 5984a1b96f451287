# SPDX-License-Identifier: MIT
"""What the tests of the bridge have in common: a bridge and an agent."""
import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

build = sys.argv[1]
BRIDGE = os.path.join(build, "bridge/vmring-bridge")
AGENT = os.path.join(build, "agent/vmring-agent")
LATE = sys.argv[2] if len(sys.argv) > 2 else None

# Far more than anything here takes, on a machine that does much else.
PATIENCE = 60

folder = tempfile.mkdtemp()
atexit.register(shutil.rmtree, folder, True)
os.chmod(folder, 0o755)
failures = []
running = []
# A bridge has given up what it was: its files in /proc are for root to see.
IS_ROOT = os.geteuid() == 0


def end_all():
    """Also after an exception: who waits for the output waits for them."""
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()


atexit.register(end_all)


def fail(text):
    print("FAILED:", text, flush=True)
    failures.append(text)


def check(good, text):
    if not good:
        fail(text)
    return good


def finish():
    end_all()
    sys.exit(1 if failures else 0)


class Bridge:
    """A bridge of a simulated guest, once it serves."""

    def __init__(self, *args, guest="vcpus=2,count=0,rate=500", name="socket",
                 stderr=None, wait=True, **popen):
        self.path = os.path.join(folder, name)
        self.stats = os.path.join(folder, name + ".stats")
        self.log = os.path.join(folder, name + ".log")
        reader, writer = os.pipe()
        kept = (writer,) + tuple(popen.pop("pass_fds", ()))
        to = stderr if stderr is not None else open(self.log, "w")
        command = [BRIDGE, "--listen", "local:" + self.path, "--ready-fd",
                   str(writer)]
        if "--stats" not in args:
            command += ["--stats", self.stats]
        command += list(args) + ["sim:" + guest]
        self.process = subprocess.Popen(command, stderr=to, pass_fds=kept,
                                        **popen)
        running.append(self.process)
        os.close(writer)
        self.ready = reader
        self.serves = wait and bool(os.read(reader, 200))

    def says(self):
        return open(self.log).read()

    def comes_to_say(self, text):
        """Its lines are written a little later than what they tell of."""
        end = time.monotonic() + PATIENCE
        while text not in self.says():
            if time.monotonic() > end:
                fail("it does not say '%s': %s" % (text, self.says()))
                return
            time.sleep(0.01)

    def ends(self):
        return self.process.wait(timeout=PATIENCE)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.ends()

    def numbers(self):
        return json.load(open(self.stats))


def agent(bridge, *args, **run):
    """The agent's status, and what it says on standard error."""
    done = subprocess.run([AGENT, "-q", *args, "local:" + bridge.path],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          timeout=PATIENCE, **run)
    return done.returncode, done.stderr.decode()


def works(bridge, what):
    """An agent gets its verdicts through."""
    try:
        status, said = agent(bridge, "-e", "cpuid", "-n", "50")
        check(status == 0, "%s: the agent ends with %d: %s" %
              (what, status, said))
    except subprocess.TimeoutExpired:
        fail("%s: no agent is served" % what)


def connect(bridge):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    peer.settimeout(PATIENCE)
    peer.connect(bridge.path)
    return peer


def junk(bridge, times):
    """A peer that sends what nobody understands."""
    for _ in range(times):
        try:
            with connect(bridge) as peer:
                peer.send(b"junk" * 16)
        except OSError:
            time.sleep(0.001)


def no_reader():
    """Both ends of a terminal that nobody drains, full."""
    import pty
    import tty
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(slave, False)
    # The kernel moves what is written on, and there is room once more.
    quiet = 0
    while quiet < 5:
        quiet += 1
        try:
            while os.write(slave, b"x" * 100):
                quiet = 0
        except BlockingIOError:
            time.sleep(0.1)
    os.set_blocking(slave, True)
    return master, slave
