#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: hypervisor/series makes patches that apply one after the other,
# and come to what hypervisor/place makes, with documents; their messages are in
# Xen's form; and a file that is in no patch is told. With `builds`: each of
# them builds, with CONFIG_VM_RING and without.
#
# usage: series.sh SOURCE_DIR [builds]
#
# Without `builds`, only where the lab has Xen's source in its cache already.
set -eu
tree=$1
cache=${VMRING_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vmring}
if [ "${2-}" != builds ] && ! [ -d "$cache/source-4.17" ]; then
    echo "Xen's source is not in $cache"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# Who signs off here is nobody.
export GIT_CONFIG_GLOBAL="$dir/gitconfig" GIT_CONFIG_NOSYSTEM=1
git config --global user.name 'A Name'
git config --global user.email 'name@example.org'

say() {
    echo "series: $*"
    exit 1
}

check_sum() {
    for patch in "$dir"/series/*.patch; do
        case $patch in
        */0000-*) ;;
        *) git -C "$dir/xen" am -q "$patch" || say "$patch does not apply" ;;
        esac
    done
    diff -r -x .git -x vm-ring.md -x MAINTAINERS -x CHANGELOG.md \
        "$dir/placed" "$dir/xen" || say "that is not what place makes"
    for path in docs/designs/vm-ring.md MAINTAINERS CHANGELOG.md; do
        grep -q 'vm_ring\|VM_RING' "$dir/xen/$path" || say "nothing in $path"
    done
}

check_messages() {
    git -C "$dir/xen" rev-list "$base..HEAD" >"$dir/commits"
    [ "$(wc -l <"$dir/commits")" -gt 8 ] || say "too few patches"
    while read -r commit; do
        git -C "$dir/xen" log -1 --format=%B "$commit" >"$dir/message"
        awk -v most=80 'length > most { exit 1 } { most = 75 }
            NR == 2 && length { exit 1 }' "$dir/message" ||
            say "a line is too long: $(head -n 1 "$dir/message")"
        grep -qx 'Signed-off-by: A Name <name@example.org>' "$dir/message" ||
            say "not signed off: $(head -n 1 "$dir/message")"
    done <"$dir/commits"
    grep -q '^Subject: \[PATCH 00/.*vm_ring' "$dir/series"/0000-*.patch ||
        say "there is no cover letter"
}

# It tells of what is in no patch.
check_orphan() {
    mkdir "$dir/tree"
    cp -a "$tree/hypervisor" "$tree/libvmring" "$tree/include" "$dir/tree"
    echo 'int orphan;' >"$dir/tree/hypervisor/common/vm_ring/orphan.c"
    git -C "$dir/xen" checkout -q "$base"
    if "$dir/tree/hypervisor/series" "$dir/other" "$dir/xen" >"$dir/said" \
        2>&1; then
        say "a file that is in no patch is not told"
    fi
    grep -q 'in no patch.*orphan\.c' "$dir/said" || say "$(cat "$dir/said")"
}

build() { # y|n
    make="make -C $dir/series/xen/xen GIT=/bin/false"
    compiler=gcc
    ! command -v ccache >/dev/null || compiler='ccache gcc'
    printf 'CONFIG_UNSUPPORTED=y\nCONFIG_VM_RING=%s\n%s\n' "$1" \
        '# CONFIG_DEBUG is not set' \
        >"$dir/series/xen/xen/.config"
    # shellcheck disable=SC2086  # words
    { $make CC="$compiler" olddefconfig &&
        nice $make CC="$compiler" "-j$(nproc)"; } >"$dir/log" 2>&1
}

check_builds() {
    git -C "$dir/series/xen" rev-list --reverse "$base..vm_ring" >"$dir/commits"
    while read -r commit; do
        git -C "$dir/series/xen" checkout -q "$commit"
        for option in n y; do
            subject=$(git -C "$dir/series/xen" log -1 --format=%s)
            build $option || {
                tail -n 30 "$dir/log"
                say "CONFIG_VM_RING=$option does not build: $subject"
            }
            echo "builds with $option: $subject"
        done
        [ ! -e "$dir/series/xen/xen/common/vm_ring" ] ||
            [ -e "$dir/series/xen/xen/common/vm_ring/built_in.o" ] ||
            say "CONFIG_VM_RING=y has built nothing: $subject"
    done <"$dir/commits"
}

"$tree/tests/xen/lab" source --release 12 "$dir/xen"
cp -a "$dir/xen" "$dir/placed"
git -C "$dir/xen" init -q
git -C "$dir/xen" add -A -f
git -C "$dir/xen" commit -q -m Xen
base=$(git -C "$dir/xen" rev-parse HEAD)
"$tree/hypervisor/place" "$dir/placed"
"$tree/hypervisor/series" "$dir/series" "$dir/xen" >"$dir/said"
check_sum
check_messages
check_orphan
[ "${2-}" != builds ] || check_builds
