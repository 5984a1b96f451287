#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: every size and offset of vm_ring.h is that of the golden table.
#
# usage: abi_layout.sh SOURCE_DIR COMPILER [OPTION...]
#
# The numbers are taken from the compiler's assembler output, so that a cross
# compiler will do.  The fields are read out of the header: a new one that the
# table does not have fails too.  UPDATE=1 rewrites the table.
set -eu
source=$1
shift
table=$source/tests/abi/vm_ring.size
header=$source/include/xen/public/vm_ring.h

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

# STRUCT and STRUCT.FIELD, one a line, in the header's order.
cpp -P -I"$source/include" "$header" | awk '
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
#include <xen/vm_ring.h>
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

"$@" -I"$source/include" -S -o "$dir/layout.s" "$dir/layout.c"
{
    cat <<'HEAD'
# SPDX-License-Identifier: MIT
# The layout of vm_ring.h, the same on every architecture.
# STRUCT SIZE ALIGNMENT and STRUCT.FIELD OFFSET SIZE; tests/build/abi_layout.sh
HEAD
    sed -n 's/.*"@ \(.*\) @".*/\1/p' "$dir/layout.s"
} >"$dir/got"

lines=$(wc -l <"$dir/fields")
if [ "$(grep -vc '^#' "$dir/got")" -ne "$lines" ] || [ "$lines" -lt 100 ]; then
    echo "cannot read the header: $lines fields"
    exit 1
fi
if [ "${UPDATE-}" ]; then
    cp "$dir/got" "$table"
fi
diff -u "$table" "$dir/got"
