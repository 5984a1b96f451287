#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which tests were skipped, and why: the last line of what each said.

usage: skipped.py JUNIT_FILE, as ctest --output-junit writes it
"""
import sys
import xml.etree.ElementTree as xml

for test in xml.parse(sys.argv[1]).getroot().iter("testcase"):
    if test.find("skipped") is not None:
        said = (test.findtext("system-out") or "").strip().splitlines()
        print(f"skipped: {test.get('name')}:",
              said[-1] if said else "it does not say why")
