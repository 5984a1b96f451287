#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: every rule of the ABI's documents has its tests, see
# conformance.py; and that notices a rule without a row, a row without a rule,
# a hole in the numbers, a test that is none and a duty that binds nobody.
#
# usage: conformance.sh SOURCE_DIR BUILD_DIR
set -u
source=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

check() {
    python3 "$source/tests/build/conformance.py" "$1" "$dir/names"
}

# noticed SCRIPT FILE: a damage, by sed.
noticed() {
    mkdir "$dir/damaged"
    ln -s "$source/tests" "$dir/damaged/tests"
    cp -r "$source/docs" "$dir/damaged/docs"
    sed "$1" "$source/docs/$2" >"$dir/damaged/docs/$2"
    if cmp -s "$source/docs/$2" "$dir/damaged/docs/$2"; then
        echo "no damage: $1"
        failed=1
    elif check "$dir/damaged" >"$dir/said"; then
        echo "not noticed: $1"
        failed=1
    fi
    rm -r "$dir/damaged"
}

ctest --test-dir "$2" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$dir/names"
check "$source" || failed=1
noticed '/^| H3 /d' CONFORMANCE.md
noticed 's/^| T2 /| T99 /' CONFORMANCE.md
noticed '/^| X1 /s/attack_/no_such_/' CONFORMANCE.md
noticed 's/^- \*\*D5\*\*/- **D6**/' ABI.md
noticed '/^| \[Slots\]/s/S7/S8/' ABI.md
noticed 's/^\(- \*\*B6\*\*\) Producer:/\1/' BINDING-LOCAL.md
noticed 's/^\*Rationale\.\*/A consumer MUST know:/' BINDING-GRANT.md
noticed '/^| X1 /s/attack_[a-z_]*/grant_test/' CONFORMANCE.md
noticed '/^| X1 /s/attack_[a-z_]*/xen_NAME/' CONFORMANCE.md
noticed '/^| X1 /s/attack_[a-z_]*/python3/' CONFORMANCE.md
exit $failed
