# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A hypervisor that checks itself: Xen with its assertions and its sanitizer
# of undefined behaviour, built from Debian's source package.
#
# Debian's own is built without either: what would fail an assertion goes on
# there, until it does harm. It is kept in the cache, named after the source and
# this recipe, and boots with the tools of the base: source and tools are of the
# same release of Xen, whose interface of domctls does not change.

# "NAME|VERSION" of the newest source package that can be had comes first. A
# security update's source may be gone while its binaries are there.
readonly debug_options='CONFIG_DEBUG=y
CONFIG_UBSAN=y
# CONFIG_SHADOW_PAGING is not set'

# What the build takes besides a compiler. They are installed.
readonly debug_packages='gcc make flex bison dpkg-dev'

# The versions of this release of Xen, the newest first.
source_versions() {
    private_apt "$1" apt-cache showsrc --only-source xen 2>/dev/null |
        sed -n "s/^Version: \($2\..*\)/\1/p" | sort -rVu
}

# Leaves the source package in FOLDER.
fetch_source() { # FOLDER SERIES
    local version versions state=$cache/sources-$release
    [ -s "$state/sources.list" ] ||
        write_sources deb-src "$state/sources.list" || return 1
    versions=$(source_versions "$state" "$2")
    if [ -z "$versions" ]; then
        private_apt "$state" apt-get -qq update || return 1
        versions=$(source_versions "$state" "$2")
    fi
    mkdir -p "$1"
    for version in $versions; do
        # It may be listed and not be there any more.
        if (cd "$1" && private_apt "$state" apt-get -qq --only-source --download-only \
            source "xen=$version" 2>/dev/null) &&
            compgen -G "$1/*.dsc" >/dev/null; then
            return 0
        fi
        rm -f "$1"/*
    done
    return 1
}

install_debug_packages() {
    local package missing=()
    for package in $debug_packages; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null |
            grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    as_root true || return 1
    update_lists || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        --no-install-recommends -y install "${missing[@]}"
}

# GIT: Xen's version would name the repository that it is built in.
build_debug() { # SOURCE OUT LOG
    local make=(make -C "$1/xen" GIT=/bin/false)
    dpkg-source --no-check -x "${1%/*}"/*.dsc "$1" >"$3" 2>&1 &&
        printf '%s\n' "$debug_options" >"$1/xen/.config" &&
        "${make[@]}" olddefconfig >>"$3" 2>&1 &&
        "${make[@]}" "-j$(nproc)" >>"$3" 2>&1 &&
        # Options that no version of Xen knows any more vanish in silence.
        grep -q '^CONFIG_DEBUG=y' "$1/xen/.config" &&
        grep -q '^CONFIG_UBSAN=y' "$1/xen/.config" &&
        cp "$1/xen/xen" "$2"
}

# Sets $xen to the debug hypervisor, making it when there is none.
prepare_debug() {
    local recipe kept lock work=$cache/making-debug series=${xen_version%.*}
    recipe=$(sha256sum <"$lab_dir/lab.d/debug.sh" | cut -c1-12)
    kept=$cache/xen-debug-$series-$recipe
    exec {lock}>"$cache/lock-debug"
    flock -n "$lock" ||
        long_step "waiting for another run to build Xen" flock "$lock"
    if [ ! -s "$kept" ]; then
        rm -rf "$work"
        mkdir -p "$work/package"
        long_step "installing what builds Xen" install_debug_packages ||
            unavailable "these packages could not be installed:" \
                "$debug_packages"
        long_step "downloading Xen's source package" \
            fetch_source "$work/package" "$series" ||
            unavailable "the source package of Debian $release's Xen $series" \
                "cannot be had"
        long_step "building Xen with its assertions" build_debug \
            "$work/package/xen" "$work/xen" "$cache/debug-build.log" ||
            unavailable "Xen cannot be built; see $cache/debug-build.log"
        mv "$work/xen" "$kept"
        rm -rf "$work"
    fi
    touch "$kept"
    xen=$kept
    exec {lock}>&-
}
