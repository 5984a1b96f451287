#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: a tool of another version than pinned is not run; what there is
# and what is wanted is said.
#
# usage: pinned_tells.sh SOURCE_DIR
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

# tool NAME VERSION: it is installed.
tool() {
    printf '#!/bin/sh\necho "Debian %s version %s (2)"\n' "$1" "$2" >"$dir/$1"
    chmod +x "$dir/$1"
}

# gives STATUS TEXT VERSION...: what pinned() comes to.
gives() {
    status=$1 text=$2
    shift 2
    said=$(PATH=$dir:$PATH sh -c '. "$0" && pinned vmr-tool "$@" &&
        echo "$tool"' "$source/tests/build/pinned.sh" "$@")
    got=$?
    [ "$got" = "$status" ] && [ "$said" = "$text" ] && return
    echo "wants $*: status $got, not $status: $said"
    failed=1
}

source=$1
why='its findings differ by version'
gives 77 "found no vmr-tool, wants version 14: $why" 14
tool vmr-tool 19.1.7
gives 77 "found vmr-tool of version 19.1.7, wants version 14: $why" 14
gives 77 "found vmr-tool of version 19.1.7, wants version 1 or 9: $why" 1 9
gives 0 vmr-tool 19
gives 0 vmr-tool 14 19.1
tool vmr-tool-14 14.0.6
gives 0 vmr-tool-14 14
gives 77 "found vmr-tool of version 19.1.7, wants version 14.1: $why" 14.1
exit $failed
