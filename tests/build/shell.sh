#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: shellcheck finds nothing in the scripts.
#
# usage: shell.sh SOURCE_DIR
set -u
cd "$1" || exit 1
. tests/build/pinned.sh
. tests/build/sources.sh
pinned shellcheck 0.9 0.10
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
scripts >"$dir/files"
xargs "$tool" -S warning -x -P SCRIPTDIR <"$dir/files"
