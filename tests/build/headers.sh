#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: the public headers compile alone, in every dialect they promise.
#
# usage: headers.sh SOURCE_DIR
set -u
source=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
tried=0

# alone HEADER COMPILER OPTION...: all warnings are errors.
alone() {
    header=$1
    shift
    command -v "$1" >/dev/null || {
        echo "no $1"
        return
    }
    tried=$((tried + 1))
    printf '#include <%s>\n#include <%s>\nextern int unit;\nint unit;\n' \
        "$header" "$header" >"$dir/unit"
    "$@" -Wall -Wextra -Werror -I"$source/include" -I"$source/libvmring" \
        -c -o "$dir/unit.o" "$dir/unit" || {
        echo "failed: $header: $*"
        failed=1
    }
}

strict='-pedantic -Wundef -Wcast-qual -Wconversion'
# shellcheck disable=SC2086  # options
for cc in gcc clang; do
    for abi in xen/vm_ring.h vmring_local.h; do
        alone $abi $cc -x c -ansi $strict -Wstrict-prototypes
        alone $abi $cc -x c -std=c11 $strict
    done
    for std in c99 c11 c17 c2x; do
        alone vmring.h $cc -x c -std=$std $strict -Wstrict-prototypes
    done
done
# -Wshadow: in C++ a function hides a structure of its name.
# shellcheck disable=SC2086  # options
for cxx in g++ clang++; do
    for std in c++98 c++11 c++17 c++20; do
        alone xen/vm_ring.h $cxx -x c++ -std=$std $strict -Wshadow
        alone vmring_local.h $cxx -x c++ -std=$std $strict -Wshadow
        alone vmring.h $cxx -x c++ -std=$std $strict -Wshadow
    done
done
[ $tried -gt 0 ] || exit 77
exit $failed
