#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the tables of docs/PERFORMANCE.md from docs/performance.

usage: tables.py SOURCE_DIR [--write]

Each table stands between two comments, <!-- table: NAME --> and
<!-- end -->.  Without --write nothing is changed, and the exit status is 1 if
a table is not what results.json, or for the lab's figures xen.txt, comes to.
"""
import json
import os
import re
import statistics
import sys

FOLDER = "docs/performance"
DOCUMENT = "docs/PERFORMANCE.md"
OURS = ["vmring discard", "vmring overwrite"]
BOTH = "(discarding, overwriting)"


class Results:
    """One run of vmring-bench."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.all = json.load(file)
        self.cases = {(case["group"], case["name"]): case
                      for case in self.all["cases"]}

    def case(self, group, name):
        return self.cases[group, name]

    def names(self, group):
        return [name for g, name in self.cases if g == group]

    def reference(self, group):
        return next(name for g, name in self.cases
                    if g == group and self.cases[g, name]["reference"])

    def ratios(self, group, name, other):
        """(first quartile, median, third) of the rounds' ratios."""
        a, b = self.case(group, name), self.case(group, other)
        if a["result"] != "ok" or b["result"] != "ok":
            return None
        each = [x / y for x, y in zip(a["samples"], b["samples"]) if y]
        if len(each) < 2:
            return (each[0],) * 3
        low, middle, high = statistics.quantiles(each, n=4,
                                                 method="inclusive")
        return low, middle, high

    def ratio(self, group, name, other=None):
        three = self.ratios(group, name, other or self.reference(group))
        return three[1] if three else None


def two(value):
    """A ratio."""
    return "-" if value is None else f"{value:.2f}"


def digits(value):
    """Three digits that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.01 else f"{value:.1e}"


def table(heads, rows, align=None):
    marks = align or ["---"] + ["--:"] * (len(heads) - 1)
    lines = ["| " + " | ".join(heads) + " |", "|" + "|".join(marks) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return lines


def spread(case, scale):
    """Median and quartiles."""
    if case is None or case["result"] != "ok":
        return "-"
    median, low, high = (digits(case[key] / scale)
                         for key in ("median", "q1", "q3"))
    return median if low == high else f"{median} ({low}-{high})"


def figure(results, group, name, scale):
    """Its spread, and its ratio to the group's reference."""
    case = results.cases.get((group, name))
    if case is None:
        return ""
    if case["result"] != "ok":
        return "torn" if "torn" in case["why"] else "not run"
    return f"{spread(case, scale)} **{two(results.ratio(group, name))}**"


def judged(value, target, less):
    kept = value <= target if less else value >= target
    return "kept" if kept else "**missed**"


class Summary:
    """The page of results: ratios within one run, beside what was aimed at."""

    HEADS = ["", "ratio", "aim", ""]

    def __init__(self, results):
        self.results = results
        self.rows = []

    def row(self, what, values, target, less):
        """The worst of the values is what is judged."""
        worst = max(values) if less else min(values)
        said = ", ".join(two(value) for value in values)
        aim = ("at most " if less else "at least ") + f"{target:g}"
        self.rows.append([what, said, aim, judged(worst, target, less)])

    def fastest_peer(self, group):
        peers = [case for (g, name), case in self.results.cases.items()
                 if g == group and case["result"] == "ok"
                 and name not in OURS
                 and not case["what"].startswith("limit")]
        return max(peers, key=lambda case: case["median"])["name"]

    def asynchronous(self):
        ours = [self.results.ratio("async-64-32", name) for name in OURS]
        self.row("small records, flushed every 32: rate, to a ring that only "
                 f"copies {BOTH}", ours, 0.9, False)
        peer = self.fastest_peer("async-64-32")
        ours = [self.results.ratio("async-64-32", name, peer)
                for name in OURS]
        self.row(f"the same, to the fastest of the others, {peer}", ours, 1,
                 False)
        for batch in (32, 1):
            group = f"async-408-{batch}"
            ours = [self.results.ratio(group, name, "legacy ring")
                    for name in OURS]
            often = "every 32" if batch == 32 else "one by one"
            self.row(f"records with registers, flushed {often}: rate, to the "
                     f"legacy ring {BOTH}", ours, 5, False)
        lost = self.results.ratio("push-cost-64", "lost")
        self.row("a lost event: time, to a delivered one", [lost], 1, True)
        scaled = [self.results.case("producers-16", name)["median"]
                  / self.results.case("producers-1", name)["median"]
                  for name in OURS]
        self.row(f"16 producers on one CPU: rate of all, to that of one {BOTH}",
                 scaled, 0.9, False)

    def synchronous(self):
        self.row("a round trip, both sides spinning: time, to a hand-off of "
                 "the same words (threads, processes)",
                 [self.results.ratio("sync-threads", "vmring"),
                  self.results.ratio("sync-processes", "vmring")], 1.5, True)
        self.row("4096 vCPUs that ask in turn: time, to 64",
                 [self.results.ratio("sync-slots-all", "vmring 4096")], 1.3,
                 True)
        kinds = ("futex", "eventfd", "socketpair-poll")
        for suffix, where in (("", "each on its own CPU"),
                              ("-one-cpu", "on one CPU")):
            self.row(f"a round trip, both sides asleep, {where}: time, to a "
                     "hand-off (futex, eventfd, the library's doorbell)",
                     [self.results.ratio(f"sync-{kind}{suffix}", "vmring")
                      for kind in kinds], 1.1, True)

    def others(self):
        names = ("live", "stopped", "dead", "reads all", "scribbles")
        for group, what in (("hostile-push", "a push"),
                            ("hostile-push-overwrite", "the same, overwriting"),
                            ("hostile-push-flush", "a push and its flush"),
                            ("hostile-request", "post, flush and collect")):
            values = []
            for name in names:
                case = self.results.case(group, name)
                values.append(case["median"] / case["extra"]["unloaded-p50"])
            self.row(f"{what}: 99.9th percentile, to the unloaded median "
                     f"({', '.join(names)})", values, 2, True)
        bells = max(self.results.case("doorbells", name)["median"]
                    for name in self.results.names("doorbells"))
        self.rows.append(["doorbells an event, under load, 64 vCPUs",
                          digits(bells), "at most 0.01",
                          judged(bells, 0.01, True)])

    def lines(self):
        self.asynchronous()
        self.synchronous()
        self.others()
        return table(self.HEADS, self.rows,
                     ["---", "--:", "--:", "---"])


def summary(results):
    return Summary(results).lines()


def machine(results):
    is_ = results.all["machine"]
    rows = [[key, str(is_[key])] for key in is_]
    rows.append(["rounds", f"{results.all['runs']}, of "
                 f"{results.all['run_ns'] / 1e6:g} ms a case"])
    lines = [statistics.median(case["line_ns"])
             for case in results.cases.values() if case.get("line_ns")]
    rows.append(["a cache line there and back", f"{min(lines) / 1e3:.2f} to "
                 f"{max(lines) / 1e3:.2f} µs, median "
                 f"{statistics.median(lines) / 1e3:.2f}: of the cases"])
    return table(["", ""], rows, ["---", "---"])


def by_size(results, prefix, size):
    groups = [f"{prefix}-{size}-{batch}" for batch in (1, 32)]
    names = list(dict.fromkeys(name for group in reversed(groups)
                               for name in results.names(group)))
    rows = [[name] + [figure(results, group, name, 1e6) for group in groups]
            for name in names]
    return table([f"{size} bytes, million/s", "flushed one by one",
                  "flushed every 32"], rows)


def producers(results):
    numbers = [1, 2, 4, 8, 16]
    rows = []
    for name in results.names("producers-1"):
        first = results.case("producers-1", name)
        row = [name]
        for number in numbers:
            case = results.case(f"producers-{number}", name)
            if "ok" != case["result"] or first["result"] != "ok":
                row.append("-")
                continue
            row.append(f"{spread(case, 1e6)} "
                       f"**{two(case['median'] / first['median'])}**")
        rows.append(row)
    return table(["million/s"] + [str(number) for number in numbers], rows)


def by_group(groups, scale, unit):
    def make(results):
        rows = []
        for group, title in groups:
            for name in results.names(group):
                rows.append([f"{title}: {name}" if title else name,
                             figure(results, group, name, scale)])
        return table(["", unit], rows)
    return make


def asleep(results):
    rows = []
    for kind, title in (("futex", "futex"), ("eventfd", "eventfd"),
                        ("socketpair", "socket pair, blocking `recv`"),
                        ("socketpair-poll",
                         "socket pair, `poll` and `recv`: the library's")):
        row = [title]
        for suffix in ("", "-one-cpu"):
            group = f"sync-{kind}{suffix}"
            row += [digits(results.case(group, "hand-off")["median"] / 1e3),
                    digits(results.case(group, "vmring")["median"] / 1e3),
                    f"**{two(results.ratio(group, 'vmring'))}**"]
        rows.append(row)
    return table(["asleep on, µs", "two CPUs: hand-off", "ring", "ratio",
                  "one CPU: hand-off", "ring", "ratio"], rows)


def hostile(results):
    rows = []
    for group, title in (("hostile-push", "push, discarding"),
                         ("hostile-push-overwrite", "push, overwriting"),
                         ("hostile-push-flush", "push and flush"),
                         ("hostile-request", "post, flush, collect")):
        for name in results.names(group):
            case = results.case(group, name)
            extra = case["extra"]
            rows.append([title, name]
                        + [f"{value:.0f}" for value in
                           (extra["p50"], extra["p99"], case["median"],
                            extra["unloaded-p50"])]
                        + [f"**{case['median'] / extra['unloaded-p50']:.1f}**",
                           f"{extra['noise-p99.9']:.0f}"])
            title = ""
    return table(["ns", "consumer", "p50", "p99", "p99.9", "unloaded p50",
                  "p99.9 by it", "noise"], rows,
                 ["---", "---"] + ["--:"] * 6)


def memory(results):
    rows = []
    for name in results.names("memory"):
        case = results.case("memory", name)
        extra = case["extra"]
        rows.append([name] + [f"{value:.0f}" for value in
                              (case["median"], extra["without_records"],
                               extra["per_event"],
                               extra["records_per_vcpu"])])
    return table(["64 KiB of records a vCPU", "bytes a vCPU",
                  "of these, not records", "bytes an event",
                  "records a vCPU"], rows)


def sizes(results):
    rows = []
    for name in results.names("sizes"):
        case = results.case("sizes", name)
        rows.append([name, f"{case['median']:.0f}",
                     f"{case['extra']['records']:.0f}"])
    return table(["", "bytes of both regions", "records carried"], rows)


def agent(results):
    rows = []
    for name in results.names("agent-rate"):
        case = results.case("agent-rate", name)
        rows.append([name, spread(case, 1e3) + " k/s",
                     f"{case['extra']['lost']:.0f} lost"])
    for name in results.names("agent-latency"):
        case = results.case("agent-latency", name)
        rows.append([f"{name}, 10 000 a second",
                     f"p50 {digits(case['median'] / 1e3)} µs",
                     f"p99 {digits(case['extra']['p99'] / 1e3)} µs"])
    return table(["4 vCPUs", "", ""], rows)


class Lab:
    """What the scenarios that compare, and steps.py, printed."""

    FIGURES = re.compile(r"figures: (.+?)\s+vcpus (\d+), \d+ events, (\d+)/s, "
                         r"p50 ([\d.]+) us, p99 ([\d.]+) us")
    RATIO = re.compile(r"(a?sync, \d+ vCPUs?)\s+ratio\s+([\d.]+)\s+"
                       r"p50\s+([\d.]+)\s+p99\s+([\d.]+)")

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.text = file.read()

    def compare(self):
        rows, first, turn = [], None, 0
        for who, vcpus, rate, p50, p99 in self.FIGURES.findall(self.text):
            mine = [float(rate), float(p50), float(p99)]
            if who == "xen-access":
                first = mine
                turn += 1
                continue
            rows.append([f"round {turn}: {who}, {vcpus} vCPU"
                         + "s" * (vcpus != "1")]
                        + [two(a / b) for a, b in zip(mine, first)])
        return table(["to `xen-access` in the same round", "events a second",
                      "p50", "p99"], rows)

    def domains(self):
        rows, seen = [], {}
        for what, *ratios in self.RATIO.findall(self.text):
            seen[what] = seen.get(what, 0) + 1
            rows.append([f"round {seen[what]}: {what}"] + ratios)
        return table(["grant to local, in the same boot", "events a second",
                      "p50", "p99"], rows)

    def printed(self, head):
        """The rows of each table whose first column is headed `head`."""
        rows, inside = [], False
        for line in self.text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not line.startswith("| ") or line.startswith("|--"):
                inside = inside and line.startswith("|--")
            elif re.match(head, cells[0]):
                inside, work = True, cells[0]
            elif inside:
                rows.append([work] + cells)
        return rows

    def native(self):
        rows = []
        for work, who, *cells in self.printed(r".*CPUs$"):
            to_access = cells[4] if cells[4] != "-, -" else "-"
            rows.append([f"{work}: {who}".replace(" 1 vCPUs", " 1 vCPU"),
                         cells[3], to_access])
        return table(["", "p50, to nobody watching",
                      "events a second, p50: to `xen-access`"], rows)

    def waiting(self):
        return table(["of 16 vCPUs, in 10 looks", "wait for a verdict",
                      "queued for room"],
                     [row[1:] for row in self.printed("of 16 vCPUs")])

    def instructions(self):
        return table(["`monitor_traps()`", "instructions", "quartiles"],
                     [row[1:4] for row in self.printed("monitor_traps")])


TABLES = {
    "summary": summary,
    "machine": machine,
    "async-64": lambda results: by_size(results, "async", 64),
    "async-408": lambda results: by_size(results, "async", 408),
    "processes-64": lambda results: by_size(results, "async-processes", 64),
    "processes-408": lambda results: by_size(results, "async-processes", 408),
    "producers": producers,
    "spinning": by_group([("sync-threads", "threads"),
                          ("sync-processes", "processes")], 1, "ns"),
    "slots": by_group([("sync-slots-one", "the last asks"),
                       ("sync-slots-all", "all ask in turn")], 1, "ns"),
    "asleep": asleep,
    "costs": by_group([("push-cost-64", "64 bytes"),
                       ("push-cost-408", "408 bytes")], 1, "ns"),
    "hostile": hostile,
    "memory": memory,
    "sizes": sizes,
    "agent": agent,
}


def main():
    if len(sys.argv) < 2 or sys.argv[2:] not in ([], ["--write"]):
        sys.exit(__doc__)
    root = sys.argv[1]
    results = Results(os.path.join(root, FOLDER, "results.json"))
    lab = Lab(os.path.join(root, FOLDER, "xen.txt"))
    makers = {name: lambda make=make: make(results)
              for name, make in TABLES.items()}
    makers.update({"compare": lab.compare, "domains": lab.domains,
                   "native": lab.native, "waiting": lab.waiting,
                   "instructions": lab.instructions})
    path = os.path.join(root, DOCUMENT)
    with open(path, encoding="utf-8") as file:
        old = file.read()
    named = re.findall(r"<!-- table: (\S+) -->", old)
    unknown = set(named) - set(makers)
    if unknown:
        sys.exit(f"{DOCUMENT}: no such table: {' '.join(sorted(unknown))}")

    def made(match):
        return (f"<!-- table: {match[1]} -->\n"
                + "\n".join(makers[match[1]]()) + "\n<!-- end -->")

    new = re.sub(r"<!-- table: (\S+) -->\n.*?<!-- end -->", made, old,
                 flags=re.S)
    if "--write" in sys.argv:
        with open(path, "w", encoding="utf-8") as file:
            file.write(new)
        return
    for number, (a, b) in enumerate(zip(old.splitlines(), new.splitlines()),
                                    1):
        if a != b:
            sys.exit(f"{DOCUMENT}:{number}: is not what {FOLDER} comes to:\n"
                     f"{a}\n{b}\ntests/bench/tables.py . --write")
    if old != new:
        sys.exit(f"{DOCUMENT} is not what {FOLDER} comes to")
    print(f"{len(named)} tables agree")


if __name__ == "__main__":
    main()
