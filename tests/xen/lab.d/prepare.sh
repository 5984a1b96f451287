# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Gets what the lab stands on out of Debian packages, into one folder of the
# cache: a base. It holds the hypervisor, the kernel, the dom0 image and the
# Linux guest, and is named after everything that it is made of.
#
# A base is made in a folder of its own and renamed when it is whole, under a
# lock, so neither an interrupted nor a concurrent run leaves a broken one.

# Their packages are unpacked alone: what they need of others is libraries.
# None is installed: xen-hypervisor would rewrite the boot loader of the machine
# that runs the tests. The names have versions in them, which change with the
# release; the metapackages know them. xz and zstd are what Linux is packed by.
tool_packages() {
    local xen kernel
    xen=$(depends_of xen-system-amd64 'xen-(hypervisor-[0-9].*-amd64|utils-[0-9].*)')
    kernel=$(depends_of linux-image-amd64 'linux-image-[0-9].*')
    [ -n "$kernel" ] && [ "$(wc -l <<<"$xen")" = 2 ] || return 1
    printf '%s\n' "$xen" "$kernel" xenstore-utils busybox-static \
        xz-utils zstd
}

# The libraries that PACKAGE... are linked to.
linked_packages() { # PACKAGE...
    local package
    for package in "$@"; do
        depends_of "$package" 'lib.*'
    done | sort -u
}

# What CMake needs of the release to build the programs under test.
development_packages() {
    (
        root=$lab_dir/../..
        # shellcheck source=../../../scripts/packages.sh
        . "$root/scripts/packages.sh" >/dev/null
        printf '%s\n' "${packages_build[@]}" | grep '^lib.*-dev$'
    )
}

# "name=version" of each, sorted: the identity of a base.
#
# On its own release, the programs under test are linked to this machine's C
# library, so the tools take it, too. For another one they are built with that
# release's own, and everything comes from there.
resolve_packages() {
    local tools libraries
    tools=$(tool_packages) || return 1
    # shellcheck disable=SC2086 # lists of names
    libraries=$(linked_packages $tools) && [ -n "$libraries" ] || return 1
    [ -z "$foreign" ] || libraries+=" $(development_packages)" || return 1
    # shellcheck disable=SC2086
    tools=$(candidates $tools) && libraries=$(closure $libraries) || return 1
    [ -n "$foreign" ] || libraries=$(grep -vE \
        '^(libc6|libgcc-s1|libcrypt1|gcc-[0-9]+-base)=' <<<"$libraries")
    printf '%s\n' "$tools" "$libraries" | sort -u
}

# Everything else that shapes a base: the recipe and this machine's libraries.
recipe_hash() {
    {
        echo "$release $foreign"
        cat "$lab_dir"/lab.d/{release,prepare,image}.sh "$lab_dir"/dom0/*
        if [ -n "$foreign" ]; then
            development_packages
        else
            cat "$(host_library libc.so.6)" "$(host_library libgcc_s.so.1)"
        fi
    } | sha256sum | cut -c1-12
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
    local lists=/var/lib/apt/lists
    [ -z "$foreign" ] || lists=$cache/apt-$release/lists
    stat -c '%Y %n' "$lists" 2>/dev/null || echo none
}

# Those of this machine.
update_lists() {
    [ -n "${lists_updated:-}" ] && return 0
    lists_updated=1
    long_step "updating the package lists" as_root env \
        DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o DPkg::Lock::Timeout=300 update
}

# Those of $release.
update_release() {
    if [ -z "$foreign" ]; then
        update_lists
        return
    fi
    local sources=$cache/apt-$release/sources.list
    write_sources deb "$sources" || { update_lists &&
        write_sources deb "$sources"; } ||
        unavailable "Debian $release's packages: this machine's apt names no" \
            "mirror of Debian, or $debian_keyring is not there"
    long_step "updating the package lists of Debian $release" \
        release_apt apt-get -qq --error-on=any update
}

# QEMU and its BIOS are the only packages that are installed.
install_host_tools() {
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
# there; says what it is.
prepare() {
    command -v apt-get >/dev/null ||
        unavailable "this is not a Debian system (no apt-get)"
    prepare_base
    xen_version=$(version_in 'xen-hypervisor-[0-9].*-amd64')
    xen=$base/xen
    note "Debian $release: Xen $xen_version, Linux $(linux_version), QEMU" \
        "$(qemu_version)"
    [ "$which_xen" = debian ] || prepare_xen "$which_xen"
}

# The version of a package of the base, without Debian's part of it.
version_in() { # REGEX
    sed -nE "s/^$1=([0-9]+:)?([0-9.]*[0-9]).*/\2/p" "$base/packages"
}

linux_version() {
    version_in 'linux-image-.*'
}

qemu_version() {
    qemu-system-x86_64 --version | sed -nE '1s/.*version ([0-9.]+).*/\1/p'
}

prepare_base() {
    local recipe state known packages lock
    recipe=$(recipe_hash)
    state=$(apt_state)
    known=$cache/known-$recipe
    mkdir -p "$cache" 2>/dev/null || unavailable "cannot write to $cache"
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
        update_release || true
        packages=$(resolve_packages) || packages=
    fi
    if [ -z "$packages" ]; then
        # Without package lists a base that was made before still serves.
        [ -r "$known" ] && base=$cache/$(sed -n 2p "$known") &&
            [ -d "$base" ] && return 0
        unavailable "apt knows no Xen and Linux of Debian $release" \
            "(xen-system-amd64, linux-image-amd64 and what they need)"
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
        update_release || true
        packages=$(resolve_packages) || packages=
        if [ -z "$packages" ] || ! long_step "downloading again" \
            download_packages "$packages"; then
            unavailable "Debian's Xen and Linux packages cannot be downloaded"
        fi
        base=$(base_path "$packages")
    fi
    long_step "unpacking the packages" unpack_packages "$packages" "$work" ||
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
        release_apt apt-get -qq download "${missing[@]}") || return 1
    mv "$cache/making/debs/"*.deb "$cache/debs/"
}

# WORK: all of them into WORK/root. Of another release than this machine's, the
# libraries are kept, to build and to run programs with: WORK/base/sysroot.
unpack_packages() { # PACKAGES WORK
    local package deb sysroot=$2/base/sysroot
    merged_tree "$2/root"
    [ -z "$foreign" ] || merged_tree "$sysroot"
    for package in $1; do
        deb=$(compgen -G "$(deb_of "$package")" | head -n 1)
        unpack_into "$2/root" "$deb" || return 1
        case $package in
        xen-* | xenstore-* | linux-image-* | busybox-* | xz-* | zstd=*) ;;
        *) [ -z "$foreign" ] || unpack_into "$sysroot" "$deb" || return 1 ;;
        esac
    done
    keep_links_inside "$2/root"
    [ -z "$foreign" ] || keep_links_inside "$sysroot"
}
