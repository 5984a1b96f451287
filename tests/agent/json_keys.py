#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: each key of each JSON line follows the one rule for its value,
# is in the manual page, and was seen; and each number is exact in a double.
import calendar
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from setup import AGENT, ENDLESS, LIMIT, build, check, ended_in_time, finish

HERE = os.path.dirname(os.path.abspath(__file__))
MANUAL = HERE + "/../../man/vmring-agent.8"

# What is counted, measured or compared is a number; what the field writes in
# hexadecimal is a string of it.  "?": null where it is not known, or not there.
NUMBER, FRACTION, HEX, TEXT, FLAG = "number", "fraction", "hex", "text", "flag"
# Since the host has booted, which may be long ago.
CLOCK = "clock"
COUNTS = {
    "attempted": "number?", "delivered": NUMBER, "lost": "number?",
    "answered": "number?", "defaulted": "number?", "requests": "number?",
    "records": "number?", "requests_taken": NUMBER,
    "records_taken": NUMBER, "late": NUMBER,
    "reposted": NUMBER, "drained": NUMBER,
}
REGISTERS = dict.fromkeys(
    "rax rbx rcx rdx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rflags rip "
    "dr6 dr7 cr0 cr2 cr3 cr4 msr_efer msr_star msr_lstar fs_base gs_base "
    "shadow_gs gdtr_base".split(), HEX)
EVENT = {
    "event": "text?", "time_ns": NUMBER, "time": TEXT, "delta_ns": NUMBER,
    "vcpu": NUMBER, "sync": FLAG, "verdict": TEXT, "position": NUMBER,
    "leaf": HEX, "subleaf": HEX, "insn_len": NUMBER, "register": "text?",
    "index": NUMBER, "old": HEX, "new": HEX, "changed": HEX, "msr": HEX,
    "access": TEXT, "gfn": HEX, "offset": HEX, "gla": HEX, "fault": TEXT,
    "type": NUMBER, "pending_dbg": HEX, "descriptor": NUMBER, "write": FLAG,
    "instr_info": HEX, "exit_qualification": HEX, "vector": NUMBER,
    "error_code": HEX, "cr2": HEX, "exit_reason": HEX,
    "bytes": NUMBER, "port": HEX, "in": FLAG, "str": FLAG, "rip": HEX,
    "cr3": HEX,
    "registers": REGISTERS, "words": [HEX], "altp2m": NUMBER, "foreign": FLAG,
    "reposted": FLAG, "drained": FLAG, "lost_before": NUMBER,
    "out_of_order": FLAG,
}
# What a test of its own is for, or cannot be had in a run.
RARE = re.compile(r"^event\.out_of_order|by_.*others")
LINES = {
    "attached": {"version": NUMBER, "attached": {
        "target": TEXT, "endpoint": TEXT, "subscription": TEXT, "program": TEXT,
        "vcpus": NUMBER, "epoch": NUMBER, "policy": TEXT,
        "async_bytes": NUMBER, "record_size": NUMBER, "groups": NUMBER,
        "verdicts": HEX, "deadline_ns": "number?", "start": TEXT,
        "start_ns": CLOCK + "?"}},
    "event": EVENT,
    "target": {"target": TEXT, "reason": "text?"},
    "ledger": {"version": NUMBER, "ledger": {
        "target": TEXT, "vcpus": NUMBER, "epoch": NUMBER, "policy": TEXT,
        "ending": TEXT, "shutdown": "text?", "seconds": FRACTION,
        "rate": FRACTION, "passed": "number?", "adds_up": "flag?", "why": "text?",
        "rows": [dict(COUNTS, vcpu="number?", event="text?")],
        "lanes": [{"lane": NUMBER, "attempted": NUMBER, "delivered": NUMBER,
                   "lost": NUMBER, "pending": NUMBER}],
        "totals": dict(COUNTS, rejected=NUMBER), "unordered": NUMBER,
        "summary": {"events": NUMBER, **{
            "by_" + by: [dict(rule, events=NUMBER, others=NUMBER)]
            for by, rule in {
                "event": {"event": "text?"}, "leaf": {"leaf": HEX},
                "msr": {"msr": HEX, "register": "text?"},
                "register": {"register": "text?", "index": NUMBER},
                "rip": {"rip": HEX}}.items()}}}},
    "kind": {"version": NUMBER, "kind": {
        "name": TEXT, "form": TEXT, "summary": TEXT, "example": TEXT,
        "event": TEXT, "sync": FLAG, "async": FLAG, "supported": FLAG}},
}
seen = set()


def is_of(value, rule):
    if rule.endswith("?"):
        return value is None or is_of(value, rule[:-1])
    if rule == FLAG:
        return isinstance(value, bool)
    if rule == NUMBER:
        return type(value) is int and abs(value) <= 2**53
    if rule == CLOCK:
        return type(value) is int and 0 < value < 2**63
    if rule == FRACTION:
        return type(value) in (int, float)
    if rule == HEX:
        return isinstance(value, str) and re.fullmatch(
            r"0x(0|[1-9a-f][0-9a-f]{0,15})", value)
    return isinstance(value, str) and value.isascii() and value.isprintable()


def follow(where, value, rule):
    if isinstance(rule, str):
        check(where, is_of(value, rule), (rule, value))
    elif isinstance(rule, list):
        check(where, isinstance(value, list), value)
        for one in value:
            follow(where + "[]", one, rule[0])
    else:
        check(where, isinstance(value, dict), value)
        for key, of in value.items():
            check("%s: the rule has '%s'" % (where, key), key in rule, value)
            if key in rule:
                seen.add(where + "." + key)
                follow(where + "." + key, of, rule[key])


def no_key_twice(pairs):
    check("no key twice", len(dict(pairs)) == len(pairs), pairs)
    return dict(pairs)


def follow_line(text):
    check("ASCII", text.isascii(), text)
    check("no more digits than are known",
          not re.search(r'":[0-9]*\.[0-9]{7}', text), text)
    line = json.loads(text, object_pairs_hook=no_key_twice)
    kind = next((kind for kind in LINES if kind in line), None)
    check("a line that is known", kind, line)
    if kind:
        follow(kind, line, LINES[kind])


def keys(where, rule):
    if isinstance(rule, list):
        rule, where = rule[0], where + "[]"
    if isinstance(rule, dict):
        for key, of in rule.items():
            yield where + "." + key
            yield from keys(where + "." + key, of)


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True,
                          timeout=LIMIT)
    check(" ".join(command), done.returncode in (0, 3), done)
    return done.stdout.splitlines()


def asked_for():
    """The ledger that SIGUSR1 asks for."""
    agent = subprocess.Popen([AGENT, "-f", "json", ENDLESS],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
    with ended_in_time(agent):
        agent.stdout.readline()
        agent.stdout.readline()
        agent.send_signal(signal.SIGUSR1)
        line = agent.stderr.readline()
    agent.send_signal(signal.SIGTERM)
    agent.communicate(timeout=LIMIT)
    check("SIGUSR1 gives a ledger", '"running"' in line, line)
    return line


def all_lines():
    events = "cpuid cr0 cr3:async cr4 msr:0-0x1fff guest_request:async " \
             "breakpoint debug"
    for extra in (), ("-v",), ("-c", "--sort"), ("--time=absolute",), ("--time=delta",):
        yield from output_of(AGENT, "-f", "json", "-e", events, *extra,
                             "sim:vcpus=3,count=500")
    yield from output_of(AGENT, "-f", "json", "-e", "help")
    yield from output_of(AGENT, "-f", "json", "-e", "help", "sim:")
    yield asked_for()
    with tempfile.NamedTemporaryFile("r") as of_each_reason:
        subprocess.run([build + "/tests/agent/test_agent_lines",
                        of_each_reason.name], check=True)
        yield from of_each_reason.read().splitlines()


def ns_of(text):
    """Of ISO 8601 in UTC, with nanoseconds."""
    seconds, rest = text.split(".")
    check("it ends so", re.fullmatch(r"[0-9]{9}Z", rest), text)
    return calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) \
        * 10**9 + int(rest[:9])


def times():
    """Of the wall clock, and since the event before."""
    guest = "sim:vcpus=3,count=200"
    before = time.time_ns()
    first, *lines = map(json.loads, output_of(
        AGENT, "-f", "json", "--time=absolute", guest))
    after = time.time_ns()
    start = ns_of(first["attached"]["start"])
    check("it began meanwhile", before <= start <= after,
          (before, start, after))
    events = [line for line in lines if "event" in line]
    check("absolute", len(events) == 600 and all(
        ns_of(event["time"]) == start + event["time_ns"] and
        before <= ns_of(event["time"]) <= after for event in events), events)
    sums = {}
    for text in output_of(AGENT, "-f", "json", "--time=delta", guest):
        event = json.loads(text)
        if "event" in event:
            vcpu = event["vcpu"]
            sums[vcpu] = sums.get(vcpu, 0) + event["delta_ns"]
            check("delta", sums[vcpu] == event["time_ns"], event)
    check("of each vCPU", len(sums) == 3, sums)


for line in all_lines():
    follow_line(line)
times()

# What is marked as a key in the manual page, by the kind of line.
manual = open(MANUAL).read()
section = manual[manual.index(".Ss JSON"):manual.index(".Sh FILTERS")]
told = {}
kind = ""
for line in section.splitlines():
    if re.match(r"\.It Cm [a-z]+$", line):
        kind = line[7:]
    if re.match(r"(\.It)? *\.?Cm ", line):
        told.setdefault(kind, set()).update(re.findall(r"[a-z_0-9]+", line))
for kind, rule in LINES.items():
    for key in keys(kind, rule):
        check("%s was seen" % key, key in seen or RARE.search(key))
        name = key.rsplit(".", 1)[1]
        # A summary has its values under the keys of an event.
        where = told[kind] | told[""] | (
            told["event"] if ".summary.by_" in key else set())
        check("%s is in the manual" % key,
              name in where or ".registers." in key)
if len(sys.argv) > 2:
    print(sorted(seen))
finish()
