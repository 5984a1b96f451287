# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Makes the base of the lab out of Debian packages: the hypervisor, the
# kernel, the dom0 image and the Linux guest, in one folder of the cache.
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
    cat "$lab_dir/lab.d/prepare.sh" "$lab_dir/dom0/init" \
        "$lab_dir/dom0/guest-init" "$(host_library libc.so.6)" \
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
    command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
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

# Sets $base to a whole base, making it when there is none.
prepare() {
    local recipe state known packages lock
    recipe=$(recipe_hash)
    state=$(apt_state)
    known=$cache/known-$recipe
    mkdir -p "$cache" || unavailable "cannot write to $cache"
    if command -v qemu-system-x86_64 >/dev/null && [ -r "$known" ] &&
        [ "$(sed -n 1p "$known")" = "$state" ]; then
        base=$cache/$(sed -n 2p "$known")
        [ -d "$base" ] && return 0
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
    base=$cache/base-$recipe-$(sha256sum <<<"$packages" | cut -c1-12)
    [ -d "$base" ] || make_base "$packages"
    printf '%s\n%s\n' "$(apt_state)" "${base##*/}" >"$known.$$"
    mv "$known.$$" "$known"
    exec {lock}>&-
}

make_base() {
    local packages=$1 work=$cache/making
    rm -rf "$work"
    mkdir -p "$work/debs" "$work/root" "$cache/debs"
    if ! long_step "downloading Xen and Linux packages" \
        download_packages "$packages"; then
        update_lists || true
        packages=$(resolve_packages) && long_step "trying again" \
            download_packages "$packages" ||
            unavailable "Debian's packages cannot be downloaded"
        base=$cache/base-$(recipe_hash)-$(sha256sum <<<"$packages" |
            cut -c1-12)
    fi
    long_step "unpacking them" unpack_packages "$packages" "$work/root"
    mkdir "$work/base"
    printf '%s\n' "$packages" >"$work/base/packages"
    long_step "making the dom0 image" make_images "$work/root" "$work/base"
    rm -rf "$base"
    mv -T "$work/base" "$base"
    rm -rf "$work"
    # Older bases are of no use to this recipe; a week spares other checkouts.
    find "$cache" -maxdepth 1 -name 'base-*' -mtime +7 ! -path "$base" \
        -exec rm -rf {} +
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

# PROGRAM... : copies the libraries they name to TREE's default path.
copy_libraries() {
    local tree=$1 library
    shift
    mkdir -p "$tree/lib/x86_64-linux-gnu" "$tree/lib64"
    { ldd "$@" 2>/dev/null || true; } | sed -n \
        -e 's/^.* => \(\/[^ ]*\) (0x.*$/\1/p' \
        -e 's/^[[:space:]]*\(\/[^ ]*\) (0x.*$/\1/p' | sort -u |
        while read -r library; do
            case $library in
            */ld-linux-x86-64.so.2) cp -L "$library" "$tree/lib64/" ;;
            *) cp -L "$library" "$tree/lib/x86_64-linux-gnu/" ;;
            esac
        done
}

# The kernel of a bzImage, uncompressed: Xen and libxenguest would both spend
# seconds under emulation on what takes the host a fraction of one.
# (Documentation/arch/x86/boot.rst: setup_sects at 0x1f1, payload_offset at
# 0x248, payload_length at 0x24c; the payload ends in its 4-byte length.)
extract_kernel() {
    local image=$1 out=$2 sectors offset length
    sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image")
    offset=$(od -An -tu4 -j $((0x248)) -N 4 "$image")
    length=$(od -An -tu4 -j $((0x24c)) -N 4 "$image")
    offset=$(((sectors + 1) * 512 + offset))
    tail -c +$((offset + 1)) "$image" | head -c $((length - 4)) >"$out.z"
    if xz -dc "$out.z" >"$out" 2>/dev/null ||
        zstd -dcq "$out.z" >"$out" 2>/dev/null ||
        gzip -dc "$out.z" >"$out" 2>/dev/null; then
        :
    else
        cp "$image" "$out" # slower, and right as well
    fi
    rm -f "$out.z"
}

# TREE: a newc archive of it on stdout, all of it root's.
archive_tree() {
    (cd "$1" && find . | LC_ALL=C sort |
        "$base_busybox" cpio -o -H newc -R 0:0 2>/dev/null)
}

install_busybox() {
    local tree=$1 applet
    mkdir -p "$tree/bin"
    cp "$base_busybox" "$tree/bin/busybox"
    for applet in $("$base_busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
    done
}

make_images() {
    local root=$1 out=$2 dom0=$cache/making/dom0 guest=$cache/making/guest
    local xenbin=$root/usr/lib/xen-$xen_version/bin modules program tools=()
    cp -L "$root/bin/busybox" "$out/busybox" || return 1
    base_busybox=$out/busybox

    gzip -dc "$root/boot/xen-$xen_version-amd64.gz" >"$out/xen" || return 1
    extract_kernel "$root"/boot/vmlinuz-* "$out/vmlinux" || return 1

    mkdir -p "$guest"/{dev,proc,sys,tmp}
    install_busybox "$guest"
    install -m 755 "$lab_dir/dom0/guest-init" "$guest/init" || return 1
    archive_tree "$guest" >"$out/guest.cpio"

    mkdir -p "$dom0"/{dev,proc,sys,tmp,run,lab,etc/xen,usr/bin,root} \
        "$dom0"/var/{log/xen/console,lib/xen,lib/xenstored} "$dom0/lib/modules"
    ln -s /run "$dom0/var/run"
    ln -s /run "$dom0/var/lock"
    install_busybox "$dom0"
    for program in xl xenstored xenconsoled xenconsole xen-init-dom0 \
        libxl-save-helper xen-access lsevtchn xenctx xen-hvmctx xen-diag; do
        cp "$xenbin/$program" "$dom0/usr/bin/" || return 1
        tools+=("$xenbin/$program")
    done
    # One program answers to all of these names.
    cp "$root/usr/bin/xenstore" "$dom0/usr/bin/" || return 1
    tools+=("$root/usr/bin/xenstore")
    for program in chmod exists list ls read rm watch write; do
        ln -s xenstore "$dom0/usr/bin/xenstore-$program"
    done
    # libxl runs its helpers by absolute path.
    mkdir -p "$dom0/usr/lib/xen-$xen_version"
    ln -s ../../bin "$dom0/usr/lib/xen-$xen_version/bin"
    LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu \
        copy_libraries "$dom0" "${tools[@]}"
    # pthread_cancel() loads it at run time; ldd does not show it.
    cp -L "$(host_library libgcc_s.so.1)" "$dom0/lib/x86_64-linux-gnu/"
    modules=$(echo "$root"/lib/modules/*/kernel/drivers/xen)
    for program in xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs/xenfs; do
        cp "$modules/$program.ko" "$dom0/lib/modules/" || return 1
    done
    echo run_hotplug_scripts=0 >"$dom0/etc/xen/xl.conf"
    echo root:x:0:0:root:/root:/bin/sh >"$dom0/etc/passwd"
    echo root:x:0: >"$dom0/etc/group"
    echo nobody:x:65534:65534:nobody:/:/bin/false >>"$dom0/etc/passwd"
    echo nogroup:x:65534: >>"$dom0/etc/group"
    install -m 755 "$lab_dir/dom0/init" "$dom0/init" || return 1
    archive_tree "$dom0" >"$out/dom0.cpio"

    # The Linux guest is an archive of its own: it is large, and only the
    # scenarios that ask for it get it.
    mkdir -p "$cache/making/linux/lab"
    cp "$out/vmlinux" "$out/guest.cpio" "$cache/making/linux/lab/"
    archive_tree "$cache/making/linux" >"$out/linux-guest.cpio"
    rm "$out/guest.cpio"
}
