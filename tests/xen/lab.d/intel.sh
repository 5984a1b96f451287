# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The other machine: an Intel one, with VMX and EPT, that Bochs emulates. There
# Xen has what it has not on AMD, memory access above all. It has one CPU.
#
# Bochs is Debian 13's: 12's is four times as slow, and without the monitor trap
# flag. It is unpacked, with all that it is linked to, and run by its own loader.
# It boots from a CD, whose boot loader knows what Xen is; what writes that CD is
# installed.

readonly bochs_release=13
readonly bochs_packages='bochs bochs-term bochsbios vgabios'
readonly bochs_bios=usr/share/bochs/BIOS-bochs-latest
readonly bochs_vga_bios=usr/share/bochs/VGABIOS-lgpl-latest
readonly cd_packages='grub-common grub-pc-bin xorriso mtools'

# Sets $bochs to a folder that has it, making that once: it is kept until what it
# is made of changes, by these lines.
prepare_intel() {
    local lock
    bochs=$cache/bochs-$({
        echo "$bochs_release $bochs_packages"
        declare -f unpack_bochs
    } | sha256sum | cut -c1-12)
    # shellcheck disable=SC2086 # a list of names
    install_packages $cd_packages ||
        unavailable "these packages could not be installed: $cd_packages"
    command -v script >/dev/null || unavailable "there is no script(1)"
    if [ ! -d "$bochs" ]; then
        exec {lock}>"$cache/lock"
        flock -n "$lock" ||
            long_step "waiting for another run to make the image" flock "$lock"
        [ -d "$bochs" ] || make_bochs || exit
        exec {lock}>&-
    fi
    note "Bochs $(cat "$bochs/version")"
}

# In a shell of its own: the base may be of another release.
make_bochs() (
    choose_release "$bochs_release"
    making=$cache/making
    rm -rf "$making"
    mkdir -p "$making/debs" "$making/root" "$cache/debs"
    packages=$(resolve_bochs) || packages=
    if [ -z "$packages" ]; then
        update_release || true
        packages=$(resolve_bochs) || packages=
    fi
    [ "$packages" ] || unavailable "apt knows no Bochs of Debian $release" \
        "($bochs_packages)"
    long_step "downloading Bochs" download_packages "$packages" ||
        unavailable "Debian's Bochs cannot be downloaded"
    long_step "unpacking Bochs" unpack_bochs "$packages" "$making/root" ||
        unavailable "Debian's Bochs cannot be unpacked to $making"
    sed -n 's/^bochs=//p' <<<"$packages" >"$making/root/version"
    mv -T "$making/root" "$bochs"
    rm -rf "$making"
)

resolve_bochs() {
    # shellcheck disable=SC2086
    closure $bochs_packages | sort -u
}

# It is linked to a desktop's libraries; their data it does without.
unpack_bochs() { # PACKAGES TREE
    local package deb
    merged_tree "$2"
    for package in $1; do
        deb=$(compgen -G "$(deb_of "$package")" | head -n 1)
        unpack_into "$2" "$deb" || return 1
    done
    keep_links_inside "$2"
    find "$2/usr/share" -mindepth 1 -maxdepth 1 ! -name bochs ! -name vgabios \
        -exec rm -r {} + || return 1
    [ -x "$2/usr/bin/bochs-bin" ] && [ -s "$2/$bochs_bios" ] &&
        [ -s "$2/$bochs_vga_bios" ]
}

# Leaves in $work/boot.iso a CD that boots Xen, with dom0's kernel and
# $work/initrd. Of graphics modes Bochs bears text alone. Xen polls its serial
# port: the interrupt of that one is the third one's, too.
make_cd() { # with $xen_args and $linux_args
    local tree=$work/cd
    mkdir -p "$tree/boot/grub"
    cp "$xen" "$tree/boot/xen"
    cp "$base/vmlinux" "$tree/boot/vmlinux"
    mv "$work/initrd" "$tree/boot/initrd"
    cat >"$tree/boot/grub/grub.cfg" <<EOF
set timeout=0
menuentry xen {
    set gfxpayload=text
    multiboot2 /boot/xen placeholder com1=115200,8n1,0x3f8,0 $xen_args
    module2 /boot/vmlinux placeholder $linux_args
    module2 --nounzip /boot/initrd
}
EOF
    grub-mkrescue -d /usr/lib/grub/i386-pc -o "$work/boot.iso" "$tree" \
        >"$work/cd.log" 2>&1 || {
        tail -n 3 "$work/cd.log" >&2
        return 1
    }
    rm -r "$tree"
}

# Debian's Bochs has a debugger in it, which begins by waiting for a command.
write_bochsrc() { # LOG_DIR
    echo c >"$work/commands"
    cat >"$work/bochsrc" <<EOF
config_interface: textconfig
display_library: term
cpu: model=corei7_haswell_4770, count=1, ips=200000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=2048, host=2048
romimage: file=$bochs/$bochs_bios, options=fastboot
vgaromimage: file=$bochs/$bochs_vga_bios
vga: extension=none, update_freq=1
pci: enabled=1, chipset=i440fx
clock: sync=none, time0=local
ata0-master: type=cdrom, path=$work/boot.iso, status=inserted
boot: cdrom
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
log: $1/emulator.log
com1: enabled=1, mode=file, dev=$1/xen.log
com2: enabled=1, mode=file, dev=$work/output
com3: enabled=1, mode=file, dev=$1/control.log
EOF
}

# It draws on a terminal, and gets one that nobody sees; when script(1) ends, that
# is hung up, which ends Bochs. It has the pipe of the output open from its start.
start_bochs() { # LOG_DIR
    local libraries=$bochs/usr/lib/x86_64-linux-gnu command
    make_cd || { note "no CD can be made to boot from"; exit 70; }
    write_bochsrc "$1"
    printf -v command '%q ' "$libraries/ld-linux-x86-64.so.2" --library-path \
        "$libraries" "$bochs/usr/bin/bochs-bin" -q -f "$work/bochsrc" \
        -rc "$work/commands"
    LTDL_LIBRARY_PATH=$libraries/bochs/plugins BXSHARE=$bochs/usr/share/bochs \
        TERM=xterm setpriv --pdeathsig KILL \
        script -qfc "exec $command" /dev/null <&3 >/dev/null 2>&1 &
    emulator=$!
}
