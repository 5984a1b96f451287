#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: the tests, in a build by another compiler or with a sanitizer.
#
# usage: variant.sh SOURCE_DIR BUILD_DIR clang|asan|tsan some|all
#
#   clang  what clang makes of it
#   asan   clang, with AddressSanitizer and UndefinedBehaviorSanitizer
#   tsan   gcc, with ThreadSanitizer
#
# some: those in which it can find what no other variant finds. That excludes
# what only looks at sources, documents or what is built, which is the same in
# each; and with ThreadSanitizer programs that start no thread.
set -eu
source=$1 build=$2 name=$3 which=$4
case $name in
clang) set -- -DCMAKE_C_COMPILER=clang ;;
asan)
    set -- -DCMAKE_C_COMPILER=clang -DVMRING_SANITIZE=address,undefined
    ;;
tsan) set -- -DCMAKE_C_COMPILER=gcc -DVMRING_SANITIZE=thread ;;
*) exit 2 ;;
esac
compiler=${1#*=}
command -v "$compiler" >/dev/null || {
    echo "no $compiler"
    exit 77
}
mkdir -p "$build"

# quietly COMMAND...: its output only if it fails.
quietly() {
    "$@" >"$build/log" 2>&1 || {
        tail -n 80 "$build/log"
        exit 1
    }
}

begun=$(date +%s)
quietly cmake -G Ninja -S "$source" -B "$build" "$@" -DBUILD_TESTING=ON \
    -DVMRING_WERROR=ON
quietly ninja -C "$build" -j 2
built=$(date +%s)
set -- -LE 'xen|proof|long'
if [ "$which" = some ]; then
    set -- -LE 'xen|proof|long|build|docs|mutation'
    [ "$name" != tsan ] || set -- "$@" -R "$(ctest --test-dir "$build" \
        --show-only=json-v1 "$@" |
        python3 "$source/tests/build/threaded.py")"
fi
quietly ctest --test-dir "$build" -j 2 --output-on-failure \
    --output-junit "$build/junit.xml" "$@"
echo "$(grep 'tests passed' "$build/log"); built in $((built - begun)) s," \
    "tested in $(($(date +%s) - built)) s"
