#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: layers.py notices an upward include, an upward call, a row that
# names one below it, and a file in no room.
#
# usage: layers_planted.sh SOURCE_DIR COMPILER
set -eu
source=$(cd "$1" && pwd)
cc=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# afresh: the tree, and a build of nothing.
afresh() {
    rm -rf "$dir/tree" "$dir/build"
    mkdir -p "$dir/tree/docs" "$dir/build"
    for folder in agent bridge examples include libvmring sandbox terminal; do
        cp -r "$source/$folder" "$dir/tree"
    done
    cp "$source/docs/ARCHITECTURE.md" "$dir/tree/docs"
}

# says NAME PATTERN [BUILD]: there is such a line, and a failure.
says() {
    status=0
    python3 "$source/tests/build/layers.py" "$dir/tree" ${3+"$3"} \
        >"$dir/said" || status=$?
    if [ $status = 1 ] && grep -q "$2" "$dir/said"; then
        return
    fi
    echo "failed: $1: status $status"
    cat "$dir/said"
    failed=1
}

# object FILE TEXT: as CMake would have it.
object() {
    at=$dir/build/${1%%/*}/CMakeFiles/planted.dir/${1#*/}
    mkdir -p "$(dirname "$at")" "$(dirname "$dir/tree/$1")"
    echo "$2" | tee "$dir/tree/$1" >"$at"
    "$cc" -x c -c -o "$at.o" "$at"
}

afresh
echo '#include "../consumer/ring.h"' >>"$dir/tree/libvmring/core/slot.c"
says 'an upward include' \
    '^libvmring/core/slot.c: includes libvmring/consumer/ring.h: '

afresh
object libvmring/producer/planted.c 'void planted(void) {}'
object libvmring/core/planted.c 'void planted(void); void up(void);
void up(void) { planted(); }'
says 'an upward call' \
    '^libvmring/core/planted.c: calls planted() of libvmring/producer/' \
    "$dir/build"

afresh
object libvmring/producer/planted.c 'void vmring_planted(void) {}'
object libvmring/base/planted.c 'void vmring_planted(void); void up(void);
void up(void) { vmring_planted(); }'
says 'the API called from below' \
    '^libvmring/base/planted.c: calls vmring_planted() of ' "$dir/build"

afresh
sed -i 's/^| `libvmring\/core` | /&`libvmring\/producer`, /' \
    "$dir/tree/docs/ARCHITECTURE.md"
says 'a row that names a later one' 'uses libvmring/producer, which is no row'

afresh
mkdir "$dir/tree/libvmring/attic"
echo '#include "../vmring.h"' >"$dir/tree/libvmring/attic/planted.c"
says 'a file in no room' '^libvmring/attic/planted.c is in no room'
exit $failed
