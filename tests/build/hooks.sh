#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: both sets of hooks, for Xen 4.17 and for upstream's tree, do the
# same: each line that is added or taken out is in both, in the same file, but
# for what is named here.
#
# usage: hooks.sh SOURCE_DIR
set -eu
cd "$1/hypervisor"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# MEM_ACCESS has become VM_EVENT; domain_shutting_down() was not there.
changes() { # PATCH
    sed -n '/^--- /d; /^[-+]/p' "$1" |
        sed 's/^\(+.depends on\) VM_EVENT /\1 MEM_ACCESS /
            /^+static inline bool domain_shutting_down(/,/^+$/d'
}

changes hooks.patch >"$dir/old"
changes hooks-upstream.patch >"$dir/new"
[ -s "$dir/old" ] || exit 1
if ! diff "$dir/old" "$dir/new" >"$dir/said"; then
    echo "hooks.patch (<) and hooks-upstream.patch (>) do not do the same:"
    cat "$dir/said"
    exit 1
fi
# It tells of one line.
sed '/vm_ring_resume(v);/d' hooks-upstream.patch >"$dir/less"
changes "$dir/less" >"$dir/new"
if cmp -s "$dir/old" "$dir/new"; then
    echo "a hook that only one of them has is not told"
    exit 1
fi
