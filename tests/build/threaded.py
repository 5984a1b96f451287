#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which tests ThreadSanitizer can find something in: a regular expression for
ctest -R. Left out are programs that have no way to start a thread; scripts run
others, and count as threaded.

usage: ctest --show-only=json-v1 ... | threaded.py
"""
import json
import re
import subprocess
import sys


def is_program(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def starts_threads(path):
    names = subprocess.run(["nm", "-u", path], check=True, text=True,
                           capture_output=True).stdout
    return re.search(r"\b(pthread|thrd)_create\b", names) is not None


names = []
for test in json.load(sys.stdin)["tests"]:
    command = test.get("command")
    if not command:
        continue
    if not is_program(command[0]) or starts_threads(command[0]):
        names.append(test["name"])
if not names:
    sys.exit("no test starts a thread")
print(f"^({'|'.join(names)})$")
