# SPDX-License-Identifier: MIT
"""The table of damages: damages.txt, read and applied to a file's text."""

import re
from pathlib import Path

CORE = Path("libvmring/core")
TABLE = Path("tests/mutation/damages.txt")

# What may stand between two tokens: space, comments, a macro's line ends.
GAP = r"(?:\s|\\\n|/\*(?:(?!\*/)[\s\S])*\*/)*"
TOKEN = re.compile(r'"[^"]*"|\w+|[^\w\s]')
KEYS = ("file", "in", "what", "first")
FLAGS = ("sample", "ordering")


class TableError(Exception):
    """A damage that is not written as it should be, or fits no more."""


class Damage:
    """One entry: its name, keys, and pairs of old and new text."""

    def __init__(self, name):
        self.name = name
        self.hunks = []
        self.file = self.what = None
        self.function = None  # where the old texts are looked for
        self.first = ""  # a test to try before all others
        self.sample = False  # of the few that the test suite runs
        self.ordering = False  # shows in a model of weak memory alone

    def apply(self, text):
        """The damaged text of self.file.  Each old text fits exactly once."""
        begin, end = self.scope(text)
        body = text[begin:end]
        for old, new in self.hunks:
            found = list(pattern(old).finditer(body))
            if len(found) != 1:
                raise TableError(
                    f"{self.name}: its old text is {len(found)} times in "
                    f"{self.file}{', ' + self.function if self.function else ''}"
                    f", not once:\n{old}")
            body = (body[:found[0].start()] + new.rstrip("\n") +
                    body[found[0].end():])
            if bare(old) == bare(new):
                raise TableError(f"{self.name}: changes nothing")
        return text[:begin] + body + text[end:]

    def scope(self, text):
        """Where in the text the old texts are looked for."""
        if not self.function:
            return 0, len(text)
        found = list(re.finditer(
            rf"^(?![#\s/*}}])[^;{{}}]*?\b{self.function}\([^;{{}}]*\)\s*\{{"
            r"[\s\S]*?^\}", text, re.M))
        if len(found) != 1:
            raise TableError(f"{self.name}: {self.function}() is "
                             f"{len(found)} times in {self.file}, not once")
        return found[0].span()


def pattern(old):
    """An expression for the tokens of `old`, however they are laid out."""
    tokens = TOKEN.findall(old)
    text = GAP.join(re.escape(token) for token in tokens)
    if re.match(r"\w", tokens[0]):
        text = r"\b" + text
    if re.match(r"\w", tokens[-1]):
        text += r"\b"
    return re.compile(text)


def bare(text):
    """The tokens that a compiler sees."""
    return TOKEN.findall(re.sub(r"/\*[\s\S]*?\*/|\\\n", " ", text))


def parse(lines):
    """The damages of a table, in its order."""
    damages, damage, side = [], None, None
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\n")
        if not line.strip() or line.startswith("#"):
            side = None
            continue
        head = re.fullmatch(r"\[(\w+)\]", line)
        if head:
            damage, side = Damage(head[1]), None
            damages.append(damage)
            continue
        if damage is None:
            raise TableError(f"line {number}: before the first [name]")
        if line[0] in "-+":
            if line[0] == "-" and side != "-":
                damage.hunks.append(["", ""])
            if not damage.hunks:
                raise TableError(f"line {number}: + before any -")
            side = line[0]
            damage.hunks[-1][side == "+"] += line[1:].strip() + "\n"
            continue
        key, _, value = line.partition(" ")
        if key in FLAGS and not value:
            setattr(damage, key, True)
        elif key in KEYS and value:
            setattr(damage, "function" if key == "in" else key, value.strip())
        else:
            raise TableError(f"line {number}: {line}")
    return damages


def load(source):
    """A tree's table, and what is wrong with it in that tree."""
    with open(source / TABLE, encoding="utf-8") as table:
        damages = parse(table)
    names, results, errors, texts = set(), {}, [], {}
    for damage in damages:
        try:
            if damage.name in names:
                raise TableError(f"{damage.name}: twice")
            names.add(damage.name)
            if not damage.file or not damage.what or not damage.hunks:
                raise TableError(f"{damage.name}: no file, what, or old text")
            if damage.file not in texts:
                path = source / CORE / damage.file
                texts[damage.file] = path.read_text(encoding="utf-8")
            result = (damage.file, damage.apply(texts[damage.file]))
            if result in results:
                raise TableError(f"{damage.name}: as {results[result]}")
            results[result] = damage.name
        except TableError as error:
            errors.append(error)
    return damages, errors
