#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the branches that no test took with those that may be missed.

usage: uncovered.py COVERAGE.json REASONS [FOLDER:PERCENT...]

COVERAGE.json is gcovr's.  REASONS has an entry of two lines or more for each
line of source with branches that are not taken:

    FILE: NUMBER: TEXT OF THE LINE
        the reason, indented

NUMBER counts the branches of all lines of FILE with this text; 0-2 says that
it depends on the run.  It fails if a branch is missed without an entry, if an
entry is about none, or if less than PERCENT of a FOLDER's branches is taken.
"""
import collections
import json
import re
import sys

ENTRY = re.compile(r"(\S+): (\d+)(?:-(\d+))?: (.*)")


def read_reasons(path):
    """{(file, text): [fewest, most, reason]}"""
    reasons = {}
    last = None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        entry = ENTRY.fullmatch(line.rstrip())
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace():
            last[2] += line.strip() + " "
        elif entry:
            file, fewest, most, text = entry.groups()
            last = [int(fewest), int(most or fewest), ""]
            if (file, text) in reasons:
                sys.exit(f"{path}:{number}: given twice")
            reasons[file, text] = last
        else:
            sys.exit(f"{path}:{number}: not understood")
    return reasons


def main():
    coverage, reasons_path, *bounds = sys.argv[1:]
    reasons = read_reasons(reasons_path)
    taken = collections.Counter()
    total = collections.Counter()
    missed = collections.Counter()
    where = collections.defaultdict(list)

    for file in json.load(open(coverage, encoding="utf-8"))["files"]:
        name = file["file"]
        source = open(name, encoding="utf-8").read().splitlines()
        for line in file["lines"]:
            counts = [branch["count"] for branch in line["branches"]]
            total[name] += len(counts)
            taken[name] += sum(count > 0 for count in counts)
            if 0 in counts:
                number = line["line_number"]
                key = name, source[number - 1].strip()
                missed[key] += counts.count(0)
                where[key].append(number)

    failed = False
    for key, number in missed.items():
        fewest, most, reason = reasons.get(key, [0, 0, ""])
        known = fewest <= number <= most and reason
        failed |= not known
        lines = ",".join(str(line) for line in where[key])
        print(f"{key[0]}:{lines}: {number} missed: {key[1]}")
        print(f"    {reason}" if known else
              f"    NO REASON for {number}, but for {fewest} to {most}")
    for key, (fewest, _, reason) in reasons.items():
        if not reason or (fewest and not missed[key]):
            failed = True
            print(f"{key[0]}: {key[1]}\n    IS TAKEN, or its reason is empty")
    for bound in bounds:
        folder, percent = bound.split(":")
        names = [name for name in total if name.startswith(folder)]
        has = sum(taken[name] for name in names)
        of = sum(total[name] for name in names)
        print(f"{folder}: {has} of {of} branches, {100 * has / of:.2f} %, "
              f"at least {percent} % wanted")
        failed |= 100 * has < float(percent) * of
    sys.exit(failed)


main()
