#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: a socket's path: its mode, who was there first, what is there
when the bridge ends, and nobody's file besides."""
import os
import socket
import stat
import subprocess
import sys
import time

from setup import (BRIDGE, IS_ROOT, LATE, Bridge, check, fail, finish, folder,
                   works)


def preload(**variables):
    return dict(os.environ, LD_PRELOAD=LATE, **variables)


def swapped():
    """Nobody else's file gets the socket's mode."""
    victim = os.path.join(folder, "victim")
    with open(victim, "w"):
        os.chmod(victim, 0o600)
    bridge = Bridge("--mode", "0666", name="swapped", wait=False,
                    env=preload(LATE_SWAP=victim))
    os.read(bridge.ready, 200)
    mode = stat.S_IMODE(os.stat(victim).st_mode)
    check(mode == 0o600, "a file of somebody's has mode %o now" % mode)
    if bridge.process.poll() is None:
        bridge.end()


def modes():
    for wanted in (0o600, 0o660, 0o666):
        for mask in (0o022, 0o077, 0):
            bridge = Bridge("--mode", "%o" % wanted, name="mode",
                            preexec_fn=lambda: os.umask(mask))
            mode = stat.S_IMODE(os.stat(bridge.path).st_mode)
            check(mode == wanted, "mode %o for --mode %o with umask %o" %
                  (mode, wanted, mask))
            check(bridge.end() == 0, "ending")


def two_starts():
    """One that has bound and does not listen yet was there first."""
    fifo = os.path.join(folder, "fifo")
    os.mkfifo(fifo)
    first = Bridge(name="two", wait=False, env=preload(LATE_LISTEN=fifo))
    while not os.path.exists(first.path):
        time.sleep(0.02)
    inode = os.stat(first.path).st_ino
    second = Bridge(name="two", wait=False)
    told = os.read(second.ready, 200)
    check(not told and second.ends() == 9,
          "a second start takes the first one's socket")
    check(os.stat(first.path).st_ino == inode, "it is another socket now")
    os.close(os.open(fifo, os.O_RDONLY))
    check(os.read(first.ready, 200), "the first serves no more")
    works(first, "the first of two")
    if second.process.poll() is None:
        second.end()
    check(first.end() == 0, "the first of two")
    check(os.listdir(folder).count("two.lock") == 0, "a lock is left")


def many_starts():
    """Of many at once, over a stale socket, one serves and the rest are told."""
    path = os.path.join(folder, "many")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stale:
        stale.bind(path)
    all_of_them = [Bridge(name="many", wait=False) for _ in range(8)]
    serving = [one for one in all_of_them if os.read(one.ready, 200)]
    check(len(serving) == 1, "%d of 8 serve one socket" % len(serving))
    for one in all_of_them:
        if one in serving:
            works(one, "one of many")
            check(one.end() == 0, "ending one of many")
        else:
            check(one.ends() == 9, "one of many")


def anothers():
    """A socket that has taken its place is not removed."""
    first = Bridge(name="anothers")
    os.unlink(first.path)
    second = Bridge(name="anothers")
    check(first.end() == 0, "ending")
    works(second, "a socket in another's place")
    check(second.end() == 0, "ending the other")


def no_folder():
    """Where nothing can be made: what is given is wrong, not who runs it."""
    done = subprocess.run([BRIDGE, "--listen", "local:%s/no/socket" % folder,
                           "sim:count=1"], stderr=subprocess.PIPE, check=False)
    check(done.returncode == 2 and b"folder is not there; create it" in
          done.stderr, "no folder: %d, %s" % (done.returncode, done.stderr))


def no_way_out():
    """No descriptor leads out of the folder that is its root."""
    if not IS_ROOT:
        return
    bridge = Bridge(name="inside")
    root = os.readlink("/proc/%d/root" % bridge.process.pid)
    for fd in os.listdir("/proc/%d/fd" % bridge.process.pid):
        where = "/proc/%d/fd/%s" % (bridge.process.pid, fd)
        try:
            is_folder = stat.S_ISDIR(os.stat(where).st_mode)
        except OSError:
            continue
        if is_folder:
            check(os.readlink(where) == root, "%s is open, root is %s" %
                  (os.readlink(where), root))
    check(bridge.end() == 0, "ending")


sanitized = subprocess.run(["ldd", sys.argv[1] + "/bridge/vmring-bridge"],
                           stdout=subprocess.PIPE, check=True).stdout
if b"libasan" in sanitized or b"libtsan" in sanitized:
    print("nothing can be loaded before a sanitizer")
else:
    swapped()
    two_starts()
modes()
many_starts()
anothers()
no_folder()
no_way_out()
finish()
