#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""server.py SERVER AGENT CLIENT: a producer that was written from the documents
alone, with vmring-agent, and with the consumer that was: the ledgers agree, of
requests, of records that are lost, and of an agent that goes without a word."""
import json
import os
import subprocess
import sys
import tempfile

SERVER, AGENT, CLIENT = sys.argv[1:4]
# Seconds for what takes one or two: this machine may be busy.
LIMIT = 60
# What the agent ends with when the target has ended.
ENDED = 3
failures = 0


def check(what, ok, got=None):
    global failures
    if not ok:
        failures += 1
        print(f"FAILED: {what}: {got}", flush=True)


def session(vcpus, count, command):
    """What the server counted while `command`, of its socket, was run."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        with subprocess.Popen([SERVER, path, str(vcpus), str(count)],
                              stdout=subprocess.PIPE, text=True) as server:
            check("the server starts", server.stdout.readline() == "ready\n")
            ended = subprocess.run(command(path), stdout=subprocess.PIPE,
                                   text=True, timeout=LIMIT)
            check(f"{command(path)}", ended.returncode in (0, ENDED),
                  ended.returncode)
            counted = server.stdout.read()
        check("the server ends", server.returncode == 0, server.returncode)
    return json.loads(counted), ended.stdout


def agent(events):
    return lambda path: [
        "sh", "-c", f"{AGENT} -q --ledger-json={path}.json -e '{events}' "
        f"local:{path} >{path}.out; code=$?; cat {path}.json; exit $code"]


def client(events, *words):
    return lambda path: [CLIENT, path, events, *words]


def main():
    for events in ("cr3:async cpuid", "cpuid cr3", "cpuid"):
        counted, said = session(4, 2000, agent(events))
        total = json.loads(said)["ledger"]["totals"]
        for ours, theirs in (("answered", "answered"), ("lost", "lost"),
                             ("defaulted", "defaulted")):
            check(f"{ours} of {events}", counted[ours] == total[theirs],
                  (counted, total))
        check(f"all of {events}", counted["requests"] + counted["records"] ==
              total["attempted"], (counted, total))
        check("no answer is ignored", counted["ignored"] == 0, counted)

    for words in (("groups=2",), ("policy=0", "async=4096"),
                  ("policy=1", "async=4096")):
        counted, said = session(3, 20000, client("cr3:async cpuid", *words))
        took = json.loads(said)
        check(f"requests of {words}", counted["requests"] == took["requests"]
              == took["answered"] == counted["answered"], (counted, took))
        check(f"records of {words}", counted["records"] ==
              took["records"] + took["lost"], (counted, took))

    counted, _ = session(2, 100000, client("cr3:async cpuid", "leave=50"))
    check("each request has a verdict", counted["requests"] ==
          counted["answered"] + counted["defaulted"], counted)
    _, said = session(2, 10, lambda path: [
        "sh", "-c", f"{CLIENT} {path} cpuid async=1 && {CLIENT} {path} cpuid"])
    refused = json.loads(said.splitlines()[0])
    check("too small is refused", refused["refused"] == 4 and
          refused["least"] == 2 * 2 * 448, refused)

    print(f"{failures} failures")
    sys.exit(1 if failures else 0)


main()
