# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Gets what the lab stands on out of Debian packages, into one folder of the
# cache: a base. It holds the hypervisor, the kernel, the dom0 image and the
# Linux guest, and is named after everything that it is made of.
#
# A base is made in a folder of its own and renamed when it is whole, under a
# lock, so neither an interrupted nor a concurrent run leaves a broken one.

readonly xen_version=4.17

# What apt has to deliver. None of it is installed: xen-hypervisor would
# rewrite the boot loader of the machine that runs the tests.
wanted_packages() {
    local kernel
    kernel=$(apt-cache depends linux-image-amd64 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    [ -n "$kernel" ] || return 1
    printf '%s\n' "$kernel" "xen-hypervisor-$xen_version-amd64" \
        "xen-utils-$xen_version" xenstore-utils busybox-static
    # The libraries of the tools. The C library and libgcc come from this
    # machine, because the project's own programs are linked to them.
    apt-cache depends --recurse --no-recommends --no-suggests \
        --no-conflicts --no-breaks --no-replaces --no-enhances \
        "libxenmisc$xen_version" libxenstore4 libyajl2 libncurses6 \
        2>/dev/null | grep '^lib' | grep -vE '^(libc6|libgcc-s1|libcrypt1)$'
}

# "name=version" of each, sorted: the identity of a base.
resolve_packages() {
    local names
    names=$(wanted_packages | sort -u) || return 1
    # shellcheck disable=SC2086 # a list of names
    apt-cache policy $names 2>/dev/null | awk '
        /^[^ ]/ { sub(/:$/, ""); name = $0 }
        /^ *Candidate:/ {
            if ($2 == "(none)") exit 1
            print name "=" $2
        }'
}

# Everything else that shapes a base: the recipe and this machine's libraries.
recipe_hash() {
    cat "$lab_dir"/lab.d/{prepare,image}.sh "$lab_dir"/dom0/* "$(host_library libc.so.6)" \
        "$(host_library libgcc_s.so.1)" | sha256sum | cut -c1-12
}

host_library() {
    local dir
    for dir in /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 \
        /usr/lib64; do
        if [ -e "$dir/$1" ]; then
            echo "$dir/$1"
            return 0
        fi
    done
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# Changes when the package lists do; cheap, unlike asking apt.
apt_state() {
    stat -c '%Y %n' /var/lib/apt/lists 2>/dev/null || echo none
}

update_lists() {
    [ -n "${lists_updated:-}" ] && return 0
    lists_updated=1
    long_step "updating the package lists" as_root env \
        DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o DPkg::Lock::Timeout=300 update
}

# QEMU and its BIOS are the only packages that are installed.
install_host_tools() {
    command -v apt-get >/dev/null ||
        unavailable "this is not a Debian system (no apt-get)"
    command -v qemu-system-x86_64 >/dev/null && return 0
    as_root true ||
        unavailable "qemu-system-x86 is not installed, and installing it" \
            "needs root or sudo without a password"
    update_lists || true # an outdated list may still do
    long_step "installing qemu-system-x86" as_root env \
        DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        --no-install-recommends -y install qemu-system-x86 seabios ||
        unavailable "qemu-system-x86 could not be installed"
}

# Sets $base to a whole base, and $xen to the hypervisor, making what is not
# there.
prepare() {
    prepare_base
    if [ "$which_xen" = debug ]; then
        prepare_debug
    else
        xen=$base/xen
    fi
}

prepare_base() {
    local recipe state known packages lock
    recipe=$(recipe_hash)
    state=$(apt_state)
    known=$cache/known-$recipe
    mkdir -p "$cache" || unavailable "cannot write to $cache"
    if command -v qemu-system-x86_64 >/dev/null && [ -r "$known" ] &&
        [ "$(sed -n 1p "$known")" = "$state" ]; then
        base=$cache/$(sed -n 2p "$known")
        [ -d "$base" ] && touch "$base" && return 0
    fi

    exec {lock}>"$cache/lock"
    flock -n "$lock" ||
        long_step "waiting for another run to make the image" flock "$lock"
    install_host_tools
    packages=$(resolve_packages) || packages=
    if [ -z "$packages" ]; then
        update_lists || true
        packages=$(resolve_packages) || packages=
    fi
    if [ -z "$packages" ]; then
        # Without package lists a base that was made before still serves.
        [ -r "$known" ] && base=$cache/$(sed -n 2p "$known") &&
            [ -d "$base" ] && return 0
        unavailable "apt knows no package xen-hypervisor-$xen_version-amd64" \
            "(another release than Debian 12, or no package lists)"
    fi
    base=$(base_path "$packages")
    [ -d "$base" ] || make_base "$packages"
    printf '%s\n%s\n' "$(apt_state)" "${base##*/}" >"$known.$$"
    mv "$known.$$" "$known"
    exec {lock}>&-
}

make_base() {
    local packages=$1 work=$cache/making
    rm -rf "$work"
    mkdir -p "$work/debs" "$work/root" "$work/base" "$cache/debs"
    if ! long_step "downloading Xen and Linux packages" \
        download_packages "$packages"; then
        # The lists may name versions that the mirror no longer has.
        update_lists || true
        packages=$(resolve_packages) || packages=
        if [ -z "$packages" ] || ! long_step "downloading again" \
            download_packages "$packages"; then
            unavailable "Debian's Xen and Linux packages cannot be downloaded"
        fi
        base=$(base_path "$packages")
    fi
    long_step "unpacking the packages" \
        unpack_packages "$packages" "$work/root" ||
        unavailable "Debian's packages cannot be unpacked to $work"
    printf '%s\n' "$packages" >"$work/base/packages"
    long_step "making the dom0 image" make_images "$work" ||
        unavailable "the dom0 image cannot be made in $work"
    rm -rf "$base"
    mv -T "$work/base" "$base"
    rm -rf "$work"
    # Those that are in use are touched at every run.
    find "$cache" -maxdepth 1 -name 'base-*' -mtime +7 ! -path "$base" \
        -exec rm -rf {} +
}

base_path() { # PACKAGES
    echo "$cache/base-$recipe-$(sha256sum <<<"$1" | cut -c1-12)"
}

deb_of() { # NAME=VERSION: apt's file name; the colon of an epoch is escaped
    local version=${1#*=}
    printf '%s/debs/%s_%s_*.deb' "$cache" "${1%%=*}" "${version/:/%3a}"
}

download_packages() {
    local package missing=()
    for package in $1; do
        compgen -G "$(deb_of "$package")" >/dev/null || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return 0
    # Into a folder of its own first: an interrupted download is no package.
    (cd "$cache/making/debs" &&
        apt-get -qq -o APT::Sandbox::User="$(id -un)" \
            download "${missing[@]}") || return 1
    mv "$cache/making/debs/"*.deb "$cache/debs/"
}

unpack_packages() {
    local package deb
    for package in $1; do
        deb=$(compgen -G "$(deb_of "$package")" | head -n 1)
        dpkg -x "$deb" "$2" || return 1
    done
}
