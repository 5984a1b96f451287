#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: AFL++ runs each harness some ten thousand times, from the
# committed corpus: it finds nothing that a harness does not survive.
#
# usage: afl.sh FOLDER RUNS [TARGET...]; programs, inputs and findings go to
# FOLDER.  About RUNS executions, from one seed: no two calls differ by luck,
# though by the time that AFL++ measures.
# What is found is printed, too: FOLDER may be gone by then.
set -u
folder=$1 runs=$2
shift 2
[ $# -gt 0 ] || set -- specs filter consumer producer control
here=$(cd "$(dirname "$0")" && pwd)
# What a machine for fuzzing would be set up for: speed, and cores of its own.
export AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
export AFL_NO_AFFINITY=1 AFL_NO_UI=1 AFL_QUIET=1 AFL_FAST_CAL=1
failed=0
command -v afl-fuzz >/dev/null || {
    echo "afl-fuzz is not here"
    exit 77
}
mkdir -p "$folder"

# number NAME FILE: of the statistics that AFL++ leaves.
number() {
    sed -n "s/^$1 *: *//p" "$2"
}

for target; do
    "$here/build.sh" afl "$target" "$folder/afl_$target" || exit
    rm -rf "$folder/afl-$target"
    nice -n 10 afl-fuzz -E "$runs" -s 1 -g 1 -G 192 -t 5000 -m none \
        -i "$here/corpus/$target" -o "$folder/afl-$target" \
        -- "$folder/afl_$target" >"$folder/afl-$target.log" 2>&1
    stats=$folder/afl-$target/default/fuzzer_stats
    if ! [ -f "$stats" ] || [ "$(number execs_done "$stats")" -lt 1 ]; then
        tail -n 20 "$folder/afl-$target.log"
        echo "$target: AFL++ did not run"
        failed=1
        continue
    fi
    printf '%s: %s executed, %s found, %s of the map\n' "$target" \
        "$(number execs_done "$stats")" "$(number saved_crashes "$stats")" \
        "$(number bitmap_cvg "$stats")"
    [ "$(number saved_crashes "$stats")" = 0 ] || failed=1
    for found in "$folder/afl-$target"/default/crashes/id:*; do
        [ ! -f "$found" ] || sh "$here/show.sh" "$target" "$found"
    done
done
exit $failed
