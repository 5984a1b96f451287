#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: cppcheck finds nothing but what cppcheck.txt lists.
#
# usage: cppcheck.sh SOURCE_DIR
set -eu
cd "$1"
. tests/build/pinned.sh
. tests/build/sources.sh
pinned cppcheck 2.10
# Both kinds of atomics: cppcheck looks at each.
for arch in __x86_64__ __aarch64__; do
    # shellcheck disable=SC2046  # they have no spaces
    "$tool" --quiet --error-exitcode=1 --std=c11 --platform=unix64 \
        --enable=warning,style,performance,portability \
        --suppressions-list=tests/build/cppcheck.txt \
        -D_GNU_SOURCE "-D$arch" -D__GNUC__ \
        -Iinclude -Ilibvmring -I. $(product)
done
echo 'cppcheck: nothing found'
