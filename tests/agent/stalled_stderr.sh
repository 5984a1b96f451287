#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: a bridge whose standard error nobody reads goes on, and a hang-up ends it in order.
. "$(dirname "$0")/setup.sh"

bridge=$1/bridge/vmring-bridge
[ -x "$bridge" ] || exit 77
# A pipe that is full: a writer that does not look waits for ever.
python3 - "$bridge" "$agent" "$dir" <<'PY' || fail 'see above'
import os, signal, subprocess, sys, time
bridge, agent, folder = sys.argv[1:]
reader, writer = os.pipe()
os.set_blocking(writer, False)
try:
    while True:
        os.write(writer, b"x" * 4096)
except BlockingIOError:
    pass
try:
    while True:
        os.write(writer, b"x")
except BlockingIOError:
    pass
os.set_blocking(writer, True)
socket = folder + "/socket"
stats = folder + "/stats"
guest = subprocess.Popen(
    [bridge, "-v", "--deadline", "50", "--stats", stats, "--listen",
     "local:" + socket, "sim:vcpus=2,count=0,rate=200"], stderr=writer)
for _ in range(100):
    if os.path.exists(socket):
        break
    time.sleep(0.05)
watcher = subprocess.Popen([agent, "-q", "-e", "cpuid", "local:" + socket],
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
time.sleep(0.7)
watcher.kill()
watcher.wait()
time.sleep(0.7)
successor = subprocess.run(
    [agent, "-q", "-e", "cpuid", "-n", "20", "local:" + socket],
    stdout=subprocess.DEVNULL, timeout=30)
if successor.returncode:
    sys.exit("the successor ended with %d" % successor.returncode)
guest.send_signal(signal.SIGHUP)
status = guest.wait(timeout=20)
if status:
    sys.exit("the bridge ended with %d after a hang-up" % status)
if '"deadline":' not in open(stats).read().replace(" ", ""):
    sys.exit("no statistics after a hang-up")
PY
exit $failed
