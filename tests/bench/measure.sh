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
nice -n -20 "$build/tests/bench/vmring-bench" --json "$out/results.json" \
    --about "commit $(git -C "$root" rev-parse --short HEAD), nice -20" "$@"
python3 "$root/tests/bench/plot.py" "$out/results.json" "$out"
python3 "$root/tests/bench/tables.py" "$root" --write
