#!/bin/sh
# SPDX-License-Identifier: MIT
#
# measure.sh BUILD [OPTION...]: measures all, as root on a machine that does
# little else, and makes the figures and tables of docs/PERFORMANCE.md of it.
# OPTION is vmring-bench's.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
shift
out=$root/docs/performance
run=$(mktemp)
trap 'rm -f "$run"' EXIT
nice -n -20 "$build/tests/bench/vmring-bench" --json "$run" \
    --about "commit $(git -C "$root" rev-parse --short HEAD), nice -20" "$@"
# A line for each case.
python3 - "$run" >"$out/results.json" <<'EOF'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    run = json.load(file)
cases = ",\n".join(json.dumps(case) for case in run.pop("cases"))
print(json.dumps(run)[:-1] + ', "cases": [\n' + cases + "\n]}")
EOF
python3 "$root/tests/bench/plot.py" "$out/results.json" "$out"
python3 "$root/tests/bench/tables.py" "$root" --write
