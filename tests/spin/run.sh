#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh MODEL.pml LTL [CONFIG...]: searches a model in full.
#
# First its assertions, as it is and with each CONFIG (-DNAME=VALUE); then its
# LTL property, under weak fairness, with the flags LTL (- : it has none). Then
# each BUG_* that the model names must be found: BUG_HANGS by the property,
# the others by an assertion. Exits 0, 1, or 77 without spin.
set -u
model=$(realpath "$1")
ltl=$2
shift 2

for tool in spin gcc; do
    command -v $tool >/dev/null && continue
    echo "no $tool: the models are not checked"
    exit 77
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

# search OPTIMIZE FLAGS COMPILE RUN: leaves the output in ./out.
search() {
    rm -f pan* ./*.trail
    # shellcheck disable=SC2086 # several flags
    spin $2 -a "$model" >spin.out 2>&1 || {
        cat spin.out
        return 1
    }
    # shellcheck disable=SC2086
    gcc "$1" -w $3 -o pan pan.c || return 1
    # shellcheck disable=SC2086
    ./pan -m100000 $4 >out 2>&1
    grep -q "errors: " out
}

# in_full OPTIMIZE NAME FLAGS COMPILE RUN: no error, and not cut short.
in_full() {
    optimize=$1
    shift
    if search "$optimize" "$2" "$3" "$4" && grep -q "errors: 0$" out &&
        ! grep -Eq "not completed|too small|out of memory" out; then
        echo "$1: $(awk '/states, stored|visited/ {print $1; exit}' out)" \
            "states, no error"
    else
        cat out
        echo "$1: FAILED"
        failed=1
    fi
}

# found NAME FLAGS COMPILE RUN: an error is found.
found() {
    if search -O0 "$2" "$3" "$4" && ! grep -q "errors: 0$" out; then
        echo "$1: found: $(sed -n 's/^pan:1: //p' out)"
    else
        cat out
        echo "$1: NOT FOUND"
        failed=1
    fi
}

safety="-DSAFETY -DNOCLAIM"
property="-DNFAIR=3"

in_full -O1 "assertions" "" "$safety" "-E"
for config in "$@"; do
    in_full -O0 "assertions, $config" "$config" "$safety" "-E"
done
[ "$ltl" = - ] || in_full -O1 "property, $ltl" "$ltl" "$property" "-a -f"
grep -o 'BUG_[A-Z_]*' "$model" | sort -u >bugs
while read -r bug; do
    if [ "$bug" = BUG_HANGS ]; then
        found "$bug" "$ltl -D$bug" "$property" "-a -f"
    else
        found "$bug" "-D$bug" "$safety" "-E"
    fi
done <bugs
exit $failed
