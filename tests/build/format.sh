#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: C is as .clang-format has it, and shellcheck finds nothing.
#
# usage: format.sh SOURCE_DIR
set -u
cd "$1" || exit 1
command -v clang-format >/dev/null && command -v shellcheck >/dev/null || {
    echo "clang-format or shellcheck is not here"
    exit 77
}
failed=0
find agent bridge examples include libvmring sandbox tests -name '*.[ch]' -print0 |
    xargs -0 clang-format --dry-run -Werror || failed=1
shellcheck -S warning -x demo check .ci/run scripts/packages.sh || failed=1
find tests examples -name '*.sh' ! -path 'tests/xen/*' -print0 |
    xargs -0 shellcheck -S warning -x -P SCRIPTDIR || failed=1
exit $failed
