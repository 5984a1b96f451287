#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the figures of docs/performance from the JSON of vmring-bench.

usage: plot.py RUN.json FOLDER

One SVG a figure: a panel for each group of cases, a bar for the median, a
line from the first quartile to the third.  A panel is logarithmic when its
medians are more than a factor of 20 apart, and says so.
"""
import json
import math
import os
import sys
from html import escape

WIDTH, LEFT, RIGHT, ROW, BAR = 860, 208, 176, 24, 14
PLOT = WIDTH - LEFT - RIGHT

STYLE = """
text { font: 13px "DejaVu Sans", Verdana, sans-serif; fill: #24292f }
.title { font-size: 17px; font-weight: bold }
.panel { font-size: 13.5px; font-weight: bold }
.small { font-size: 11.5px; fill: #57606a }
.card { fill: #ffffff; stroke: #d0d7de }
.grid { stroke: #d8dee4 }
.own { fill: #2f6fd0 } .limit { fill: #9aa4af } .peer { fill: #c98a1b }
.spread { stroke: #24292f; stroke-width: 1.6 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.small { fill: #9aa4af }
.card { fill: #161b22; stroke: #30363d }
.grid { stroke: #30363d }
.own { fill: #4f93f5 } .limit { fill: #6e7681 } .peer { fill: #d9a441 }
.spread { stroke: #f0f6fc }
}
"""

# Figure, its title, and of which groups: names, or beginnings with a *.
FIGURES = [
    ("async", "One producer, one consumer: records a second",
     ["async-64-32", "async-64-1", "async-408-32", "async-408-1"]),
    ("async-processes", "The same between two processes",
     ["async-processes-*"]),
    ("producers", "Several producers on two CPUs: records a second",
     ["producers-*"]),
    ("sync", "A round trip, both sides spinning",
     ["sync-threads", "sync-processes"]),
    ("slots", "A round trip among many vCPUs",
     ["sync-slots-one", "sync-slots-all"]),
    ("sleep", "A round trip, both sides asleep, each on its own CPU",
     ["sync-futex", "sync-eventfd", "sync-socketpair",
      "sync-socketpair-poll"]),
    ("sleep-one-cpu", "A round trip, both sides asleep on the same CPU",
     ["sync-futex-one-cpu", "sync-eventfd-one-cpu",
      "sync-socketpair-one-cpu", "sync-socketpair-poll-one-cpu"]),
    ("hostile", "99.9th percentile of one operation of a producer",
     ["hostile-*"]),
    ("agent", "vmring-agent on a simulated guest", ["agent-*"]),
]

NAMES = {
    "async-64-32": "64-byte records, flushed every 32",
    "async-64-1": "64-byte records, flushed one by one",
    "async-408-32": "whole records of 408 bytes, flushed every 32",
    "async-408-1": "whole records of 408 bytes, flushed one by one",
    "sync-threads": "two threads",
    "sync-processes": "two processes",
    "sync-slots-one": "the last of so many asks",
    "sync-slots-all": "all of them ask in turn",
    "hostile-push": "push, discarding",
    "hostile-push-overwrite": "push, overwriting",
    "hostile-push-flush": "push and flush",
    "hostile-request": "post, flush and collect past the deadline",
    "agent-rate": "how many it takes",
    "agent-latency": "how old an event is when its line is read, 10000 a second",
}


def name_of(group):
    if group in NAMES:
        return NAMES[group]
    if group.startswith("async-processes-"):
        return NAMES["async-" + group[len("async-processes-"):]]
    if group.startswith("producers-"):
        number = group[len("producers-"):]
        return number + (" producer" if number == "1" else " producers")
    if group.startswith("sync-"):
        kind = group[len("sync-"):].replace("-one-cpu", "")
        return {"socketpair": "socket pair, blocking receive",
                "socketpair-poll": "socket pair, poll and receive "
                                   "(the library's doorbell)"}.get(kind, kind)
    return group


def kind_of(case):
    if "vmring" in case["name"] or case["group"].startswith(
            ("hostile-", "agent-")):
        return "own"
    if case["what"].startswith("limit") or case["reference"]:
        return "limit"
    return "peer"


def short(value, unit, tick=False):
    """A value with its unit, three digits that count; a tick's are exact."""
    if unit == "ns":
        scales = [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")]
    else:
        per = "/s" if unit.endswith("/s") else " " + unit
        scales = [(1e9, " G" + per), (1e6, " M" + per), (1e3, " k" + per),
                  (1, per)]
    for scale, name in scales:
        if abs(value) >= scale or scale == 1:
            digits = value / scale
            if tick:
                return f"{digits:g} {name.strip()}"
            places = 0 if digits >= 100 else 1 if digits >= 10 else 2
            if scale == 1 and unit == "ns" and digits >= 10:
                places = 0
            return f"{digits:.{places}f} {name.strip()}"
    return ""


class Axis:
    """From values to pixels."""

    def __init__(self, cases):
        high = max(max(case["median"], case["q3"]) for case in cases)
        low = min(min(case["median"], case["q1"]) for case in cases)
        self.log = low > 0 and high / low > 20
        if self.log:
            self.low = 10 ** math.floor(math.log10(low) - 0.05)
            self.high = high * 1.15
        else:
            self.low, self.high = 0, high * 1.04 if high > 0 else 1

    def at(self, value):
        if self.log:
            value = max(value, self.low)
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = value / self.high
        return LEFT + PLOT * min(max(part, 0), 1)

    def ticks(self):
        if self.log:
            tick = self.low
            while tick <= self.high:
                yield tick
                tick *= 10
            return
        raw = self.high / 4
        power = 10 ** math.floor(math.log10(raw))
        step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw)
        tick = 0
        while tick <= self.high:
            yield tick
            tick += step


def text(x, y, what, css="", anchor="start"):
    css = f' class="{css}"' if css else ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{css}>'
            f"{escape(what)}</text>")


def remark(case):
    """What stands behind a bar."""
    said = short(case["median"], case["unit"])
    if case.get("ratio") and not case["group"].startswith("agent-"):
        digits = ".2f" if case["ratio"] >= 0.1 else ".1g"
        said += f" · {case['ratio']:{digits}}×"
    if "p50" in case["extra"]:
        said = (short(case["median"], "ns") + " · median "
                + short(case["extra"]["p50"], "ns"))
    elif "p99" in case["extra"]:
        said += " · p99 " + short(case["extra"]["p99"], "ns")
    return said


def panel(group, cases, top):
    """Its lines of SVG, and where it ends."""
    axis = Axis(cases)
    unit = cases[0]["unit"]
    head = name_of(group)
    better = "less" if cases[0]["less_is_better"] else "more"
    hint = f"{better} is better" + (", logarithmic" if axis.log else "")
    bottom = top + 30 + ROW * len(cases)
    out = [text(20, top + 16, head, "panel"),
           text(WIDTH - 20, top + 16, hint, "small", "end")]
    for tick in axis.ticks():
        x = axis.at(tick)
        out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" '
                   f'y1="{top + 26}" y2="{bottom}"/>')
        label = "0" if tick == 0 else short(tick, unit, True)
        out.append(text(x, bottom + 14, label, "small", "middle"))
    for i, case in enumerate(cases):
        y = top + 30 + ROW * i + (ROW - BAR) / 2
        end = axis.at(case["median"])
        mid = y + BAR / 2
        out.append(text(LEFT - 8, y + BAR - 2.5, case["name"], "", "end"))
        out.append(f'<rect class="{kind_of(case)}" x="{LEFT}" y="{y:.1f}" '
                   f'width="{max(end - LEFT, 1):.1f}" height="{BAR}"/>')
        q1, q3 = axis.at(case["q1"]), axis.at(case["q3"])
        if q3 - q1 > 0.5:
            out.append(f'<path class="spread" fill="none" d="M{q1:.1f} '
                       f'{mid - 4:.1f}v8M{q1:.1f} {mid:.1f}H{q3:.1f}'
                       f'M{q3:.1f} {mid - 4:.1f}v8"/>')
        out.append(text(WIDTH - RIGHT + 10, y + BAR - 2.5, remark(case),
                        "small"))
    return out, bottom + 34


def legend(cases, y):
    names = {"own": "this ring", "limit": "a limit of the machine",
             "peer": "others"}
    kinds = [kind for kind in names if any(kind_of(c) == kind for c in cases)]
    out, x = [], 20
    for kind in kinds if len(kinds) > 1 else []:
        out.append(f'<rect class="{kind}" x="{x}" y="{y - 10}" width="12" '
                   'height="12"/>')
        out.append(text(x + 18, y, names[kind], "small"))
        x += 30 + 7 * len(names[kind])
    said = "bar: median, line: quartiles"
    if any("×" in remark(c) for c in cases):
        said += ", ×: to the group's reference, run by run"
    out.append(text(WIDTH - 20, y, said, "small", "end"))
    return out


def belongs(group, patterns):
    return any(group == p or (p.endswith("*") and group.startswith(p[:-1]))
               for p in patterns)


def figure(title, cases):
    groups = list(dict.fromkeys(case["group"] for case in cases))
    body = [text(20, 34, title, "title")]
    body += legend(cases, 58)
    top = 72
    for group in groups:
        lines, top = panel(group, [c for c in cases if c["group"] == group],
                           top)
        body += lines
    height = top + 4
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
         f'height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
         "<!-- SPDX-License-Identifier: MIT; by tests/bench/plot.py -->",
         f"<title>{escape(title)}</title>",
         f"<style>{STYLE}</style>",
         f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" '
         f'height="{height - 1}" rx="8"/>'] + body + ["</svg>", ""])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        run = json.load(file)
    ran = [case for case in run["cases"] if case["result"] == "ok"]
    os.makedirs(sys.argv[2], exist_ok=True)
    for name, title, patterns in FIGURES:
        cases = [c for p in patterns for c in ran if belongs(c["group"], [p])]
        if not cases:
            continue
        path = os.path.join(sys.argv[2], name + ".svg")
        with open(path, "w", encoding="utf-8") as file:
            file.write(figure(title, cases))
        print(path)


main()
