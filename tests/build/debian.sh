# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Debian of another release, in a folder of its own. Sourced.

# own_folder PATH: it is there, and only this user writes to it: what is in it
# is run, by root.
own_folder() {
    (umask 022 && mkdir -p "$1") || return 1
    [ -z "$(find "$1" -maxdepth 0 \( ! -user "$(id -u)" -o -perm /022 \) \
        -print)" ] && return
    echo "$1 is another user's, or others may write to it: take another folder"
    return 1
}

# mirror: where this machine takes Debian from, unless $MIRROR says; nothing:
# where debootstrap does.
mirror() {
    echo "${MIRROR-$(apt-get indextargets \
        --format '$(ORIGIN)|$(CODENAME)|$(SITE)' 'Created-By: Packages' \
        2>/dev/null | sed -nE 's/^Debian\|[a-z]+\|//p' | head -n 1)}"
}

# debian CODENAME TREE: the least that there is of it. 1: it cannot be had, and
# the reason is in TREE.log.
debian() {
    # shellcheck disable=SC2046  # no word, or one
    debootstrap --variant=minbase "$1" "$2" $(mirror) >"$2.log" 2>&1
}

# apart COMMAND...: its processes and mounts are gone when it ends.
apart() {
    unshare --mount --pid --fork --kill-child "$@"
}
