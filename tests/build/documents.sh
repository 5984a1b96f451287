#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: what the documents name is there: see documents.py.
#
# usage: documents.sh SOURCE_DIR [CMAKE OPTION...]
set -u
source=$1
names=$(mktemp) || exit 1
trap 'rm -f "$names"' EXIT
sh "$source/tests/build/test_names.sh" "$@" >"$names" || exit
python3 "$source/tests/build/documents.py" "$source" "$names"
