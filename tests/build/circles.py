#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: within a room no two files call each other, whatever is between
# them: calls go one way.
#
# usage: circles.py SOURCE_DIR BUILD_DIR ROOM...
#        circles.py --planted SOURCE_DIR BUILD_DIR ROOM
#
# What is called is read from the symbols of the objects in the build folder.
# --planted: two files that call each other are noticed among the room's.
import collections
import os
import re
import subprocess
import sys


def objects(source, build):
    """Of each room the files, and the object that CMake has made of each."""
    rooms = collections.defaultdict(dict)
    for folder, _, files in os.walk(build):
        match = re.match(r"(.*)/CMakeFiles/[^/]+\.dir(?:/(.*))?$",
                         os.path.relpath(folder, build))
        if not match:
            continue
        inner = (match.group(2) or "").replace("__", "..")
        for name in files:
            path = os.path.normpath(
                os.path.join(match.group(1), inner, name[:-2]))
            if name.endswith(".c.o") and \
                    os.path.exists(os.path.join(source, path)):
                rooms[os.path.dirname(path)][path] = os.path.join(folder, name)
    return rooms


def symbols(built):
    """Of each file the names that it defines, and those that it needs."""
    tables = {path: (set(), set()) for path in built}
    file_of = {name: path for path, name in built.items()}
    for line in subprocess.run(["nm", "-A", "-g", "-P", *file_of], check=True,
                               text=True, capture_output=True
                               ).stdout.splitlines():
        path, _, rest = line.partition(": ")
        name, kind = rest.split()[:2]
        tables[file_of[path]][kind in "Uw"].add(name)
    return tables


def calls_of(tables):
    """Whom each file calls, and by what name."""
    defined = {name: path for path, (has, _) in tables.items() for name in has}
    calls = collections.defaultdict(dict)
    for path, (_, needs) in tables.items():
        for name in sorted(needs & set(defined)):
            if defined[name] != path:
                calls[path].setdefault(defined[name], name)
    return calls


def circle(calls, start):
    """The shortest way from a file back to it, or None."""
    before = {start: None}
    queue = collections.deque([start])
    while queue:
        path = queue.popleft()
        for called in sorted(calls.get(path, ())):
            if called == start:
                way = [path]
                while before[way[-1]]:
                    way.append(before[way[-1]])
                return way[::-1] + [start]
            if called not in before:
                before[called] = path
                queue.append(called)
    return None


def check(calls):
    """Says each circle; returns their number."""
    told, nr = set(), 0
    for path in sorted(calls):
        way = None if path in told else circle(calls, path)
        if way:
            told.update(way)
            nr += 1
            print("a circle: " + ", ".join(
                f"{a} calls {calls[a][b]}() of {b}"
                for a, b in zip(way, way[1:])))
    return nr


def tables_of(rooms, room):
    if len(rooms[room]) < 2:
        sys.exit(f"{room}: there are no objects: build it first")
    return symbols(rooms[room])


def main():
    arguments = sys.argv[1:]
    if arguments[0] == "--planted":
        source, build, room = arguments[1:]
        tables = tables_of(objects(source, build), room)
        tables["one"] = ({"planted_one"}, {"planted_other"})
        tables["other"] = ({"planted_other"}, {"planted_one"})
        sys.exit(0 if check(calls_of(tables)) == 1 else 1)
    source, build, *rooms = arguments
    built = objects(source, build)
    failed = sum(check(calls_of(tables_of(built, room))) for room in rooms)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
