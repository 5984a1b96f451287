#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: what version 1.0 had in a place is in that place still; only
# reserved words have become something else.
set -eu
source=$1
old=$source/tests/abi/vm_ring-1.0.size
new=$source/tests/abi/vm_ring.size
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
grep -v '^#' "$old" | grep -v '\.reserved' | sort >"$dir/old"
grep -v '^#' "$new" | sort >"$dir/new"
lines=$(wc -l <"$dir/old")
if [ "$lines" -lt 200 ]; then
    echo "$old: $lines lines"
    exit 1
fi
comm -23 "$dir/old" "$dir/new" >"$dir/moved"
cat "$dir/moved"
[ ! -s "$dir/moved" ]
