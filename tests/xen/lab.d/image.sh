# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Archives that Linux boots from: the dom0 image, the Linux guest, the agent
# domain, and the parts that the overlay of a run shares with them. $busybox is the one that
# goes into them; it also writes the archives.

# Where programs find their libraries, and the loader that tells: a release's
# TREE for its own, or this machine's with what TREE adds; without a TREE, this
# machine's alone.
use_libraries() { # TREE|''
    library_tree=$1
    library_path=${1:+$1/usr/lib/x86_64-linux-gnu}
    loader=/lib64/ld-linux-x86-64.so.2
    [ -z "$foreign" ] || loader=$library_path/ld-linux-x86-64.so.2
}

# Runs a program that is linked to those.
run_linked() { # PROGRAM [ARG...]
    "$loader" ${library_path:+--library-path "$library_path"} "$@"
}

# What PROGRAM is linked to, one a line; says which it does not find, or finds
# in this machine's folders where it must not.
linked_libraries() { # PROGRAM
    local told
    told=$(LD_TRACE_LOADED_OBJECTS=1 LD_WARN=yes run_linked "$1" 2>&1) || true
    case $told in
    *'not found'*)
        note "${1##*/}: $(grep -m 1 'not found' <<<"$told" |
            sed 's/^[[:space:]]*//')"
        return 1
        ;;
    esac
    told=$(sed -n -e 's/^.* => \(\/[^ ]*\) (0x.*$/\1/p' \
        -e 's/^[[:space:]]*\(\/[^ ]*\) (0x.*$/\1/p' <<<"$told" |
        grep -v '/ld-linux-x86-64\.so\.2$')
    if [ -n "$foreign" ] && grep -qE '^/(usr/)?lib' <<<"$told"; then
        note "${1##*/}: Debian $release's packages have no" \
            "$(grep -m 1 -E '^/(usr/)?lib' <<<"$told" | sed 's|.*/||')"
        return 1
    fi
    [ -z "$told" ] || printf '%s\n' "$told"
}

# copy_libraries TREE PROGRAM...: the libraries they name, to where TREE's
# loader finds them.
copy_libraries() {
    local tree=$1 program libraries=
    shift
    mkdir -p "$tree/lib/x86_64-linux-gnu" "$tree/lib64"
    for program in "$@"; do
        libraries+=$(linked_libraries "$program")$'\n' || return 1
    done
    cp -L "$loader" "$tree/lib64/ld-linux-x86-64.so.2" || return 1
    sort -u <<<"$libraries" | while read -r library; do
        [ -z "$library" ] || cp -L "$library" "$tree/lib/x86_64-linux-gnu/"
    done
}

# What FILE is packed by, by its first bytes; fails when it is none of these.
packed_by() { # FILE
    case $(od -An -tx1 -N 6 "$1" | tr -d ' ') in
    fd377a585a00) echo xz ;;
    28b52ffd*) echo zstd ;;
    1f8b*) echo gzip ;;
    *) return 1 ;;
    esac
}

# By the release's own tools: busybox's xzcat exits 0 with nothing said on what
# it does not know, and cannot unpack Linux.
unpack_file() { # FILE OUT
    case $(packed_by "$1") in
    xz) run_linked "$library_tree/usr/bin/xz" -dcq "$1" >"$2" ;;
    zstd) run_linked "$library_tree/usr/bin/zstd" -dcq "$1" >"$2" ;;
    gzip) gzip -dc "$1" >"$2" ;;
    *) return 1 ;;
    esac && is_elf "$2"
}

is_elf() { # FILE
    [ "$(od -An -tx1 -N 4 "$1" | tr -d ' ')" = 7f454c46 ]
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
    if ! unpack_file "$out.z" "$out"; then
        note "Linux's image is packed by what the lab does not know; it boots" \
            "as it is, more slowly"
        cp "$image" "$out"
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
    cp -L "$root/usr/bin/busybox" "$out/busybox" || return 1
    busybox=$out/busybox
    use_libraries "$root"
    gzip -dc "$root"/boot/xen-*-amd64.gz >"$out/xen" || return 1
    is_elf "$out/xen" || return 1
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
    install_libraries "$agent" "$root/usr/bin/xenstore" || return 1
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

install_libraries() { # TREE PROGRAM...
    local tree=$1 unwind=$library_path/libgcc_s.so.1
    copy_libraries "$@" || return 1
    # pthread_cancel() loads it at run time; the loader does not show it.
    [ -n "$foreign" ] || unwind=$(host_library libgcc_s.so.1)
    cp -L "$unwind" "$tree/lib/x86_64-linux-gnu/"
}

install_modules() { # PACKAGES_TREE TREE
    local modules module file
    modules=$(echo "$1"/usr/lib/modules/*/kernel/drivers/xen)
    mkdir -p "$2/lib/modules"
    for module in xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs/xenfs; do
        file=$(compgen -G "$modules/$module.ko*") || return 1
        if packed_by "$file" >/dev/null; then
            unpack_file "$file" "$2/lib/modules/${module##*/}.ko" || return 1
        else
            cp "$file" "$2/lib/modules/" || return 1
        fi
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
    local xenbin
    xenbin=$(echo "$root"/usr/lib/xen-*/bin)
    mkdir -p "$dom0"/{dev,proc,sys,tmp,run,lab,etc/xen,usr/bin,root} \
        "$dom0"/var/{log/xen/console,lib/xen,lib/xenstored}
    ln -s /run "$dom0/var/run"
    ln -s /run "$dom0/var/lock"
    install_busybox "$dom0"
    for program in xl xenstored xenconsoled xenconsole xen-init-dom0 \
        libxl-save-helper xen-access lsevtchn xenctx xen-hvmctx xen-diag \
        xen-livepatch xenpaging; do
        cp "$xenbin/$program" "$dom0/usr/bin/" || return 1
        tools+=("$xenbin/$program")
    done
    install_xenstore "$root" "$dom0" || return 1
    tools+=("$root/usr/bin/xenstore")
    # libxl runs its helpers by absolute path.
    mkdir -p "$dom0${xenbin#"$root"}"
    rmdir "$dom0${xenbin#"$root"}"
    ln -s ../../bin "$dom0${xenbin#"$root"}"
    install_libraries "$dom0" "${tools[@]}" || return 1
    install_modules "$root" "$dom0" || return 1
    echo run_hotplug_scripts=0 >"$dom0/etc/xen/xl.conf"
    install_users "$dom0"
    install -m 755 "$lab_dir/dom0/init" "$dom0/init"
    install -m 755 "$lab_dir/dom0/between" "$dom0/lab/between"
}
