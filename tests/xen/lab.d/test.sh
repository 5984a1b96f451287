#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The lab's own parts, without a Xen: which release it takes, what it makes of
# packed files and of the logs of several scenarios, and how it tells a fault of
# the emulator. Run by ctest.
set -euo pipefail

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for part in report release prepare image overlay fault judge run group; do
    # shellcheck source=/dev/null
    . "$lab_dir/lab.d/$part.sh"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 machine=amd

expect() { # WHAT EXPECTED FOUND
    [ "$2" = "$3" ] && return 0
    printf 'FAIL: %s: expected "%s", found "%s"\n' "$1" "$2" "$3"
    failed=1
}

# FOREIGN|RELEASE|WORDS of what is said.
chosen() { # ID VERSION_ID WANTED
    printf 'ID=%s\n%s\nPRETTY_NAME="a name"\n' "$1" \
        "${2:+VERSION_ID=\"$2\"}" >"$work/os-release"
    LAB_OS_RELEASE=$work/os-release
    choose_release "$3" 2>"$work/said"
    echo "${foreign:-own}|$release|$(wc -l <"$work/said")"
}

test_release() {
    expect "Debian 12" "own|12|0" "$(chosen debian 12 '')"
    expect "Debian 13" "own|13|0" "$(chosen debian 13 '')"
    expect "13 on 12" "yes|13|0" "$(chosen debian 12 13)"
    expect "12 on 13" "yes|12|0" "$(chosen debian 13 12)"
    # One line says what is taken instead.
    expect "Debian 14" "yes|13|1" "$(chosen debian 14 '')"
    expect "testing" "yes|13|1" "$(chosen debian '' '')"
    expect "Debian 9" "yes|12|1" "$(chosen debian 9 '')"
    expect "no Debian" "yes|13|1" "$(chosen other 12 '')"
    expect "no Debian, asked" "yes|12|0" "$(chosen other 12 12)"
    local odd
    for odd in '' '13 ' ' 13' 13.0 013 '13
' 14; do
        expect "--release '$odd'" 64 "$(refused --release "$odd" list)"
    done
    expect "--limit ''" 64 "$(refused --limit '' list)"
    expect "--release" 64 "$(refused --release)"
    expect "--release 13" 0 "$(refused --release 13)"
    expect "--machine arm" 64 "$(refused --machine arm)"
    expect "--machine" 64 "$(refused --machine)"
    expect "--machine intel" 0 "$(refused --machine intel)"
}

# refused OPTION...: the status.
refused() {
    local status=0
    "$lab_dir/lab" list "$@" >"$work/said" 2>&1 || status=$?
    echo $status
}

# Its tree is this machine: the tools are those in PATH.
test_unpack() {
    local packer file out=$work/out
    mkdir -p "$work/tree/usr/bin"
    foreign='' loader=env library_tree=$work/tree library_path=
    for packer in gzip xz zstd; do
        file=$work/true.$packer
        command -v "$packer" >/dev/null || continue
        ln -sf "$(command -v "$packer")" "$work/tree/usr/bin/$packer"
        "$packer" -c /bin/true >"$file"
        expect "packed by" "$packer" "$(packed_by "$file")"
        if ! unpack_file "$file" "$out" || ! cmp -s /bin/true "$out"; then
            expect "$packer unpacked" "as it was" "otherwise"
        fi
        # What is no program is no kernel, whatever unpacks it.
        echo text | "$packer" -c >"$file"
        ! unpack_file "$file" "$out" || expect "$packer" "an ELF" "a text"
    done
    # By xz's first bytes, and then nothing that it can unpack.
    printf '\xfd7zXZ\0nothing' >"$work/bad"
    ! unpack_file "$work/bad" "$out" 2>/dev/null ||
        expect "a bad file" "refused" "taken"
    expect "not packed" none "$(packed_by /bin/true || echo none)"
}

# Words as little-endian bytes.
bytes() { # WIDTH VALUE...
    local width=$1 value i
    shift
    for value; do
        for ((i = 0; i < width; i++)); do
            printf '%b' "\\x$(printf '%x' $(((value >> (8 * i)) & 255)))"
        done
    done
}

# An ELF whose one segment has an IN from port 0x42 at ffffffff81000003.
make_kernel() { # FILE
    {
        printf '\x7fELF'
        bytes 1 2 1 1 0 0 0 0 0 0 0 0 0
        bytes 2 2 62
        bytes 4 1
        bytes 8 0 64 0
        bytes 4 0
        bytes 2 64 56 1 0 0 0
        bytes 4 1 5
        bytes 8 120 $((0xffffffff81000000)) 0 8 8 8
        printf '\x90\x90\x90\xe4\x42\x90\x90\x90'
    } >"$1"
}

# A triple fault's dump, as Xen prints it.
dump() { # CS RIP CR2
    cat >"$work/xen.log" <<END
(XEN) d1v0 Triple fault - invoking HVM shutdown action 1
(XEN) RIP:    $1:[<$2>]
(XEN) cr3: 0000000000000000   cr2: $3
END
}

verdict() {
    if is_emulators_fault "$work" "$work/scenario"; then
        echo emulator
    else
        echo ours
    fi
}

test_fault() {
    base=$work
    make_kernel "$work/vmlinux"
    echo "# lab: needs linux-guest" >"$work/scenario"
    expect "code" e442 "$(code_at "$work/vmlinux" ffffffff81000003 2)"
    expect "no code" "" "$(code_at "$work/vmlinux" ffffffff81000009 2)"
    dump 0010 ffffffff81000003 0000000000000000
    expect "at the IN" emulator "$(verdict)"
    dump 0010 ffffffff81000004 0000000000000000
    expect "elsewhere" ours "$(verdict)"
    dump 0010 ffffffff81000003 00000000000000f0
    expect "after a page fault" ours "$(verdict)"
    dump e008 ffff82d040200000 0000000000000000
    expect "in Xen" emulator "$(verdict)"
    echo "# lab: needs agent-domain" >"$work/scenario"
    dump 0010 ffffffff81000004 0000000000000000
    expect "an agent's domain" emulator "$(verdict)"
    : >"$work/xen.log"
    expect "nothing" ours "$(verdict)"
    printf '(d2) RIP: 0010:asm_sysvec_x+0x0/0x10\n(d2) EFLAGS: 00000%s\n' 046 \
        >"$work/xen.log"
    expect "an interrupt twice" emulator "$(verdict)"
    printf '(d2) RIP: 0010:asm_sysvec_x+0x0/0x10\n(d2) EFLAGS: 00000%s\n' 246 \
        >"$work/xen.log"
    expect "an interrupt once" ours "$(verdict)"
}

# Both versions, and what a scenario needs.
borne() { # LINUX QEMU NEEDS
    local its_linux=$1 its_qemu=$2 status=0
    # shellcheck disable=SC2317 # called by what is tested
    linux_version() { echo "$its_linux"; }
    # shellcheck disable=SC2317
    qemu_version() { echo "$its_qemu"; }
    echo "# lab: needs $3" >"$work/scenario"
    (check_emulator "$work/scenario") 2>"$work/said" || status=$?
    echo "$status|$(wc -l <"$work/said")"
}

test_emulator() {
    release=12
    expect "6.1 on 7.2" "0|0" "$(borne 6.1.192 7.2.22 linux-guest)"
    expect "6.1 on 10" "77|1" "$(borne 6.1.192 10.0.13 linux-guest)"
    expect "an agent's domain" "77|1" "$(borne 6.1.192 10.0.13 agent-domain)"
    expect "no Linux guest" "0|0" "$(borne 6.1.192 10.0.13 '')"
    expect "6.12 on 10" "0|0" "$(borne 6.12.118 10.0.13 linux-guest)"
    expect "6.12 on 7.2" "0|0" "$(borne 6.12.118 7.2.22 linux-guest)"
}

# A build folder in a build folder is another release's.
test_programs() {
    mkdir -p "$work/build/agent" "$work/build/other/agent"
    touch "$work/build/CMakeCache.txt" "$work/build/other/CMakeCache.txt"
    cp /bin/true "$work/build/agent/vmring-agent"
    cp /bin/true "$work/build/other/agent/vmring-agent"
    expect "programs" "$work/build/agent/vmring-agent" \
        "$(programs_in "$work/build")"
}

# Three scenarios, of which the second failed: each has its part of the logs, and
# the third is left. What came of one is taken once, and not by newer programs.
test_group() {
    local log=$work/log folder=$work/group name
    declare -A tries=()
    bin_dirs=("$work/build") lab_dir=$work
    mkdir -p "$log" "$work/scenarios"
    printf '%s\n' booting 'lab: begins one' 'exit 0' 'lab: begins two' \
        'step end' 'exit 5' >"$log/control.log"
    printf '%s\n' 'boot' 'lab: begins one' 'of one' '(d1) of lab: begins two' \
        '(XEN) Xen WARN at two' >"$log/xen.log"
    printf 'PASS: one\nlab: begins two\nFAIL: two\n' >"$log/scenario.log"
    : >"$log/emulator.log"
    queue=()
    for name in one two three; do
        mkdir -p "$folder/$name"
        touch "$work/scenarios/$name.sh"
        queue+=("$work/scenarios/$name.sh")
        tries[$work/scenarios/$name.sh]=0
    done
    # shellcheck disable=SC2317 # boot_queue calls it
    boot() { :; }
    work=$work limit='' which_xen=debian
    boot_queue "$folder" 2>"$work/said"
    expect "left" "$work/scenarios/three.sh" "${queue[*]}"
    expect "of one" 3 "$(wc -l <"$folder/one/xen.log")"
    expect "of two" "FAIL: two" "$(tail -n 1 "$folder/two/scenario.log")"
    expect "taken" "0|PASS: one" "$(result_of one)"
    expect "taken again" none "$(result_of one)"
    touch -d 2000-01-01 "$folder/two/status"
    expect "old" none "$(result_of two)"
    echo 5 >"$folder/two/status"
    expect "failed" "5|lab: begins two FAIL: two" "$(result_of two)"
    expect "not run" none "$(result_of three)"
}

# STATUS|OUTPUT
result_of() { # NAME
    local said taken
    take_result "$work/group" "$work/scenarios/$1.sh" >"$work/said" \
        2>"$work/errors" || {
        echo none
        return
    }
    said=$(paste -sd ' ' "$work/said")
    echo "$taken|$said"
}

# apt as a release would answer it, and as one without Xen does.
test_packages() {
    local found
    # shellcheck disable=SC2317 # called by what is tested
    release_apt() {
        case "$*" in
        *'depends'*xen-system-amd64)
            [ -n "$knows_xen" ] || return 0
            printf ' %s\n' 'Depends: xen-hypervisor-5.1-amd64' \
                'Depends: xen-hypervisor-common' 'Depends: xen-utils-5.1'
            ;;
        *'depends'*linux-image-amd64)
            echo '  Depends: linux-image-9.9.9+deb99-amd64' ;;
        *' show '*) printf 'Package: %s\nVersion: 1:2-3\n' one two ;;
        esac
    }
    knows_xen=yes
    found=$(tool_packages | paste -sd ' ')
    expect "packages of the release" "xen-hypervisor-5.1-amd64 xen-utils-5.1 \
linux-image-9.9.9+deb99-amd64 xenstore-utils busybox-static xz-utils zstd" \
        "$found"
    knows_xen=
    expect "no Xen" refused "$(tool_packages >/dev/null || echo refused)"
    expect "both known" "one=1:2-3 two=1:2-3" \
        "$(candidates one two | paste -sd ' ')"
    expect "one unknown" refused \
        "$(candidates one two three >/dev/null || echo refused)"
}

test_release
test_packages
test_unpack
test_fault
test_emulator
test_programs
test_group
exit "$failed"
