#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: what the scripts of tests/build have in common: nothing new in
# the tree is forgotten, and nothing of another user's is run as root.
#
# usage: parts.sh SOURCE_DIR
set -u
cd "$1" || exit 1
. tests/build/sources.sh
. tests/build/debian.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

# same WHAT WANTED FOUND
same() {
    [ "$2" = "$3" ] && return
    echo "$1: not '$2': '$3'"
    failed=1
}

# status COMMAND...
status() {
    "$@" >"$dir.said" 2>&1
    echo $?
    rm -f "$dir.said"
}

scripts >"$dir/scripts"
for file in check demo .ci/run completion/vmring.bash tests/xen/lab \
    tests/xen/lab.d/run.sh tests/xen/scenarios/lib.sh; do
    same "$file" "$file" "$(grep -x "$file" "$dir/scripts")"
done
for folder in agent terminal sandbox; do
    same "$folder" "$folder" "$(product | grep -x "$folder")"
done

same 'a new folder' 0 "$(status own_folder "$dir/a/b")"
same 'the same again' 0 "$(status own_folder "$dir/a/b")"
chmod 777 "$dir/a"
same "everybody's" 1 "$(status own_folder "$dir/a")"
same "a mirror that is given" here "$(MIRROR=here mirror)"
if [ "$(id -u)" = 0 ]; then
    mkdir "$dir/c" && chown 65534 "$dir/c"
    same "another user's" 1 "$(status own_folder "$dir/c")"
else
    same "another user's" 1 "$(status own_folder /)"
fi

# A new top folder is among them.
cp tests/build/sources.sh "$dir" && mkdir -p "$dir/new" "$dir/build-x" \
    "$dir/.ci" "$dir/tests"
for file in "$dir/new/a.c" "$dir/new/b.sh" "$dir/build-x/a.c" "$dir/build-x/b.sh" \
    "$dir/tests/t.c"; do
    echo >"$file"
done
printf '#!/bin/sh\n' >"$dir/new/script"
printf '#!/usr/bin/env python3\n' >"$dir/new/other"
same 'new folders' new "$(cd "$dir" && product)"
same 'new scripts' 'new/b.sh new/script sources.sh' "$(cd "$dir" &&
    scripts | tr '\n' ' ' | sed 's/ $//')"

same './check quick more' 2 "$(status timeout 20 ./check quick more)"
exit $failed
