#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: core/ and vm_event/ need nothing but memcpy and memset.
#
# usage: freestanding.sh SOURCE_DIR COMPILER [OPTION...]
set -eu
source=$1
shift

command -v "$1" >/dev/null || {
    echo "no compiler '$1'"
    exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A cross compiler without its headers cannot be asked.
if ! echo '#include <stdint.h>' | "$@" -ffreestanding -x c -E - \
    >/dev/null 2>"$dir/why"; then
    cat "$dir/why"
    exit 77
fi
case "$*" in
*aarch64*)
    command -v aarch64-linux-gnu-ld >/dev/null || {
        echo 'no aarch64-linux-gnu-ld'
        exit 77
    }
    ld=aarch64-linux-gnu-ld nm=aarch64-linux-gnu-nm
    ;;
*-m32*) ld='ld -m elf_i386' nm=nm ;;
*) ld=ld nm=nm ;;
esac

# Xen's own headers, beside none of this machine's C library.
mkdir "$dir/xen"
ln -s /usr/include/xen "$dir/xen/xen"

failed=0
for level in -O0 -O2 -Os; do
    objects=
    for file in "$source"/libvmring/core/*.c "$source"/libvmring/vm_event/*.c; do
        object=$dir/$(basename "$(dirname "$file")")-$(basename "$file" .c).o
        "$@" -std=gnu11 -Wall -Wextra -Werror $level -ffreestanding \
            -fno-stack-protector -nostdlib -I"$source/include" \
            -idirafter "$dir/xen" -c -o "$object" "$file"
        objects="$objects $object"
    done
    # shellcheck disable=SC2086  # lists of words
    $ld -r -o "$dir/core.o" $objects
    $nm --undefined-only "$dir/core.o" | awk '{print $NF}' |
        grep -vx -e memcpy -e memset -e _GLOBAL_OFFSET_TABLE_ \
            >"$dir/undefined" || continue
    echo "$* $level: core/ or vm_event/ needs" "$(tr '\n' ' ' <"$dir/undefined")"
    failed=1
done
exit $failed
