#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: clang-tidy finds nothing that .clang-tidy asks for.
#
# usage: tidy.sh SOURCE_DIR BUILD_DIR
set -eu
source=$1 build=$2
. "$source/tests/build/pinned.sh"
pinned clang-tidy 14
commands=$build/compile_commands.json
[ -e "$commands" ] || {
    echo 'no compile_commands.json: not a generator that writes one'
    exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Each source once, though several programs are made of it.
cd "$source"
. tests/build/sources.sh
# shellcheck disable=SC2046  # they have no spaces
python3 - "$commands" "$dir" $(product) <<'PYTHON'
import json
import os
import sys

commands, folder, *product = sys.argv[1:]
first = {}
for entry in json.load(open(commands, encoding="utf-8")):
    path = os.path.relpath(entry["file"], os.getcwd())
    if path.split("/")[0] in product:
        first.setdefault(path, entry)
json.dump(list(first.values()),
          open(f"{folder}/compile_commands.json", "w", encoding="utf-8"))
print("\n".join(sorted(first)), file=open(f"{folder}/files", "w",
                                          encoding="utf-8"))
PYTHON
[ "$(wc -l <"$dir/files")" -gt 50 ]
for folder in $(product); do
    grep -q "^$folder/" "$dir/files" || {
        echo "$folder: not among what is built in $build"
        exit 1
    }
done
# One at a time: the analyser of clang 14 remembers across files what is true
# of the first only.
xargs -n 1 "$tool" -p "$dir" --quiet \
    --header-filter="/($(product | paste -sd '|'))/.*|vm_ring\.h" \
    <"$dir/files" >"$dir/out" 2>"$dir/err" || {
    cat "$dir/out"
    grep -v 'warnings generated' "$dir/err"
    exit 1
}
echo "clang-tidy: $(wc -l <"$dir/files") files, nothing found"
