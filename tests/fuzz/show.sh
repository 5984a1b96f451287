#!/bin/sh
# SPDX-License-Identifier: MIT
#
# show.sh TARGET FILE: an input that was found, as a command that makes it
# again, for a log that outlives the file.
target=$1 file=$2
name=$(sha1sum "$file" | cut -d ' ' -f 1)
printf '%s: found; to run it again:\n' "$target"
printf "    echo '%s' | base64 -d >%s\n" "$(base64 -w 0 "$file")" "$name"
printf '    fuzz_corpus_%s %s\n' "$target" "$name"
