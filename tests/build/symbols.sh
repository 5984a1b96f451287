#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: the library exports what vmring.h declares, and no more.
#
# usage: symbols.sh SOURCE_DIR LIBRARY
set -eu
source=$1 library=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

case $library in
*.a) dynamic= ;;
*) dynamic=-D ;;
esac
nm -g $dynamic --defined-only "$library" |
    awk 'NF == 3 && $2 != "A" { print $3 }' | sed 's/@.*//' |
    sort -u >"$dir/exported"
sed -n 's/^ *\(vmring_[a-z_]*\);$/\1/p' "$source/libvmring/vmring.map" |
    sort >"$dir/mapped"
# A function's name stands before a parenthesis, outside of comments; the
# types of functions are in (*name) or end with _fn.
cpp -P -I"$source/include" "$source/libvmring/vmring.h" |
    grep -o 'vmring_[a-z_]*(' | tr -d '(' | grep -v '_fn$' |
    sort -u >"$dir/declared"

[ -s "$dir/declared" ]
uniq -d "$dir/mapped" | grep . && exit 1
if grep -v '^vmring_' "$dir/exported"; then
    echo 'exported without the prefix'
    exit 1
fi
diff -u "$dir/mapped" "$dir/exported"
diff -u "$dir/declared" "$dir/exported"
# A version node of its own, for what is added later.
[ "$dynamic" ] || exit 0
nm -D --defined-only --with-symbol-versions "$library" |
    grep -q 'vmring_open@@VMRING_0'
