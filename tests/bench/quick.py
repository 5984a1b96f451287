#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: every case of vmring-bench runs and delivers what it should, and
# its JSON holds all of them.  No time is judged.
#
# usage: quick.py VMRING_BENCH
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree


def fail(text):
    print(text)
    sys.exit(1)


def check(case):
    name = f"{case['group']}/{case['name']}"
    if case["result"] == "skipped":
        if not case["why"]:
            fail(f"{name}: left out without a reason")
        print(f"{name}: not run: {case['why']}")
        return False
    if case["result"] != "ok":
        fail(f"{name}: {case.get('why')}")
    if not case["samples"] or len(case["samples"]) < 1:
        fail(f"{name}: no samples")
    if not case["min"] <= case["q1"] <= case["median"] <= case["q3"]:
        fail(f"{name}: quartiles out of order")
    return True


def draw(path, folder):
    """The plots of a run are well-formed, and there are some."""
    plot = os.path.join(os.path.dirname(os.path.abspath(__file__)), "plot.py")
    drawn = subprocess.run([sys.executable, plot, path, folder], check=True,
                           text=True, stdout=subprocess.PIPE).stdout.split()
    if len(drawn) < 5:
        fail(f"only {drawn} were drawn")
    for svg in drawn:
        bars = [e for e in xml.etree.ElementTree.parse(svg).iter()
                if e.tag.endswith("rect")]
        if len(bars) < 3:
            fail(f"{svg} shows nothing")


def main():
    bench = sys.argv[1]
    listed = subprocess.run([bench, "--list"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "quick.json")
        run = subprocess.run([bench, "--quick", "--json", path], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if run.returncode:
            fail(run.stdout)
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
        draw(path, folder)
    names = [line for line in listed.splitlines() if line.startswith("  ")]
    if len(names) != len(results["cases"]):
        fail(f"{len(names)} cases listed, {len(results['cases'])} reported")
    ran = sum(check(case) for case in results["cases"])
    if not any("vmring" in case["name"] and case["result"] == "ok"
               for case in results["cases"]):
        fail("the ring itself was not measured")
    print(f"{ran} of {len(names)} cases ran")


main()
