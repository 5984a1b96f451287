#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: core/ compiles inside a hypervisor: no header but those of Xen
# that tests/build/hypervisor stands in for, and the public ones; no floating
# point, and nothing missing at the link but memcpy and memset.
#
# usage: hypervisor.sh SOURCE_DIR COMPILER [OPTION...]
set -eu
source=$1
shift

command -v "$1" >/dev/null || {
    echo "no compiler '$1'"
    exit 77
}
case "$*" in
*aarch64*) nm=aarch64-linux-gnu-nm flags=-mgeneral-regs-only ;;
*) nm=nm flags='-msoft-float -mno-sse -mno-red-zone -mcmodel=kernel -fno-pic' ;;
esac
command -v $nm >/dev/null || {
    echo "no $nm"
    exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# compile FILE OBJECT OPTION...: as Xen's own Makefile does.
compile() {
    from=$1 object=$2
    shift 2
    # shellcheck disable=SC2086  # options
    "$@" -std=gnu99 -nostdinc -ffreestanding -fno-builtin -fno-common \
        -fno-strict-aliasing -fno-stack-protector $flags -D__XEN__ \
        -Wall -Wextra -Werror -Wstrict-prototypes -Wredundant-decls -Wvla \
        -Wnested-externs -Wundef -I"$source/tests/build/hypervisor" \
        -I"$source/include/xen" -O2 -c -o "$object" "$from"
}

failed=0
for file in "$source"/libvmring/core/*.c; do
    object=$dir/$(basename "$file" .c).o
    if ! compile "$file" "$object" "$@"; then
        echo "$*: $file is not for a hypervisor"
        failed=1
    fi
done
[ $failed = 0 ] || exit 1

# What core/ has of itself is not missing.
$nm "$dir"/*.o | awk 'NF < 2 { next }
    $(NF - 1) ~ /^[TDBR]$/ { has[$NF] = 1 }
    $(NF - 1) == "U" { needs[$NF] = 1 }
    END { for (name in needs) if (!(name in has)) print name }' |
    grep -vx -e memcpy -e memset >"$dir/undefined" || :
if [ -s "$dir/undefined" ]; then
    echo "$*: core/ needs $(tr '\n' ' ' <"$dir/undefined")"
    exit 1
fi

# It tells: a header that only a C library has is not found.
printf '#include <errno.h>\nint unit = ENOENT;\n' >"$dir/unit.c"
if compile "$dir/unit.c" "$dir/unit.o" "$@" 2>"$dir/said"; then
    echo "$*: a C library's headers were found"
    exit 1
fi
