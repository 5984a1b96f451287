#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: the tests take every branch of libvmring, but for those that
# uncovered.txt names with a reason; and enough of them.
#
# usage: coverage.sh SOURCE_DIR BUILD_DIR
#
# Builds a variant with counters in BUILD_DIR, runs the tests labelled unit or
# process there, and prints gcovr's table and the branches that were missed.
set -eu
source=$1 build=$2
command -v gcovr >/dev/null || {
    echo 'no gcovr'
    exit 77
}
# What is a branch is what the compiler makes of it: uncovered.txt counts those
# of this one.
. "$source/tests/build/pinned.sh"
pinned gcc 12

# quietly COMMAND...: its output only if it fails.
quietly() {
    "$@" >"$build/log" 2>&1 || {
        tail -n 40 "$build/log"
        exit 1
    }
}

mkdir -p "$build"
quietly cmake -G Ninja -S "$source" -B "$build" -DVMRING_COVERAGE=ON \
    -DBUILD_TESTING=ON -DVMRING_LIBRARY_ONLY=ON -DCMAKE_BUILD_TYPE=Debug \
    "-DCMAKE_C_COMPILER=$tool"
# Nothing counts that an earlier build has left.
find "$build" -name '*.gcda' -delete
quietly ninja -C "$build" -j 2
quietly ctest --test-dir "$build" -j 2 --output-on-failure -L 'unit|process' \
    -LE proof

# Those tests are made of a source of core/ with atomics that are several
# calls: gcc numbers the branches of their lines otherwise, so that they cannot
# be added up.
cd "$source"
gcovr --root . --object-directory "$build" --filter libvmring/ --branches \
    --exclude-directories '.*_any_instant.*' \
    --json "$build/coverage.json"
gcovr --root . --add-tracefile "$build/coverage.json" --branches
python3 tests/build/uncovered.py "$build/coverage.json" \
    tests/build/uncovered.txt libvmring/core/:98 libvmring/:90
