# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Archives that Linux boots from: the dom0 image, the Linux guest, the agent
# domain, and the parts that the overlay of a run shares with them. $busybox is the one that
# goes into them; it also writes the archives.

# copy_libraries TREE PROGRAM...: the libraries they name, to where TREE's
# loader finds them.
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
        "$busybox" xzcat "$out.z" >"$out" 2>/dev/null ||
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
        "$busybox" cpio -o -H newc -R 0:0 2>/dev/null)
}

install_busybox() {
    local tree=$1 applet
    mkdir -p "$tree/bin"
    cp "$busybox" "$tree/bin/busybox"
    for applet in $("$busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
    done
}

# WORK: makes WORK/base of the unpacked packages in WORK/root.
make_images() {
    local root=$1/root out=$1/base
    cp -L "$root/bin/busybox" "$out/busybox" || return 1
    busybox=$out/busybox
    gzip -dc "$root/boot/xen-$xen_version-amd64.gz" >"$out/xen" || return 1
    extract_kernel "$root"/boot/vmlinuz-* "$out/vmlinux" || return 1
    make_dom0 "$root" "$1/dom0" || return 1
    archive_tree "$1/dom0" >"$out/dom0.cpio" || return 1
    make_linux_guest "$1/guest" "$1/linux" "$out/vmlinux" || return 1
    archive_tree "$1/linux" >"$out/linux-guest.cpio"
    make_agent_domain "$root" "$1/agent" || return 1
    archive_tree "$1/agent" >"$out/agent.cpio"
}

# What the agent domain has besides the programs under test.
make_agent_domain() { # PACKAGES_TREE TREE
    local root=$1 agent=$2
    mkdir -p "$agent"/{dev,proc,sys,tmp,run,usr/bin,etc}
    install_busybox "$agent"
    install_xenstore "$root" "$agent" || return 1
    install_libraries "$root" "$agent" "$root/usr/bin/xenstore" || return 1
    install_modules "$root" "$agent" || return 1
    install_users "$agent"
    install -m 755 "$lab_dir/dom0/agent-init" "$agent/init"
}

# One program answers to all of these names.
install_xenstore() { # PACKAGES_TREE TREE
    local program
    cp "$1/usr/bin/xenstore" "$2/usr/bin/" || return 1
    for program in chmod exists list ls read rm watch write; do
        ln -s xenstore "$2/usr/bin/xenstore-$program"
    done
}

install_libraries() { # PACKAGES_TREE TREE PROGRAM...
    local root=$1 tree=$2
    shift 2
    LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu \
        copy_libraries "$tree" "$@"
    # pthread_cancel() loads it at run time; ldd does not show it.
    cp -L "$(host_library libgcc_s.so.1)" "$tree/lib/x86_64-linux-gnu/"
}

install_modules() { # PACKAGES_TREE TREE
    local modules module
    modules=$(echo "$1"/lib/modules/*/kernel/drivers/xen)
    mkdir -p "$2/lib/modules"
    for module in xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs/xenfs; do
        cp "$modules/$module.ko" "$2/lib/modules/" || return 1
    done
}

install_users() { # TREE
    echo root:x:0:0:root:/root:/bin/sh >"$1/etc/passwd"
    echo root:x:0: >"$1/etc/group"
    echo nobody:x:65534:65534:nobody:/:/bin/false >>"$1/etc/passwd"
    echo nogroup:x:65534: >>"$1/etc/group"
}

# The Linux guest is an archive of its own: it is large, and only the
# scenarios that ask for it get it.
make_linux_guest() { # GUEST_TREE DOM0_TREE KERNEL
    mkdir -p "$1"/{dev,proc,sys,tmp} "$2/lab"
    install_busybox "$1" || return 1
    install -m 755 "$lab_dir/dom0/guest-init" "$1/init" || return 1
    archive_tree "$1" >"$2/lab/guest.cpio" || return 1
    cp "$3" "$2/lab/"
}

make_dom0() { # PACKAGES_TREE TREE
    local root=$1 dom0=$2 program tools=()
    local xenbin=$root/usr/lib/xen-$xen_version/bin
    mkdir -p "$dom0"/{dev,proc,sys,tmp,run,lab,etc/xen,usr/bin,root} \
        "$dom0"/var/{log/xen/console,lib/xen,lib/xenstored}
    ln -s /run "$dom0/var/run"
    ln -s /run "$dom0/var/lock"
    install_busybox "$dom0"
    for program in xl xenstored xenconsoled xenconsole xen-init-dom0 \
        libxl-save-helper xen-access lsevtchn xenctx xen-hvmctx xen-diag; do
        cp "$xenbin/$program" "$dom0/usr/bin/" || return 1
        tools+=("$xenbin/$program")
    done
    install_xenstore "$root" "$dom0" || return 1
    tools+=("$root/usr/bin/xenstore")
    # libxl runs its helpers by absolute path.
    mkdir -p "$dom0/usr/lib/xen-$xen_version"
    ln -s ../../bin "$dom0/usr/lib/xen-$xen_version/bin"
    install_libraries "$root" "$dom0" "${tools[@]}" || return 1
    install_modules "$root" "$dom0" || return 1
    echo run_hotplug_scripts=0 >"$dom0/etc/xen/xl.conf"
    install_users "$dom0"
    install -m 755 "$lab_dir/dom0/init" "$dom0/init"
}
