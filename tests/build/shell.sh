#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: shellcheck finds nothing in the scripts.
#
# usage: shell.sh SOURCE_DIR
set -u
cd "$1" || exit 1
. tests/build/pinned.sh
pinned shellcheck 0.9 0.10
failed=0
"$tool" -S warning -x demo check .ci/run scripts/packages.sh || failed=1
find tests examples -name '*.sh' ! -path 'tests/xen/*' -print0 |
    xargs -0 "$tool" -S warning -x -P SCRIPTDIR || failed=1
exit $failed
