#!/bin/bash
# SPDX-License-Identifier: MIT
# Description: on a Debian that has nothing yet, the commands of README.md do
# what it says, whoever runs them.
#
# usage: bare.sh SOURCE_DIR RELEASE USER COMMAND...
#
#   RELEASE  12 or 13
#   USER     root; sudo, without a password; asked, by a sudo that wants one and
#            cannot ask; user, who has neither
#   COMMAND  one word, as './check quick'; in the tree's top, one after the other
#
# Debian comes from debootstrap, or out of $VMRING_BARE/bareRELEASE.tar, which
# is what `debootstrap --variant=minbase` makes. What is committed is tried. As
# who cannot install, the commands that they print for root are run by root, as
# by a person who reads them, and they are run again. Nothing of the tree's
# stays mounted, or running, after the end.
set -u
source=$(cd "$1" && pwd) || exit 2
release=$2 user=$3
shift 3

skip() {
    echo "$*"
    exit 77
}

case $release in
12) name=bookworm ;;
13) name=trixie ;;
*) skip "which Debian is $release?" ;;
esac
[ "$(id -u)" = 0 ] || skip 'it takes root, for chroot'
command -v git unshare chroot >/dev/null || skip 'no git, unshare or chroot'

git -c safe.directory='*' -C "$source" rev-parse -q --verify HEAD \
    >/dev/null 2>&1 || skip 'nothing is committed: it is no clone'
# shellcheck source=debian.sh
. "$source/tests/build/debian.sh"

if [ "${VMRING_BARE_INSIDE-}" = '' ]; then
    # A big folder: not in memory, if that is where /tmp is.
    tree=$(TMPDIR=${TMPDIR-/var/tmp} mktemp -d -t vmring-bare-XXXXXX) || exit 1
    trap 'rm -rf --one-file-system "$tree"' EXIT
    tar=${VMRING_BARE-/nonexistent}/bare$release.tar
    if [ -e "$tar" ]; then
        tar -xpf "$tar" -C "$tree" || exit 1
    elif command -v debootstrap >/dev/null; then
        debian "$name" "$tree" || {
            tail -n 5 "$tree.log"
            rm -f "$tree.log"
            skip "debootstrap cannot make a $name"
        }
        rm -f "$tree.log"
    else
        skip 'no debootstrap'
    fi
    # With its processes and mounts gone, the folder can be.
    VMRING_BARE_INSIDE=$tree apart \
        "$BASH" "$0" "$source" "$release" "$user" "$@"
    exit
fi

tree=$VMRING_BARE_INSIDE
mount --make-rprivate / && mount -t proc proc "$tree/proc" &&
    mount --rbind /dev "$tree/dev" && mount --bind /sys "$tree/sys" || exit 1
cp /etc/resolv.conf "$tree/etc/"

# as_root COMMAND: by a shell in the tree, where nobody is asked anything.
as_root() {
    chroot "$tree" /usr/bin/env -i HOME=/root TERM=dumb \
        DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c "$1"
}

home=/root who=root
case $user in
root) ;;
sudo | asked | user)
    who=somebody home=/home/somebody
    as_root "useradd -m -s /bin/bash $who" || exit 1
    if [ "$user" != user ]; then
        as_root 'apt-get update && apt-get -y install \
            --no-install-recommends sudo' >"$tree/log" 2>&1 || {
            tail "$tree/log"
            skip 'sudo cannot be installed there'
        }
        tag=
        [ "$user" = asked ] || tag=NOPASSWD:
        echo "$who ALL=(ALL) $tag ALL" >"$tree/etc/sudoers.d/$who"
    fi
    ;;
*) skip "who is $user?" ;;
esac
mkdir "$tree$home/vmring"
git -c safe.directory='*' -C "$source" archive HEAD |
    tar -xf - -C "$tree$home/vmring" || exit 1
as_root "chown -R $who: $home/vmring"

# try COMMAND: as that user logs in, without a terminal; what it says is in
# $tree/said; the processor's seconds are in $cpu.
try() {
    local status TIMEFORMAT='%U %S'

    { time {
        nice -n 10 setsid -w chroot "$tree" su - "$who" -c "cd vmring && $1" \
            </dev/null 2>&1 3>&- | tee "$tree/said" >&3
        status=${PIPESTATUS[0]}
    }; } 3>&1 2>"$tree/time"
    cpu=$(awk '{ printf "%.0f", $1 + $2 }' "$tree/time")
    return "$status"
}

failed=0
table=
for command; do
    rounds=0
    begun=$SECONDS
    while :; do
        rounds=$((rounds + 1))
        echo "== Debian $release, $user: $command"
        start=$SECONDS
        try "$command"
        status=$?
        took=$((SECONDS - start))
        sed -n 's/.* as root: //p' "$tree/said" >"$tree/byhand"
        [ -s "$tree/byhand" ] && [ $rounds -lt 5 ] || break
        while read -r line; do
            echo "== root, by hand: $line"
            as_root "yes | { $line; }" >"$tree/log" 2>&1 </dev/null || {
                tail "$tree/log"
                failed=1
                break 2
            }
        done <"$tree/byhand"
    done
    [ $status = 0 ] || failed=1
    table+="Debian $release | $user | $command | status $status | $rounds runs"
    table+=" | all $((SECONDS - begun)) s, the last $took s, of"
    table+=" the processor $cpu s"$'\n'
done
printf '\n%s' "$table"
exit $failed
