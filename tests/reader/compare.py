#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py DUMP: has the program DUMP make rings, reads them with
ringdump.py, and compares what that finds with what libvmring's core found,
field by field; then the two decisions on damaged headers. Exits 1 at any
difference."""
import collections
import glob
import json
import os
import struct
import subprocess
import sys
import tempfile

import ringdump


def differences(ours, theirs, path=""):
    """Paths of all that is not the same on both sides, types included."""
    if type(ours) is not type(theirs):
        yield f"{path}: the reader has {ours!r}, libvmring {theirs!r}"
    elif isinstance(ours, dict):
        for key in sorted(set(ours) | set(theirs)):
            if key not in ours or key not in theirs:
                yield f"{path}.{key}: only one has it"
            else:
                yield from differences(ours[key], theirs[key],
                                       f"{path}.{key}")
    elif isinstance(ours, list):
        if len(ours) != len(theirs):
            yield f"{path}: {len(ours)} entries, libvmring has {len(theirs)}"
        for i, pair in enumerate(zip(ours, theirs)):
            yield from differences(*pair, f"{path}[{i}]")
    elif ours != theirs:
        yield f"{path}: the reader has {ours}, libvmring {theirs}"


def leaves(value):
    if isinstance(value, dict):
        return sum(leaves(each) for each in value.values())
    if isinstance(value, list):
        return sum(leaves(each) for each in value)
    return 1


def read(path):
    with open(path, "rb") as file:
        return file.read()


def tally(ring, seen):
    """Counts what the rings had in them: an empty comparison is none."""
    seen["requests posted"] += sum("request" in s for s in ring["slots"])
    seen["requests broken"] += sum("broken" in s for s in ring["slots"])
    seen["answers"] += sum(r["answers"] for r in ring.get("responses", []))
    for group in ring["groups"]:
        seen["bits set"] += sum(len(group.get(name, [])) for name in (
            "attention_requests", "attention_lanes", "answered"))
    for lane in ring["lanes"]:
        seen["lanes broken"] += lane["broken"]
        seen["losses"] += lane["lost"] + lane["lost_contended"]
        seen["overwritten"] += lane["overwritten"]
        for record in lane["records"]:
            seen["records"] += 1
            seen["with registers"] += "regs" in record["event"]
            seen["gaps in lanes"] += record["overwritten"] > 0
    if ring["header"]["producer_state"] == ringdump.FROZEN:
        seen["resumed lanes"] += sum(
            lane["resume"] > 0 for lane in ring["lanes"])


def compare_rings(folder):
    wrong, seen = 0, collections.Counter()
    for path in sorted(glob.glob(folder + "/*.p")):
        name = path[:-2]
        c_data = read(name + ".c") if os.path.exists(name + ".c") else None
        ours = ringdump.read_ring(read(path), c_data)
        theirs = json.loads(read(name + ".json"))
        for difference in differences(ours, theirs, os.path.basename(name)):
            wrong += 1
            if wrong <= 20:
                print(difference)
        seen["rings"] += 1
        seen["fields"] += leaves(theirs)
        tally(theirs, seen)
    print(", ".join(f"{seen[key]} {key}" for key in seen) +
          f": {wrong} differ")
    for key, count in seen.items():
        if not count:
            print(f"no {key} in any ring")
            wrong += 1
    return wrong


def compare_headers(path):
    wrong, accepted, rules = 0, 0, collections.Counter()
    data = read(path)
    size = 24 + ringdump.HEADER
    for at in range(0, len(data), size):
        p_len, c_len, theirs = struct.unpack_from("<QQQ", data, at)
        header = data[at + 24:at + size]
        try:
            ringdump.read_header(header, p_len,
                                 None if c_len == (1 << 64) - 1 else c_len)
            ours = 1
            accepted += 1
        except ringdump.Refused as refused:
            ours = 0
            rules[int(str(refused))] += 1
        if ours != theirs:
            wrong += 1
            print(f"header {at // size}: the reader says {ours}, "
                  f"libvmring {theirs}")
    print(f"{len(data) // size} headers, {accepted} accepted, refused by rule "
          + ", ".join(f"{rule}: {rules[rule]}" for rule in sorted(rules))
          + f": {wrong} differ")
    if not accepted or sorted(rules) != [1, 2, 3, 4, 5, 6]:
        print("not every rule was broken")
        wrong += 1
    return wrong


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        wrong = compare_rings(folder)
        wrong += compare_headers(folder + "/headers.damaged")
    sys.exit(1 if wrong else 0)


main()
