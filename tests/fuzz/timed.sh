#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: libFuzzer has some seconds, from the committed corpus, to find an
# input that a harness does not survive.
#
# usage: timed.sh TARGET FOLDER SECONDS [SEED]; what it finds goes to FOLDER,
# and is printed.  SEED 0, the default, is another one each time.
set -u
target=$1 folder=$2 seconds=$3 seed=${4:-0}
here=$(cd "$(dirname "$0")" && pwd)
found=$folder/found-$target
rm -rf "$found"
mkdir -p "$found"
"$here/build.sh" libfuzzer "$target" "$folder/libfuzzer_$target" || exit
# Inputs that are found on the way are not kept: the first folder takes them.
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
"$folder/libfuzzer_$target" -seed="$seed" -max_total_time="$seconds" \
    -max_len=192 -timeout=20 -artifact_prefix="$found/" \
    -print_final_stats=1 -verbosity=0 \
    "$scratch" "$here/corpus/$target" >"$folder/$target.log" 2>&1
status=$?
grep -e "not so" -e ERROR -e "stat::" -e Done "$folder/$target.log"
# What libFuzzer says of a finding, 77, means to a test that it was left out.
[ $status -eq 0 ] && exit
for input in "$found"/*; do
    [ ! -f "$input" ] || sh "$here/show.sh" "$target" "$input"
done
exit 1
