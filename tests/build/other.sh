#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: the library and its tests, built for another machine and run
# there, or in what emulates it.
#
# usage: other.sh SOURCE_DIR BUILD_DIR MACHINE
#
#   i386       gcc -m32, run as it is: halves of a word, one after the other
#   arm64      without LSE, under qemu-aarch64: the bounded loops of atomic.h
#   arm64_lse  with LSE, under qemu-aarch64: single instructions
#
# Under an emulator the tests that share memory with another process are left
# out: it translates each process for itself, and one at a time says as much. So
# are those in which calls fail: linked statically, they fail in the C library's
# own files too.
set -eu
source=$1 build=$2
set -- "$3" -DVMRING_LIBRARY_ONLY=ON -DBUILD_TESTING=ON
tests='unit|process' but='^$'
case $1 in
i386)
    cc=gcc run=''
    # gcc-multilib itself conflicts with the cross compiler: it has the link
    # to the headers of asm/.
    set -- "$@" "-DCMAKE_C_FLAGS=-m32 -idirafter /usr/include/x86_64-linux-gnu"
    probe='gcc -m32'
    ;;
arm64 | arm64_lse)
    cc=aarch64-linux-gnu-gcc run=qemu-aarch64
    option=-mno-outline-atomics
    [ "$1" = arm64 ] || option=-march=armv8.1-a
    set -- "$@" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
        -DCMAKE_CROSSCOMPILING_EMULATOR=$run "-DCMAKE_C_FLAGS=$option" \
        -DCMAKE_EXE_LINKER_FLAGS=-static -DBUILD_SHARED_LIBS=OFF
    probe="$cc -static"
    tests=unit but='^faults_|^sim_truth_unwritable$'
    ;;
*) exit 2 ;;
esac
shift

mkdir -p "$build"
echo 'int main(void) { return 0; }' >"$build/probe.c"
# shellcheck disable=SC2086 # lists of words
{ $probe -o "$build/probe" "$build/probe.c" && $run "$build/probe"; } \
    >"$build/log" 2>&1 || {
    echo "no compiler, C library or emulator: $probe, $run"
    exit 77
}

# quietly COMMAND...: its output only if it fails.
quietly() {
    "$@" >"$build/log" 2>&1 || {
        tail -n 60 "$build/log"
        exit 1
    }
}

quietly cmake -G Ninja -S "$source" -B "$build" "-DCMAKE_C_COMPILER=$cc" "$@"
quietly ninja -C "$build" -j 2
quietly ctest --test-dir "$build" -j 2 --output-on-failure -L "$tests" \
    -LE proof -E "$but"
grep 'tests passed' "$build/log"
