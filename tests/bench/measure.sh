#!/bin/sh
# SPDX-License-Identifier: MIT
#
# measure.sh BUILD [OPTION...]: measures all, as root, and makes the figures and
# tables of docs/PERFORMANCE.md of it.  OPTION is vmring-bench's.
#
# Group by group, as ratios are within one, with a pause in between for what
# else the machine does: each runs at real-time priority.  Several producers on
# one CPU have turns of 1 ms there, so that one is preempted amid its work.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
bench=$1/tests/bench/vmring-bench
shift
out=$root/docs/performance
runs=$(mktemp -d)
turns=/proc/sys/kernel/sched_rr_timeslice_ms
before=$(cat $turns)
trap 'echo "$before" >$turns; rm -rf "$runs"' EXIT
echo 1 >$turns
about="commit $(git -C "$root" rev-parse --short HEAD), at real-time priority"
about="$about, in turns of 1 ms"
number=100
for group in $("$bench" --list | grep -v '^ '); do
    number=$((number + 1))
    chrt -r 1 "$bench" --only "$group/*" --about "$about" \
        --json "$runs/$number.json" "$@"
    sleep 3
done
# All in one, with a line for each case.
python3 - "$runs"/*.json >"$out/results.json" <<'END'
import json
import sys

runs = []
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        runs.append(json.load(file))
cases = ",\n".join(json.dumps(case) for run in runs
                   for case in run.pop("cases"))
print(json.dumps(runs[0])[:-1] + ', "cases": [\n' + cases + "\n]}")
END
python3 "$root/tests/bench/plot.py" "$out/results.json" "$out"
python3 "$root/tests/bench/tables.py" "$root" --write
