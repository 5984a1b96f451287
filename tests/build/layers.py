#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: no room of the tree uses one above it.

usage: layers.py SOURCE_DIR [BUILD_DIR]

docs/ARCHITECTURE.md has a table of rooms, each with the rooms that it may use,
the lowest first: a row may name only rows before it.  Every #include of a file
is read, and with BUILD_DIR every symbol that its object takes from another
one's.  A file belongs to the room with the longest path; a call through a
pointer is none, as whoever stored it there has called down.

Exit status: 0, or 1 and a line for each use that no row allows; 2: usage.
"""
import collections
import os
import re
import subprocess
import sys

API = "libvmring/vmring.h"
BEGIN, END = "<!-- layers -->", "<!-- end of layers -->"


def table(source):
    """{room: set of rooms}, in the order of the document."""
    with open(os.path.join(source, "docs/ARCHITECTURE.md"),
              encoding="utf-8") as file:
        text = file.read()
    rows = text[text.index(BEGIN):text.index(END)].split("\n")
    rooms = {}
    for row in rows:
        cells = [re.findall(r"`([^`]+)`", cell) for cell in row.split("|")[1:3]]
        if len(cells) < 2 or not cells[0]:
            continue
        for name in cells[1]:
            if name not in rooms:
                fail(f"the row of {cells[0]} uses {name}, which is no row "
                     "before it")
        for name in cells[0]:
            rooms[name] = set(cells[1])
    return rooms


failed = []


def fail(line):
    failed.append(line)


def room_of(path, rooms):
    found = [name for name in rooms
             if path == name or path.startswith(name.rstrip("/") + "/")]
    return max(found, key=len) if found else None


def check(rooms, user, used, how):
    """May this file use what that file has?"""
    by, of = room_of(user, rooms), room_of(used, rooms)
    if by is None or of is None:
        fail(f"{user if by is None else used} is in no room")
    elif by != of and of not in rooms[by]:
        fail(f"{user}: {how} {used}: {by} may not use {of}")


def sources(source, rooms):
    """The files of the top folders in which there are rooms."""
    for top in {room.split("/")[0] for room in rooms}:
        for folder, _, names in os.walk(os.path.join(source, top)):
            for name in names:
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), source)


def includes(source, rooms):
    """Each include of a file of the tree."""
    files = set(sources(source, rooms))
    places = ["", "libvmring", "include"]
    for file in sorted(files):
        if os.path.islink(os.path.join(source, file)):
            continue
        with open(os.path.join(source, file), encoding="utf-8") as text:
            names = re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]',
                               text.read(), re.M)
        for name in names:
            for place in [os.path.dirname(file), *places]:
                used = os.path.normpath(os.path.join(place, name))
                if used in files:
                    check(rooms, file, used, "includes")
                    break


def objects(source, build):
    """(file of the tree, path) of each object of library and programs."""
    for folder in ("libvmring", "bridge", "agent", "terminal", "sandbox"):
        for path, _, names in os.walk(os.path.join(build, folder)):
            for name in names:
                match = re.search(r"/CMakeFiles/[^/]+\.dir/(.*)\.o$",
                                  os.path.join(path, name))
                if not match:
                    continue
                file = os.path.normpath(
                    os.path.join(folder, match.group(1).replace("__", "..")))
                if os.path.exists(os.path.join(source, file)):
                    yield file, os.path.join(path, name)


def calls(source, build, rooms):
    defined = collections.defaultdict(set)
    taken = []
    files = {path: file for file, path in objects(source, build)}
    said = subprocess.run(["nm", "-A", "-g", *files], check=True, text=True,
                          stdout=subprocess.PIPE).stdout if files else ""
    for line in said.split("\n"):
        path, _, rest = line.rpartition(":")
        words = rest.split()
        if len(words) < 2:
            continue
        if words[-2] == "U":
            taken.append((files[path], words[-1]))
        else:
            defined[words[-1]].add(files[path])
    if not taken:
        fail(f"no objects in {build}")
    order = list(rooms)
    for file, symbol in sorted(set(taken)):
        for used in defined[symbol]:
            # Both programs have a sandbox_enter(), say: each its own.
            if (len(defined[symbol]) > 1 and
                    used.split("/")[0] != file.split("/")[0]):
                continue
            by, of = room_of(file, rooms), room_of(used, rooms)
            # A call of the API needs the API alone, above who carries it out.
            if (symbol.startswith("vmring_") and by and of and
                    API in rooms[by] and order.index(of) < order.index(by)):
                continue
            check(rooms, file, used, f"calls {symbol}() of")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(2)
    source = sys.argv[1]
    rooms = table(source)
    if not rooms:
        fail("docs/ARCHITECTURE.md has no table of layers")
    includes(source, rooms)
    if len(sys.argv) == 3:
        calls(source, sys.argv[2], rooms)
    for line in sorted(set(failed)):
        print(line)
    print(f"{len(rooms)} rooms, {len(set(failed))} uses that no row allows")
    sys.exit(1 if failed else 0)


main()
