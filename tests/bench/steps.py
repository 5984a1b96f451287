#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: a producer's operation takes the same number of instructions
# each time it goes the same way, whatever its consumer has written, and so does
# a pull amid a batch; valgrind's callgrind counts them.
#
# usage: steps.py STEPS
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile


def count(program, folder):
    """Instructions by path and situation."""
    out = os.path.join(folder, "out")
    subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", "--collect-atstart=no",
         f"--callgrind-out-file={out}", program], check=True)
    counts = {}
    for part in glob.glob(out + ".*"):
        with open(part, encoding="utf-8") as file:
            text = file.read()
        named = re.search(r"^desc: Trigger: Client Request: (.*)\|(.*)$", text,
                          re.M)
        total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
        if named and total:
            way = counts.setdefault(named[1], {})
            way.setdefault(named[2], []).append((part, int(total[1])))
    return counts


def main():
    if not shutil.which("valgrind"):
        print("valgrind is not installed")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        counts = count(sys.argv[1], folder)
    floor = min(n for rounds in counts.pop("floor").values()
                for _, n in rounds)
    bad = 0
    print(f"{'instructions of':<42} {'min':>6} {'max':>6} {'rounds':>7}")
    for path in sorted(counts):
        all_of = [n - floor for rounds in counts[path].values()
                  for _, n in rounds]
        low, high = min(all_of), max(all_of)
        print(f"{path:<42} {low:>6} {high:>6} {len(all_of):>7}")
        if low != high or low <= 0:
            bad += 1
    if bad or len(counts) < 20:
        print(f"{bad} of {len(counts)} ways differ from time to time")
        return 1
    print(f"{len(counts)} ways, each as long every time")
    return 0


sys.exit(main())
