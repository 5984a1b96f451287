#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: C is as .clang-format has it.
#
# usage: format.sh SOURCE_DIR
set -u
cd "$1" || exit 1
. tests/build/pinned.sh
. tests/build/sources.sh
pinned clang-format 14
# shellcheck disable=SC2046  # they have no spaces
find $(folders) -name '*.[ch]' -print0 | xargs -0 "$tool" --dry-run -Werror
