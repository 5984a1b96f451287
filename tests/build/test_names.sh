#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_names.sh SOURCE_DIR [CMAKE OPTION...]: prints the name of every test,
# those of ./check long included, one a line.  Exits 77 where some cannot be
# declared, for want of what they are made with.
set -u
source=$1
shift
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

for header in relacy/relacy.hpp valgrind/callgrind.h; do
    [ -e "/usr/include/$header" ] || {
        echo "not all tests are declared: no $header" >&2
        exit 77
    }
done
for tool in g++ clang python3 mandoc aarch64-linux-gnu-gcc; do
    command -v "$tool" >/dev/null || {
        echo "not all tests are declared: no $tool" >&2
        exit 77
    }
done
cmake -S "$source" -B "$dir" "$@" -DBUILD_TESTING=ON -DVMRING_XEN_TESTS=ON \
    -DVMRING_PROOF_TESTS=ON -DVMRING_LONG_TESTS=ON >"$dir.log" 2>&1 || {
    cat "$dir.log" >&2
    rm -f "$dir.log"
    exit 1
}
rm -f "$dir.log"
ctest --test-dir "$dir" -N | sed -n 's/^ *Test *#[0-9]*: //p'
