#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: every size and offset of vm_ring.h, and of vmring_local.h, is
# that of its golden table.
#
# usage: abi_layout.sh SOURCE_DIR COMPILER [OPTION...]
#
# The numbers are taken from the compiler's assembler output, so that a cross
# compiler will do.  The fields are read out of the header: a new one that the
# table does not have fails too.  UPDATE=1 rewrites the tables.
set -eu
source=$1
shift
command -v "$1" >/dev/null || {
    echo "no compiler '$1'"
    exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

if ! echo '#include <stdint.h>' | "$@" -x c -E - >/dev/null 2>"$dir/why"; then
    cat "$dir/why"
    exit 77
fi

# compare HEADER INCLUDED TABLE LEAST COMPILER...: so many fields at least.
compare() {
    header=$source/include/$1
    included=$2
    table=$source/tests/abi/$3
    least=$4
    shift 4
    # STRUCT and STRUCT.FIELD, one a line, in the header's order.
    grep -v '^#include <xen/' "$header" | cpp -P | awk '
        /^(struct|union) [a-z0-9_]+ \{/ {
            kind = $1; name = $2; print kind, name, ""; statement = ""; next
        }
        /^\}/ { name = ""; next }
        name != "" {
            statement = statement " " $0
            while ((end = index(statement, ";"))) {
                one = substr(statement, 1, end - 1)
                statement = substr(statement, end + 1)
                gsub(/\[[^]]*\]/, "", one)
                count = split(one, part, ",")
                for (i = 1; i <= count; i++) {
                    words = split(part[i], word, " ")
                    print kind, name, word[words]
                }
            }
        }' >"$dir/fields"

    {
        cat <<'HEAD'
#include <stddef.h>
#include HEADER
#define SAY(name, a, b) __asm__ volatile(                                      \
    "\n.ascii \"@ " name " %c0 %c1 @\"" : : "i"(a), "i"(b))
void layout(void);
void layout(void)
{
HEAD
        while read -r kind name field; do
            if [ -z "$field" ]; then
                echo "SAY(\"$name\", sizeof($kind $name), _Alignof($kind $name));"
            else
                echo "SAY(\"$name.$field\", offsetof($kind $name, $field)," \
                    "sizeof((($kind $name *)0)->$field));"
            fi
        done <"$dir/fields"
        echo '}'
    } >"$dir/layout.c"

    "$@" -I"$source/include" "-DHEADER=<$included>" -S -o "$dir/layout.s" "$dir/layout.c"
    {
        cat <<HEAD
# SPDX-License-Identifier: MIT
# The layout of ${included##*/}, the same on every architecture.
# STRUCT SIZE ALIGNMENT and STRUCT.FIELD OFFSET SIZE; tests/build/abi_layout.sh
HEAD
        sed -n 's/.*"@ \(.*\) @".*/\1/p' "$dir/layout.s"
    } >"$dir/got"

    lines=$(wc -l <"$dir/fields")
    if [ "$(grep -vc '^#' "$dir/got")" -ne "$lines" ] || [ "$lines" -lt "$least" ]; then
        echo "cannot read $included: $lines fields"
        exit 1
    fi
    if [ "${UPDATE-}" ]; then
        cp "$dir/got" "$table"
    fi
    diff -u "$table" "$dir/got"
}

compare xen/public/vm_ring.h xen/vm_ring.h vm_ring.size 100 "$@"
compare vmring_local.h vmring_local.h vmring_local.size 20 "$@"
