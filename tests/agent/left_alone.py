# SPDX-License-Identifier: MIT
"""Description: a bridge whose only consumer is killed, with nobody left who
could come after it, ends: it neither stays nor turns in circles.

left_alone.py BUILD_FOLDER
"""
import os
import signal
import socket
import subprocess
import sys
import time

LINGER_S = 1
WAIT_S = 60


def start(command, end):
    process = subprocess.Popen(command, pass_fds=[end.fileno()],
                               stdout=subprocess.PIPE)
    end.close()
    return process


def main(build):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    bridge = start([os.path.join(build, "bridge", "vmring-bridge"),
                    "--fd", str(ours.fileno()), "--linger", str(LINGER_S),
                    "sim:vcpus=2,rate=100"], ours)
    agent = start([os.path.join(build, "agent", "vmring-agent"),
                   "-e", "cpuid", "fd:%d" % theirs.fileno()], theirs)
    # An event is shown: it has attached, and something is armed.
    if not agent.stdout.readline():
        sys.exit("the agent has shown no event")
    agent.kill()
    agent.wait()
    end = time.monotonic() + WAIT_S
    while bridge.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    if bridge.poll() is None:
        bridge.send_signal(signal.SIGKILL)
        sys.exit("the bridge is still there after %d s" % WAIT_S)
    if bridge.returncode != 0:
        sys.exit("the bridge has ended with %d" % bridge.returncode)


if __name__ == "__main__":
    main(sys.argv[1])
