#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: the committed figures are what plot.py makes of results.json.
#
# usage: figures.sh SOURCE_DIR
set -u
folder=$1/docs/performance
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
python3 "$1/tests/bench/plot.py" "$folder/results.json" "$dir" >/dev/null ||
    exit 1
for figure in "$dir"/*.svg; do
    cmp "$figure" "$folder/${figure##*/}" || exit 1
done
