#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: the matrix of builds in another release of Debian, with its
# compilers and its Xen's libraries.
#
# usage: release.sh SOURCE_DIR WORK_DIR CODENAME [CELL-PATTERN]
#
# Takes root, debootstrap and a mirror of Debian ($MIRROR, or this machine's); a
# system of about 900 MB is made in WORK_DIR/root, and is taken again the next
# time. WORK_DIR is root's own.
set -eu
source=$1 work=$2 release=$3 only=${4-}
root=$work/root
# shellcheck source=debian.sh
. "$source/tests/build/debian.sh"

# skip TEXT
skip() {
    echo "left out: $1"
    exit 77
}

# quietly COMMAND...: its output only if it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || {
        tail -n 20 "$work/log"
        return 1
    }
}

[ "$(id -u)" = 0 ] || skip 'only root can make a system of another release'
command -v debootstrap >/dev/null || skip 'no debootstrap'
own_folder "$work"
if [ ! -e "$work/whole" ]; then
    rm -rf "$root"
    debian "$release" "$root" || {
        tail -n 5 "$root.log"
        skip "debootstrap cannot make a $release"
    }
    quietly chroot "$root" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends gcc g++ clang lld llvm \
        libclang-rt-dev cmake ninja-build pkg-config libc6-dev dpkg-dev \
        libxen-dev libevent-dev libjson-c-dev libseccomp-dev libbsd-dev \
        gcc-aarch64-linux-gnu libc6-dev-arm64-cross ||
        skip "no packages for a $release"
    touch "$work/whole"
fi
rm -rf "$root/vmring" && mkdir "$root/vmring"
(cd "$source" && tar cf - --exclude='./build*' --exclude=./.git .) |
    tar xf - -C "$root/vmring"
# With a /proc of its own, for who looks for itself there; it goes with them.
apart sh -c 'mount -t proc proc "$0/proc" &&
    exec chroot "$0" env -i HOME=/root LC_ALL=C.UTF-8 \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    sh /vmring/tests/build/matrix.sh /vmring /tmp/matrix here "$1"' "$root" "$only"
