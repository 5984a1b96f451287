#!/bin/sh
# SPDX-License-Identifier: MIT
#
# measure.sh BUILD [OPTION...]: measures all, as root, and makes the figures and
# tables of docs/PERFORMANCE.md of it.  OPTION is vmring-bench's.
#
# Group by group, as ratios are within one, with a pause in between for what
# else the machine does: each runs at real-time priority.  Several producers on
# one CPU do not, since one that is never preempted keeps nobody waiting.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
bench=$1/tests/bench/vmring-bench
shift
out=$root/docs/performance
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
about="commit $(git -C "$root" rev-parse --short HEAD), at real-time priority"
about="$about; producers-* at nice -20"
number=100
for group in $("$bench" --list | grep -v '^ '); do
    number=$((number + 1))
    case $group in
    producers-*) first="nice -n -20" ;;
    *) first="chrt -r 1" ;;
    esac
    # shellcheck disable=SC2086 # two words and three
    $first "$bench" --only "$group/*" --about "$about" \
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
