#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where the minutes of a check went: each stage, the longest tests, and what
is inside of those that run several things.

usage: times.py JUNIT_FILE [STAGE SECONDS]...
"""
import re
import sys
import xml.etree.ElementTree as xml

LONGEST = 10


def said(test):
    return test.findtext("system-out") or ""


def line(seconds, text):
    print(f"  {seconds:6.0f} s  {text}")


def main(junit, *stages):
    print("where the time went:")
    for name, seconds in zip(stages[::2], stages[1::2]):
        line(float(seconds), name)
    try:
        tests = list(xml.parse(junit).getroot().iter("testcase"))
    except (OSError, xml.ParseError):
        return
    tests.sort(key=lambda test: -float(test.get("time")))
    total = sum(float(test.get("time")) for test in tests)
    line(total, f"of {len(tests)} tests, one after the other; the longest:")
    for test in tests[:LONGEST]:
        line(float(test.get("time")), f"  {test.get('name')}")
    for test in tests:
        inside = re.findall(r"^lab: (\w+): status \d+ after (\d+) s",
                            said(test), re.M)
        if inside:
            inside.sort(key=lambda pair: -int(pair[1]))
            print(f"{test.get('name')}:", ", ".join(
                f"{name} {seconds} s" for name, seconds in inside))
    for test in tests:
        found = re.search(r"^.*tests passed.*; built in .*$", said(test), re.M)
        if found:
            print(f"{test.get('name')}: {found.group()}")


main(*sys.argv[1:])
