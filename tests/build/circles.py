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


def objects(source, build, room):
    """(file, object) of each object that CMake has made of a room's files."""
    for folder, _, files in os.walk(build):
        match = re.match(r"(.*)/CMakeFiles/[^/]+\.dir(?:/(.*))?$",
                         os.path.relpath(folder, build))
        if not match:
            continue
        inner = (match.group(2) or "").replace("__", "..")
        for name in files:
            path = os.path.normpath(
                os.path.join(match.group(1), inner, name[:-2]))
            if name.endswith(".c.o") and os.path.dirname(path) == room and \
                    os.path.exists(os.path.join(source, path)):
                yield path, os.path.join(folder, name)


def symbols(path):
    """The names that an object defines, and those that it needs."""
    has, needs = set(), set()
    for line in subprocess.run(["nm", "-g", "-P", path], check=True, text=True,
                               capture_output=True).stdout.splitlines():
        name, kind = line.split()[:2]
        (needs if kind in "Uw" else has).add(name)
    return has, needs


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


def tables_of(source, build, room):
    tables = {path: symbols(built)
              for path, built in objects(source, build, room)}
    if len(tables) < 2:
        sys.exit(f"{room}: there are no objects: build it first")
    return tables


def main():
    arguments = sys.argv[1:]
    if arguments[0] == "--planted":
        source, build, room = arguments[1:]
        tables = tables_of(source, build, room)
        tables["one"] = ({"planted_one"}, {"planted_other"})
        tables["other"] = ({"planted_other"}, {"planted_one"})
        sys.exit(0 if check(calls_of(tables)) == 1 else 1)
    source, build, *rooms = arguments
    failed = sum(check(calls_of(tables_of(source, build, room)))
                 for room in rooms)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
