#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every C source of a build, once, with another compiler and dialect.

usage: dialects.py BUILD_DIR COMPILER DIALECT...

The options are those of the build, and for the micro-guest those of its own
command: any warning is an error. Nothing but the front end runs. Prints what
fails; exit status 1 if anything does.
"""
import concurrent.futures
import glob
import json
import os
import shlex
import subprocess
import sys

build, compiler, *dialects = sys.argv[1:]
tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GUEST = """-m32 -march=i686 -O2 -ffreestanding -mgeneral-regs-only
    -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__
    -fno-strict-aliasing -Wall -Wextra -Wmissing-prototypes
    -Wstrict-prototypes""".split()
# ck_ring.h of ck 0.7 returns false as a pointer.
NOT_C23 = "peer_ck.c"
WITH_VALUE = ("-I", "-isystem", "-include", "-D")
DROPPED = ("-std=", "-fsanitize", "-fno-sanitize", "-fprofile", "--coverage")


def options(command):
    """What matters to the front end."""
    kept = []
    words = iter(command)
    for word in words:
        if word in WITH_VALUE:
            kept += [word, next(words)]
        elif word in ("-o", "-MF", "-MT"):
            next(words)
        elif word in ("-c", "-MD") or word.startswith(DROPPED):
            pass
        elif word.startswith("-"):
            kept.append(word)
    return kept


# Sources that have the same options go together.
groups = {(tests, *GUEST): glob.glob(f"{tests}/xen/guest/*.c")}
seen = set(groups[(tests, *GUEST)])
with open(f"{build}/compile_commands.json", encoding="utf-8") as file:
    for entry in json.load(file):
        path = entry["file"]
        if path.endswith(".c") and path not in seen:
            seen.add(path)
            kept = options(shlex.split(entry["command"]))
            groups.setdefault((entry["directory"], *kept), []).append(path)


def run(job):
    dialect, (directory, *kept), paths = job
    if dialect == "gnu2x":
        paths = [path for path in paths if not path.endswith(NOT_C23)]
    return dialect, subprocess.run(
        [compiler, *kept, "-Werror", "-fsyntax-only", f"-std={dialect}",
         *paths], cwd=directory, capture_output=True, text=True)


jobs = [(dialect, group, paths[at:at + 20]) for dialect in dialects
        for group, paths in groups.items()
        for at in range(0, len(paths), 20)]
failed = False
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for dialect, ended in pool.map(run, jobs):
        if ended.returncode != 0:
            failed = True
            print(f"{compiler} -std={dialect}:\n{ended.stderr}")
print(f"{compiler}: {len(seen)} sources in {len(groups)} ways,",
      " ".join(dialects))
sys.exit(failed or len(seen) < 100)
