#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: what the documents name is there: tests, files, sections; so are
# the documents that sources name; and docs/VERIFICATION.md can still be read in
# one sitting.
#
# usage: documents.py SOURCE_DIR NAMES
#
# NAMES has the name of every test, one a line: see test_names.sh.
import fnmatch
import os
import re
import sys

LONGEST = {"docs/VERIFICATION.md": 250}
# Tables that have the claims' tests: each row names one.
CLAIMS = "docs/VERIFICATION.md"
TESTS = {"test", "tests", "tested by"}
BUILT = re.compile(r"^(\.git|build.*)$")
XEN = {"vm_event.h", "ring.h", "domctl.h", "memory.h"}
SOURCE = re.compile(r"^[\w@./*-]+\.(c|h|md|sh|py|txt|json|cmake|in|pml)$")

failed = 0


def say(path, number, text):
    global failed
    print(f"{path}:{number}: {text}")
    failed += 1


def tree(root):
    """Each file of the tree, by its path."""
    found = []
    for folder, folders, files in os.walk(root):
        if folder == root:
            folders[:] = [name for name in folders if not BUILT.match(name)]
        found += [os.path.relpath(os.path.join(folder, name), root)
                  for name in files]
    return found


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def words(text):
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def known(names, pattern):
    return any(fnmatch.fnmatchcase(name, pattern) for name in names)


def lines_of(root, path):
    """(number, line, whether it is code) of each line."""
    code = False
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("```"):
                code = not code
            yield number, line.rstrip("\n"), code


def tables(root, path, names):
    """Every test that a table names exists."""
    column = None
    for number, line, code in lines_of(root, path):
        if code or not line.startswith("|"):
            column = None
            continue
        row = cells(line)
        if column is None:
            heads = [cell.lower() for cell in row]
            column = next((i for i, h in enumerate(heads) if h in TESTS), -1)
            continue
        if column < 0 or set(line) <= set("|-: "):
            continue
        named = words(row[column]) if column < len(row) else []
        if not named and path == CLAIMS:
            say(path, number, "a claim without a test")
        for name in named:
            if not known(names, name):
                say(path, number, f"there is no test {name}")


def commands(root, path, names):
    """What `ctest -R` is to find is there to be found."""
    for number, line, _ in lines_of(root, path):
        for pattern in re.findall(r"ctest\b.* -R +'?([^'` ]+)'?", line):
            if "NAME" in pattern:
                continue
            if not any(re.search(pattern, name) for name in names):
                say(path, number, f"no test is found by {pattern}")


def anchor(title):
    """As it is made of a heading."""
    title = re.sub(r"[^\w\- ]", "", title.strip().lower())
    return title.replace(" ", "-")


def anchors(root, path):
    return {anchor(line.lstrip("#")) for _, line, code in lines_of(root, path)
            if line.startswith("#") and not code}


def links(root, path, files):
    """Each link within the tree leads somewhere."""
    for number, line, code in lines_of(root, path):
        if code:
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"^[a-z]+:", target):
                continue
            where, _, section = target.partition("#")
            there = os.path.normpath(
                os.path.join(os.path.dirname(path), where)) if where else path
            if there not in files and not os.path.isdir(
                    os.path.join(root, there)):
                say(path, number, f"{target} leads nowhere")
            elif section and section not in anchors(root, there):
                say(path, number, f"{target}: there is no such section")


def sources(root, path, files):
    """Each file of the project that is named exists."""
    tops = {name.split("/")[0] for name in files if "/" in name}
    base = {os.path.basename(name) for name in files} | XEN
    for number, line, code in lines_of(root, path):
        for word in [] if code else words(line):
            if word.endswith("/") and word.split("/")[0] in tops:
                if not os.path.isdir(os.path.join(root, word)):
                    say(path, number, f"there is no {word}")
            if not SOURCE.match(word):
                continue
            if "/" not in word:
                if not fnmatch.filter(base, word):
                    say(path, number, f"no file is called {word}")
            elif word.split("/")[0] in tops:
                if not fnmatch.filter(files, word):
                    say(path, number, f"there is no {word}")


def mentions(root, files):
    """Each document that a source names exists."""
    for path in files:
        if not re.search(r"\.(c|h|sh|py|cmake|in|[378])$|CMakeLists", path):
            continue
        with open(os.path.join(root, path), encoding="utf-8",
                  errors="replace") as file:
            for number, line in enumerate(file, 1):
                for name in re.findall(r"\bdocs/[\w-]+\.md", line):
                    if name not in files:
                        say(path, number, f"there is no {name}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    root = sys.argv[1]
    with open(sys.argv[2], encoding="utf-8") as file:
        names = file.read().split()
    files = tree(root)
    documents = sorted(path for path in files if path.endswith(".md")
                       and path != "CHANGELOG.md")
    for path in documents:
        links(root, path, set(files))
        commands(root, path, names)
        if path.startswith("docs/") or "/" not in path:
            tables(root, path, names)
            sources(root, path, files)
    mentions(root, files)
    for path, most in LONGEST.items():
        number = sum(1 for _ in lines_of(root, path))
        if number > most:
            say(path, number, f"longer than {most} lines")
    print(f"{len(documents)} documents, {len(names)} tests, {failed} failures")
    sys.exit(1 if failed else 0)


main()
