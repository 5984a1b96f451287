#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Damages libvmring/core, one small thing at a time; each must be noticed.

The tree is copied to a folder of its own, built there with tests, and each
damage of damages.txt is applied to that copy alone: what depends on it is
built again, and tests run until one fails. Exit status 0: a test has
noticed each; 1: not so; 77: cannot be run here.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Nothing is left behind in the source's folder.
sys.dont_write_bytecode = True

import damages as table
from suite import Suite


def copy_tree(source, to):
    """Brings `to` up to date; what has not changed keeps its time."""
    listed = subprocess.run(
        ["git", "-C", source, "ls-files", "-co", "--exclude-standard", "-z"],
        capture_output=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        # Not out of git: all but what has been built there.
        names = []
        for folder, folders, files in os.walk(source):
            if "CMakeCache.txt" in files:
                folders.clear()
                continue
            names += [os.path.relpath(os.path.join(folder, name), source)
                      for name in files]
    for name in names:
        old, new = to / name, source / name
        if not new.is_file():
            continue
        if old.is_file() and old.read_bytes() == new.read_bytes():
            continue
        old.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(new, old)
    return names


def remove_gone(names, to):
    """A file that the source has no more is not built either."""
    keep = set(names)
    for path in to.rglob("*"):
        if path.is_file() and str(path.relative_to(to)) not in keep:
            path.unlink()


class Run:
    """Damages one after the other, in one copy of the tree."""

    def __init__(self, suite, tree, options):
        self.suite, self.tree, self.options = suite, tree, options
        self.noticed = {}
        # Which test noticed the last time, to be tried first.
        self.memory = tree.parent / "noticed.json"
        self.last_time = {}
        if self.memory.is_file():
            self.last_time = json.loads(self.memory.read_text("utf-8"))

    def judge(self, damage):
        """Which tests notice: the first, or with --all each of them."""
        noticed = []
        likely = [damage.first, self.last_time.get(damage.name)]
        for stage in self.suite.stages(damage, likely):
            self.suite.build(stage)
            noticed += self.run_stage(stage)
            if noticed and not self.options.all:
                break
        return noticed

    def run_stage(self, stage):
        """Runs tests, some at a time; the names of those that fail."""
        noticed = []

        def run(test):
            if noticed and not self.options.all:
                return
            how = self.suite.run(test)
            if how:
                noticed.append((test.name, how))

        jobs = self.options.jobs
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(run, [t for t in stage if not t.serial]))
        for test in stage:
            if test.serial:
                run(test)
        order = {test.name: i for i, test in enumerate(stage)}
        return sorted(noticed, key=lambda row: order[row[0]])

    def damage(self, damage):
        """Applies it, has it judged, and puts the file back."""
        path = self.tree / table.CORE / damage.file
        good = path.read_text(encoding="utf-8")
        begun = time.monotonic()
        path.write_text(damage.apply(good), encoding="utf-8")
        try:
            noticed = self.judge(damage)
        finally:
            path.write_text(good, encoding="utf-8")
        self.noticed.setdefault(damage.name, []).extend(noticed)
        if noticed:
            self.last_time[damage.name] = noticed[0][0]
            self.memory.write_text(json.dumps(self.last_time), "utf-8")
        print(f"{damage.name:36} {self.by(damage)}  "
              f"[{time.monotonic() - begun:.0f} s]", flush=True)

    def by(self, damage):
        """What to say of who noticed."""
        noticed = self.noticed[damage.name]
        if noticed:
            return ", ".join(name + (f" ({how})" if how != "failed" else "")
                             for name, how in noticed)
        if damage.ordering and not self.suite.has_models():
            return "pending: no models here"
        return "not noticed"

    def missed(self, damages):
        """Those that no test has noticed so far."""
        return [damage for damage in damages
                if not self.noticed.get(damage.name)]


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="top of the tree")
    parser.add_argument("--check", action="store_true",
                        help="only see that each damage still fits")
    parser.add_argument("--sample", action="store_true",
                        help="only the few that are marked, by core's tests")
    parser.add_argument("--core", action="store_true",
                        help="only by core's own tests and the models")
    parser.add_argument("--all", action="store_true",
                        help="list every test that notices")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[],
                        help="only these damages")
    parser.add_argument("--work", type=Path,
                        help="keep copy and build in this folder")
    parser.add_argument("--markdown", type=Path,
                        help="write who noticed what to this file")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def chosen(all_damages, options):
    """Those that the command line names."""
    unknown = set(options.only) - {damage.name for damage in all_damages}
    if unknown:
        sys.exit(f"no such damage: {', '.join(sorted(unknown))}")
    return [damage for damage in all_damages
            if (not options.only or damage.name in options.only)
            and (not options.sample or damage.sample)]


def report(run, damages, path):
    """A table of Markdown: for each test, what it was the first to notice."""
    first = {}
    for damage in damages:
        noticed = run.noticed[damage.name]
        name = noticed[0][0] if noticed else run.by(damage)
        first.setdefault(name, []).append(damage.name)
    with open(path, "w", encoding="utf-8") as out:
        print("| first noticed by | | damages |\n|---|---|---|", file=out)
        for name, names in sorted(first.items()):
            print(f"| {name} | {len(names)} | {', '.join(names)} |", file=out)


def judge_all(run, todo, options):
    """By core's tests; what they miss, or with --all everything, by all."""
    if options.sample:
        run.suite.use_likely(todo)
    else:
        run.suite.use_core(todo)
    print(f"{len(todo)} damages; {len(run.suite.tests)} tests pass without "
          "any", flush=True)
    for damage in todo:
        run.damage(damage)
    left = todo if options.all else run.missed(todo)
    if options.sample or options.core or not left:
        return
    print(f"{len(left)} by all other tests", flush=True)
    run.suite.use_others(left)
    for damage in left:
        run.damage(damage)


def main():
    """Everything."""
    options = arguments()
    source = options.source.resolve()
    try:
        all_damages, errors = table.load(source)
    except table.TableError as error:
        all_damages, errors = [], [error]
    if errors:
        sys.exit("\n".join(map(str, errors)) +
                 f"\nsay in {table.TABLE} what the damage is now")
    if options.check:
        print(f"{len(all_damages)} damages, each fits once")
        return 0
    if not shutil.which("cmake") or not shutil.which("ninja"):
        print("cmake or ninja is not here")
        return 77

    todo = chosen(all_damages, options)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vmring-mutation-") as temporary:
        work = (options.work or Path(temporary)).resolve()
        tree = work / "tree"
        tree.mkdir(parents=True, exist_ok=True)
        lock = open(work / "lock", "w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another run is at work in {work}")
        remove_gone(copy_tree(source, tree), tree)
        run = Run(Suite(tree, work / "build", options.jobs), tree, options)
        run.suite.configure()
        judge_all(run, todo, options)
        if options.markdown:
            report(run, todo, options.markdown)
        missed = [damage.name for damage in run.missed(todo)]
    print(f"{len(todo) - len(missed)} of {len(todo)} noticed, "
          f"{time.monotonic() - begun:.0f} s")
    if missed:
        print("not noticed: " + " ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
