#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: --sort puts the lines of all vCPUs in order of time and loses
# none; -c counts what the lines show, also when it is asked for by SIGUSR1;
# a pause of --slow keeps nothing waiting.
import collections
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

from setup import AGENT, ENDLESS, LIMIT, check, ended_in_time, finish

EVENTS = "cpuid cr3:async cr4 msr:0xc0000000-0xc0001fff guest_request:async"


def run(*arguments, status=3):
    done = subprocess.run([AGENT, *arguments], capture_output=True, text=True,
                          timeout=LIMIT)
    check(" ".join(arguments), done.returncode == status, done)
    return done


def lines_of(*arguments, status=3):
    lines = [json.loads(line) for line in run(
        "-f", "json", "-e", EVENTS, *arguments,
        status=status).stdout.splitlines()]
    return [line for line in lines if "event" in line], lines[-1]["ledger"]


def is_sorted(events):
    """But for those that are marked."""
    last = None
    for event in events:
        if "out_of_order" in event:
            continue
        if last is not None and event["time_ns"] < last:
            return False
        last = event["time_ns"]
    return True


def sorted_lines(*extra):
    what = "--sort " + " ".join(extra)
    # Long enough for a machine that is busy: none is too late.
    events, ledger = lines_of("--sort=5s", *extra, "sim:vcpus=8,count=2000")
    check(what + ": in order", is_sorted(events))
    check(what + ": all", len(events) == ledger["totals"]["delivered"],
          (len(events), ledger["totals"]))
    check(what + ": none is late", ledger["unordered"] == 0 and
          not any("out_of_order" in event for event in events), ledger)
    for vcpu in range(8):
        positions = [event["position"] for event in events
                     if event["vcpu"] == vcpu and not event["sync"]]
        check(what + ": each vCPU's in its own", positions ==
              sorted(positions))
    # As short as can be: what is late is marked, and still there.
    events, ledger = lines_of("--sort=1ms", *extra, "sim:vcpus=8,count=5000")
    check(what + "=1ms: all", len(events) == ledger["totals"]["delivered"])
    check(what + "=1ms: what is not in order is marked", is_sorted(events))
    check(what + "=1ms: and counted", ledger["unordered"] ==
          sum("out_of_order" in event for event in events), ledger["unordered"])


def no_longer_than_it_says():
    """An idle guest's lines do not wait for others."""
    agent = subprocess.Popen(
        [AGENT, "--sort=300ms", "-e", "cpuid", "sim:vcpus=1,cpuid=3"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = agent.stdout.read().splitlines()
    agent.wait(timeout=LIMIT)
    check("three lines", sum("leaf" in line for line in lines) == 3, lines)
    # How long it takes to begin is not known; 2 s more are.
    for hold, least, most in ("300ms", 0.3, 20), ("2s", 2, 20):
        begin = time.monotonic()
        agent = subprocess.Popen(
            [AGENT, "--sort=" + hold, "-e", "cpuid",
             "sim:vcpus=1,count=100000,rate=5"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        with ended_in_time(agent):
            line = agent.stdout.readline()
        took = time.monotonic() - begin
        check("a line comes while the guest goes on", "leaf" in line, line)
        check("and is held for %s" % hold, least <= took <= most, took)
        agent.send_signal(signal.SIGTERM)
        agent.communicate(timeout=LIMIT)
        check("it ends in order", agent.returncode == 0, agent.returncode)


def counted():
    events, ledger = lines_of("--sort", "-n", "100", "sim:vcpus=4", status=0)
    check("-n with --sort", len(events) == 100, len(events))
    events, ledger = lines_of("--sort", "-n", "100", "--workers", "2",
                              "sim:vcpus=4", status=0)
    check("-n with --sort and --workers", len(events) == 100, len(events))


def pairs(rows, key):
    return {row[key]: row["events"] for row in rows if "others" not in row}


def summary(*extra):
    what = "-c " + " ".join(extra)
    events, ledger = lines_of("-c", "-v", *extra, "sim:vcpus=4,count=3000")
    of = ledger["summary"]
    check(what + ": events", of["events"] == len(events))
    for by, key, reason in (("by_event", "event", None),
                            ("by_leaf", "leaf", "cpuid"),
                            ("by_msr", "msr", "mov_to_msr"),
                            ("by_register", "register", "write_ctrlreg")):
        counts = collections.Counter(event[key] for event in events
                                     if reason in (None, event["event"]))
        check("%s: %s" % (what, by), pairs(of[by], key) == counts,
              (of[by], counts))
    counts = collections.Counter(event["registers"]["rip"] for event in events
                                 if "registers" in event)
    check(what + ": by_rip", pairs(of["by_rip"], "rip") == counts, of)
    for rows in of.values():
        if isinstance(rows, list):
            numbers = [row["events"] for row in rows]
            check(what + ": the most first",
                  numbers == sorted(numbers, reverse=True), rows)


def in_text():
    done = run("-q", "-c", "-e", EVENTS, "sim:vcpus=4,count=3000")
    text = done.stdout
    check("-c in text", "Summary of " in text and
          "control register" in text and "%  cr3" in text and
          "kernel_gs_base" in text, text)
    check("it fits", max(map(len, text.splitlines())) <= 80, text)
    text = run("-q", "-e", EVENTS, "sim:vcpus=4,count=30").stdout
    check("not without -c", "Summary" not in text, text)


def asked_for(*extra):
    agent = subprocess.Popen(
        [AGENT, "-c", "-e", EVENTS, *extra, ENDLESS],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(20):
        agent.stdout.readline()
    agent.send_signal(signal.SIGUSR1)
    text = ""
    with ended_in_time(agent):
        while "  rip\n" not in text and len(text) < 10000:
            line = agent.stderr.readline()
            if not line:
                break
            text += line
    check("a summary by SIGUSR1", "Ledger of" in text and "Summary of" in text,
          text)
    agent.send_signal(signal.SIGTERM)
    agent.communicate(timeout=LIMIT)
    check("and it goes on", agent.returncode == 0, agent.returncode)


def of_many_vcpus():
    """More than standard error keeps for a slow reader."""
    agent = subprocess.Popen(
        [AGENT, "-f", "json", "-e", EVENTS,
         "sim:vcpus=256,count=100000000,rate=2000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    vcpus = set()
    for line in agent.stdout:
        vcpus.add(json.loads(line).get("vcpu"))
        if len(vcpus) == 257:
            break
    agent.send_signal(signal.SIGUSR1)
    # Whatever it still writes must not keep it.
    reader = threading.Thread(target=agent.stdout.read)
    reader.start()
    with ended_in_time(agent):
        line = agent.stderr.readline()
    agent.send_signal(signal.SIGTERM)
    reader.join()
    agent.wait(timeout=LIMIT)
    check("a ledger of 256 vCPUs", len(line) > 65536 and
          json.loads(line)["ledger"]["ending"] == "running", line[-200:])


def slow():
    """Ten seconds of pause, and two others to heed."""
    begin = time.monotonic()
    done = run("--slow", "10s", "-t", "300ms", "--end-within", "1s",
               "sim:vcpus=2,count=100", status=13)
    took = time.monotonic() - begin
    check("a pause does not outlast -t and --end-within", took < 8,
          (took, done))


def one_file():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/out"
        for there in False, True:
            if there:
                with open(path, "w") as file:
                    file.write("kept\n")
            done = run("-o", path, "--ledger-json", folder + "/./out", "-n",
                       "3", "sim:", status=2)
            check("one file for both", "name another file" in done.stderr,
                  done)
        with open(path) as file:
            check("what was there is kept", file.read() == "kept\n")
        for option in "-o", "--ledger-json":
            with open(path, "w") as file:
                done = subprocess.run([AGENT, option, path, "-n", "3", "sim:"],
                                      stdout=file, stderr=subprocess.PIPE,
                                      timeout=LIMIT)
            check(option + " to standard output", done.returncode == 2 and
                  b"; " in done.stderr, done)
        os.unlink(path)
        run("-o", "/dev/null", "--ledger-json", "/dev/null", "-n", "3",
            "sim:", status=0)


sorted_lines()
sorted_lines("--workers", "3")
no_longer_than_it_says()
counted()
summary()
summary("--workers", "2")
in_text()
asked_for()
asked_for("--workers", "2")
of_many_vcpus()
slow()
one_file()
finish()
