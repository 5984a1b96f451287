#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: every source compiles without a warning in later dialects of C,
# too, by gcc and clang.
#
# usage: dialects.sh SOURCE_DIR BUILD_DIR COMPILER DIALECT...
set -eu
source=$1
shift
command -v "$2" >/dev/null || {
    echo "no compiler '$2'"
    exit 77
}
[ -e "$1/compile_commands.json" ] || {
    echo 'no compile_commands.json: not a generator that writes one'
    exit 77
}
exec python3 "$source/tests/build/dialects.py" "$@"
