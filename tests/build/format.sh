#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: C is as .clang-format has it.
#
# usage: format.sh SOURCE_DIR
set -u
cd "$1" || exit 1
. tests/build/pinned.sh
pinned clang-format 14
find agent bridge cmake examples include libvmring sandbox terminal \
    tests -name '*.[ch]' -print0 | xargs -0 "$tool" --dry-run -Werror
