#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: the rules of the ABI's documents are numbered without holes, say
# whom they bind and how, and each has a row of tests in docs/CONFORMANCE.md
# that exist; or of a reason why it can be read and not tried.
#
# usage: conformance.py SOURCE_DIR NAMES
#
# NAMES has the tests of this build, one a line. One that only another build
# has, as proofs do, is looked for in the files that declare tests.
import glob
import os
import re
import sys

DOCUMENTS = ("ABI.md", "BINDING-LOCAL.md", "BINDING-GRANT.md")
RULE = re.compile(r"^- \*\*([A-Z])([0-9]+)\*\* (.*)")
SIDE = re.compile(r"^(Producer|Consumer|Both): ")
VERB = re.compile(r"\bMUST NOT\b|\bMUST\b|\bMAY\b")
ROW = re.compile(r"^\| ([A-Z][0-9]+) \| (.*) \|$")
# A reason for not being tried is a sentence.
LEAST = 30
# What tests begin with that this build may have none of.
KINDS = {"xen", "model", "fuzz", "mutation"}

failed = 0


def say(text):
    global failed
    print(text)
    failed += 1


def rules_of(path):
    """(letter, number, text) of each rule: a list item, to its end."""
    found, text = [], None
    with open(path, encoding="utf-8") as file:
        for line in file:
            begins = RULE.match(line)
            if begins:
                text = [begins.group(3)]
                found.append((begins.group(1), int(begins.group(2)), text))
            elif text is not None and line.startswith("  "):
                text.append(line.strip())
            else:
                text = None
    return [(letter, number, " ".join(text)) for letter, number, text in found]


def check_rules(path):
    name, last = os.path.basename(path), {}
    rules = rules_of(path)
    for letter, number, text in rules:
        rule = f"{letter}{number}"
        if number != last.get(letter, 0) + 1:
            say(f"{name}: {rule} does not follow {letter}{number - 1}")
        last[letter] = number
        if not SIDE.match(text):
            say(f"{name}: {rule} does not say whom it binds")
        if not VERB.search(text):
            say(f"{name}: {rule} says neither MUST nor MAY")
        if re.search(r"\bvmring?_\w+\(", text) or re.search(r"\bvmr_", text):
            say(f"{name}: {rule} names a function of the library")
    return [f"{letter}{number}" for letter, number, _ in rules]


def check_sides(path):
    """The table of rules by side has each rule, and no other."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if "<!-- rules by side -->" not in text:
        return
    table = text.split("<!-- rules by side -->")[1].split("<!-- end")[0]
    listed = {"Both": set(), "Producer": set(), "Consumer": set()}
    for line in table.splitlines():
        for side, cell in zip(listed, line.split("|")[2:5]):
            for letter, first, last in re.findall(
                    r"\b([A-Z])(\d+)(?:–[A-Z](\d+))?", cell):
                listed[side] |= {f"{letter}{n}" for n in range(
                    int(first), int(last or first) + 1)}
    for letter, number, rule in rules_of(path):
        for side, names in listed.items():
            if (f"{letter}{number}" in names) != bool(
                    re.search(rf"(?:^|\. ){side}: ", rule)):
                say(f"{os.path.basename(path)}: {letter}{number} is "
                    f"listed otherwise than it binds: {side}")


def outside_of_rules(path):
    """MUST where no rule stands binds nobody, and looks as if it did."""
    rules = " ".join(text for _, _, text in rules_of(path))
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = text.split("## How rules are written", 1)[-1]
    text = re.sub(r"\*MUST( NOT)?\*", "", text)
    if len(re.findall(r"\bMUST\b", text)) != len(re.findall(r"\bMUST\b", rules)):
        say(f"{os.path.basename(path)}: a MUST stands outside of a rule")


def declared(root):
    """What the files that declare tests call them: whole, or behind what a
    kind of test begins with."""
    words = set()
    for pattern in ("**/*.cmake", "**/CMakeLists.txt"):
        for path in glob.glob(os.path.join(root, "tests", pattern),
                              recursive=True):
            with open(path, encoding="utf-8") as file:
                text = re.sub(r"#.*", "", file.read())
            words.update(re.findall(
                r"\b(?:vmring_\w*test|lab_test|add_test)\(\s*(\w+)", text))
            for names in re.findall(r"\bforeach\(\w+([^)]*)\)", text):
                words.update(re.findall(r"\b\w+\b", names))
    return {word for word in words if not word.isupper()}


def exists(name, names, words):
    kind, _, rest = name.partition("_")
    kinds = {other.partition("_")[0] for other in names} | KINDS
    return name in names or name in words or kind in kinds and rest in words


def check_row(rule, cell, names, words):
    if cell.startswith("by reading: "):
        if len(cell) < LEAST:
            say(f"{rule}: by reading, and no reason")
        return
    tests = re.findall(r"`(\w+)`", cell)
    if not tests or re.sub(r"`\w+`|[, ]", "", cell):
        say(f"{rule}: neither tests nor by reading: {cell}")
    for name in tests:
        if not exists(name, names, words):
            say(f"{rule}: there is no test {name}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    root = sys.argv[1]
    with open(sys.argv[2], encoding="utf-8") as file:
        names = set(file.read().split())
    words = declared(root)
    rules, rows = [], []
    for document in DOCUMENTS:
        path = os.path.join(root, "docs", document)
        rules += check_rules(path)
        check_sides(path)
        outside_of_rules(path)
    with open(os.path.join(root, "docs", "CONFORMANCE.md"),
              encoding="utf-8") as file:
        for line in file:
            row = ROW.match(line)
            if row:
                rows.append(row.group(1))
                check_row(row.group(1), row.group(2), names, words)
            elif line.startswith("| ") and line != "| rule | tests |\n":
                say(f"no row of a rule: {line.strip()}")
    for rule in sorted(set(rules) - set(rows)):
        say(f"{rule}: a rule without a row")
    for rule in sorted(set(rows) - set(rules)):
        say(f"{rule}: a row without a rule")
    for rule in sorted({row for row in rows if rows.count(row) > 1}):
        say(f"{rule}: two rows")
    print(f"{len(rules)} rules, {len(names)} tests, {failed} failures")
    sys.exit(1 if failed or len(rules) < 100 or not names else 0)


main()
