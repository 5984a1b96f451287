#!/bin/sh
# SPDX-License-Identifier: MIT
#
# campaign.sh KIND SECONDS FOLDER [TARGET...]: fuzzes each target for so long,
# one after the other, with inputs and findings in FOLDER, where a later call
# goes on.  Then of the inputs those are put into the committed corpus that
# reach code which nothing there reaches.  KIND as build.sh has it: libfuzzer
# or fast.  Prints what was executed.  1: something was found.
set -u
kind=$1 seconds=$2 folder=$3
shift 3
[ $# -gt 0 ] || set -- specs filter consumer producer control
here=$(cd "$(dirname "$0")" && pwd)
failed=0

for target; do
    mkdir -p "$folder/inputs-$target" "$folder/found-$target"
    program=$folder/$kind-$target
    "$here/build.sh" "$kind" "$target" "$program" || exit
    nice -n 10 "$program" -max_total_time="$seconds" -max_len=192 \
        -timeout=20 -artifact_prefix="$folder/found-$target/" \
        -print_final_stats=1 "$folder/inputs-$target" \
        "$here/corpus/$target" >"$folder/$kind-$target.log" 2>&1 || failed=1
    printf '%s, %s: %s executed, %s found; %s\n' "$target" "$kind" \
        "$(sed -n 's/.*executed_units: *//p' "$folder/$kind-$target.log")" \
        "$(find "$folder/found-$target" -type f | wc -l)" \
        "$(sed -n 's/.*\(cov: .* corp: [^ ]*\).*/\1/p' \
            "$folder/$kind-$target.log" | tail -n 1)"
    # Without counters: by the code that is reached, not by how often.
    "$program" -merge=1 -use_counters=0 -max_len=192 \
        "$here/corpus/$target" "$folder/inputs-$target" \
        >"$folder/merge-$target.log" 2>&1 || failed=1
done
exit $failed
