#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""abi_tables.py FILE...: the layout tables of documents (.md), every structure
and field, against golden tables (.size), which each build compares with the
compiler's layout. Exits 1 at any difference."""
import re
import sys

CELL = re.compile(r"(?<!\\)\|")
NAME = re.compile(r"`(\w+)`")


def rows(text):
    """(structure, size, offset, field size, names) of each layout row."""
    structure = None
    for line in text.splitlines():
        heading = re.match(r"### `(\w+)`, (\d+) bytes$", line)
        if heading:
            structure = heading.groups()
        elif line.startswith("#"):
            structure = None
        if not line.startswith("| "):
            continue
        cells = [cell.strip() for cell in CELL.split(line)[1:-1]]
        nested = re.match(r"`(\w+)`, (\d+)$", cells[0])
        if nested:
            structure = nested.groups()
        if nested or cells[0] == "":
            cells = cells[1:]
        if structure and cells[0].isdigit() and cells[1].isdigit():
            yield structure, int(cells[0]), int(cells[1]), \
                NAME.findall(cells[2])


def in_document(path, layout):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = text[text.index("\n## Layout\n") + 1:]
    text = text[:text.index("\n## ")]
    for (name, size), offset, each, fields in rows(text):
        layout[name] = int(size)
        for i, field in enumerate(fields):
            key = name + "." + field
            if key in layout:
                sys.exit(f"{key} stands in the document twice")
            layout[key] = (offset + i * each, each)


def golden(path, layout):
    with open(path, encoding="ascii") as file:
        for line in file:
            if line.startswith("#"):
                continue
            name, first, second = line.split()
            layout[name] = (int(first), int(second)) if "." in name \
                else int(first)


def main():
    document, table = {}, {}
    for path in sys.argv[1:]:
        if path.endswith(".md"):
            in_document(path, document)
        else:
            golden(path, table)
    wrong = [name for name in sorted(set(document) | set(table))
             if document.get(name) != table.get(name)]
    for name in wrong:
        print(f"{name}: the documents have {document.get(name)}, "
              f"the compiler {table.get(name)}")
    print(f"{len(table)} structures and fields, {len(wrong)} differ")
    sys.exit(1 if wrong or not table else 0)


main()
