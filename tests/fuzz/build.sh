#!/bin/sh
# SPDX-License-Identifier: MIT
#
# build.sh KIND TARGET OUTPUT: one harness as a program.
#
#   libfuzzer  with AddressSanitizer and UndefinedBehaviorSanitizer
#   fast       libFuzzer alone, optimized: more executions, the harness's own
#              checks and the guard pages only
#   afl        for AFL++, with both sanitizers
#   plain      runs the files that it is given; $CC, or clang
#
# EXTRA is added to the compiler's options.  Exit status 77: no such compiler.
set -u
kind=$1 target=$2 output=$3
here=$(cd "$(dirname "$0")" && pwd)
root=${VMRING_ROOT:-$(cd "$here/../.." && pwd)}
lib=$root/libvmring
main='' libraries=''
case $kind in
libfuzzer) cc=clang options="-O1 -fsanitize=fuzzer,address,undefined" ;;
fast)
    cc=clang
    options="-O2 -fsanitize=fuzzer
        -fno-sanitize-coverage=trace-cmp,indirect-calls
        -fsanitize-coverage-ignorelist=$here/uncounted.txt"
    ;;
afl) cc=afl-clang-fast options="-O1 -fsanitize=fuzzer,address,undefined" ;;
plain) cc=${CC:-clang} options=-O1 main=$here/main.c ;;
*)
    echo "build.sh: what is '$kind'?" >&2
    exit 2
    ;;
esac
command -v "$cc" >/dev/null || {
    echo "$cc is not here"
    exit 77
}
case $target in
specs)
    set -- "$here/specs.c" "$lib/text/specs.c" "$lib/text/word.c" "$lib/text/kinds.c" \
        "$lib/text/verdicts.c" "$lib/text/suggest.c" "$lib/sim/params.c"
    ;;
filter)
    libraries=-lbsd
    set -- "$here/filter.c" "$root"/agent/filter/*.c "$root"/agent/event/*.c \
        "$root/terminal/number.c" "$lib/text/kinds.c" \
        "$lib/text/word.c" "$lib/text/suggest.c"
    ;;
consumer | producer)
    set -- "$here/$target.c" "$here/ring.c" "$here/shim.c" "$here/peer.c" \
        "$here/consumer_calls.c" "$here/producer_calls.c" \
        "$here/vcpu_calls.c" "$here/rules.c" \
        "$lib"/core/*.c
    ;;
control)
    # Its time is the input's: control.c has the clock.
    EXTRA="${EXTRA-} -Dclock_gettime=control_clock"
    # Without the transport over Xen's grants: that takes Xen's libraries.
    set -- "$here"/control*.c "$here/rules.c" "$here/shim.c" \
        "$lib"/base/*.c "$lib"/core/*.c "$lib"/text/*.c "$lib"/sim/*.c \
        "$lib"/transport/budget.c "$lib"/transport/guard.c \
        "$lib"/transport/region.c "$lib"/transport/scheme.c \
        "$lib"/transport/local/*.c "$lib"/transport/grant/missing.c \
        "$lib"/consumer/*.c "$lib"/producer/*.c
    ;;
*)
    echo "build.sh: what is '$target'?" >&2
    exit 2
    ;;
esac
# shellcheck disable=SC2086
AFL_QUIET=1 $cc -std=gnu11 -g -D_GNU_SOURCE $options \
    -fno-sanitize-recover=all -fno-omit-frame-pointer -pthread \
    -I "$root/include" -I "$root" -I "$lib" -include "$here/shim.h" \
    ${EXTRA-} "$@" $main $libraries -o "$output"
