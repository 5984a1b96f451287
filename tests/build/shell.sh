#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: shellcheck finds nothing in the scripts: in those of the lab, of
# which one includes many others, or in the rest.
#
# usage: shell.sh SOURCE_DIR lab|rest
set -u
cd "$1" || exit 1
. tests/build/pinned.sh
. tests/build/sources.sh
pinned shellcheck 0.9 0.10
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
case $2 in
lab) scripts | grep '^tests/xen/' ;;
rest) scripts | grep -v '^tests/xen/' ;;
esac >"$dir/files"
[ -s "$dir/files" ] || exit 1
xargs "$tool" -S warning -x -P SCRIPTDIR <"$dir/files"
