# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Boots the base with an overlay of the programs under test, runs a scenario
# in dom0, and judges what came of it.

# What must not be in the log of the hypervisor and of dom0's kernel, whatever
# the scenario's own verdict. A scenario that provokes one of these on purpose
# says so in a line "# lab: allow EXTENDED-REGEX".
readonly bad_log='Xen WARN|Xen BUG|Assertion .* failed|Panic on CPU'\
'|Xen call trace|FATAL (TRAP|PAGE FAULT)|domain_crash|crashed on cpu'\
'|\(XEN\).*vm_event|Kernel panic|kernel BUG at|BUG:|Oops|WARNING: CPU'\
'|general protection fault|Call Trace:'

scenario_path() {
    case $1 in
    */*) [ -f "$1" ] && echo "$1" ;;
    *) [ -f "$lab_dir/scenarios/$1.sh" ] && echo "$lab_dir/scenarios/$1.sh" ;;
    esac
}

# The values of the scenario's "# lab: KEY VALUE" lines.
scenario_option() {
    sed -n "s/^# lab: $2 *//p" "$1"
}

# Programs of a build folder: those named vmring-*, wherever they are in it,
# and whatever is executable at its top.
programs_in() {
    {
        find "$1" -name CMakeFiles -prune -o -type f -name 'vmring-*' \
            ! -name '*.*' -print
        find "$1" -maxdepth 1 -type f -perm -u+x -print
    } | sort -u | while read -r program; do
        [ "$(head -c 4 "$program" | tail -c 3)" = ELF ] &&
            case $program in *.so | *.so.*) false ;; esac &&
            printf '%s\n' "$program"
    done
}

add_file() { # TREE SRC[:DEST]
    local source=${2%%:*} dest=
    case $2 in *:*) dest=${2#*:} ;; esac
    [ -f "$source" ] || die "no such file: $source"
    dest=$1/${dest:-/usr/bin/${source##*/}}
    mkdir -p "${dest%/*}"
    cp -L "$source" "$dest"
    [ -x "$source" ] && copy_libraries "$1" "$source"
    return 0
}

make_overlay() { # TREE SCENARIO [ARG...]
    local tree=$1 scenario=$2 dir program
    shift 2
    mkdir -p "$tree/lab" "$tree/usr/bin"
    cp "$lab_dir"/scenarios/*.sh "$tree/lab/"
    cp "$scenario" "$tree/lab/scenario"
    {
        printf 'set --'
        # Single quotes hold anything but a single quote.
        [ $# = 0 ] || printf " '%s'" "${@//\'/\'\\\'\'}"
        echo
        printf 'export LAB_SCENARIO=%q\n' "$(basename "$scenario" .sh)"
    } >"$tree/lab/arguments"
    for dir in "${bin_dirs[@]}"; do
        programs_in "$dir" >"$tree/.programs"
        while read -r program; do
            cp -L "$program" "$tree/usr/bin/"
        done <"$tree/.programs"
        mapfile -t programs <"$tree/.programs"
        [ ${#programs[@]} = 0 ] || copy_libraries "$tree" "${programs[@]}"
        rm "$tree/.programs"
    done
    for program in "${extra_files[@]}"; do
        add_file "$tree" "$program"
    done
}

# Starts QEMU in the background as $qemu. The kernel ends it when this shell
# dies, in whatever way.
start_qemu() { # INITRD LOG_DIR
    local xen_args="console=com1 com1=115200,8n1 dom0_mem=${dom0_mem}M"
    local linux_args="console=hvc0 quiet loglevel=5 panic=1 nosoftlockup"
    xen_args+=" dom0_max_vcpus=2 loglvl=all guest_loglvl=all conring_size=4M"
    xen_args+=" ${LAB_XEN_ARGS:-}"
    linux_args+=" ${LAB_LINUX_ARGS:-}"
    mkfifo "$work/output"
    cat "$work/output" &
    viewer=$!
    setpriv --pdeathsig KILL \
        qemu-system-x86_64 -accel tcg,thread=multi -cpu qemu64,+svm,+npt \
        -smp 2 -m "$memory" -display none -vga none -no-reboot -monitor none \
        -nodefaults -no-user-config \
        -serial "file:$2/xen.log" \
        -chardev "stdio,id=scenario,signal=off,logfile=$2/scenario.log" \
        -serial chardev:scenario \
        -chardev "file,id=control,path=$2/control.log" \
        -device isa-serial,iobase=0x3e8,irq=5,chardev=control \
        -kernel "$base/xen" -append "$xen_args" \
        -initrd "$base/vmlinux $linux_args,$1" \
        </dev/null >"$work/output" 2>"$2/qemu.log" &
    qemu=$!
}

stop_qemu() {
    [ -n "${qemu:-}" ] || return 0
    kill -KILL "$qemu" 2>/dev/null || true
    wait "$qemu" 2>/dev/null || true
    qemu=
}

# Waits for QEMU to end; 1 when the limit came first.
await_qemu() {
    local deadline=$((SECONDS + limit))
    while kill -0 "$qemu" 2>/dev/null; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

last_control() { # LOG_DIR KEY
    tr -d '\r' <"$1/control.log" 2>/dev/null | sed -n "s/^$2 //p" | tail -n 1
}

judge_log() { # LOG_DIR SCENARIO
    local allowed
    allowed=$(scenario_option "$2" allow | paste -sd '|' -)
    tr -d '\r' <"$1/xen.log" | grep -nE "$bad_log" |
        grep -vE "${allowed:-^$}" >"$1/bad.log" || true
    grep -E '^\((XEN|d[0-9]+)\)' "$1/xen.log" >"$1/xl-dmesg.log" || true
    [ -s "$1/bad.log" ] || return 0
    note "$2: the log of Xen and dom0 shows what must not be there:"
    head -n 5 "$1/bad.log" | sed "s|^|  $1/xen.log:|" >&2
    return 1
}

run_scenario() { # LOG_DIR SCENARIO [ARG...]
    local log=$1 scenario=$2 archives status start=$SECONDS
    shift 2
    mkdir -p "$log"
    rm -f "$log"/{xen,scenario,control,qemu,bad,xl-dmesg}.log
    archives=("$base/dom0.cpio")
    case $(scenario_option "$scenario" needs) in
    *linux-guest*) archives+=("$base/linux-guest.cpio") ;;
    esac
    make_overlay "$work/overlay" "$scenario" "$@"
    base_busybox=$base/busybox
    archive_tree "$work/overlay" >"$work/overlay.cpio"
    cat "${archives[@]}" "$work/overlay.cpio" >"$work/initrd"
    start_qemu "$work/initrd" "$log"
    if await_qemu; then
        wait "$qemu" || true
        qemu=
        status=$(last_control "$log" exit)
        if [ -z "$status" ]; then
            note "$scenario: the machine went down before the scenario's end," \
                "at step: $(last_control "$log" step); see $log"
            status=71
        fi
    else
        stop_qemu
        status=124
    fi
    wait "$viewer" || true
    if [ "$status" = 124 ] && [ -z "$(last_control "$log" exit)" ]; then
        note "$scenario: not done after $limit s; it was at step:" \
            "$(last_control "$log" step)"
    fi
    judge_log "$log" "$scenario" || [ "$status" != 0 ] || status=72
    [ "$status" = 0 ] || note "$scenario: status $status," \
        "$((SECONDS - start)) s, logs in $log"
    return "$status"
}
