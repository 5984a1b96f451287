# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Boots a base with an overlay of the programs under test, runs a scenario in
# dom0, and judges what came of it.

# What must not be in the log of the hypervisor and of dom0's kernel, whatever
# the scenario's own verdict. A scenario that provokes one of these on purpose
# says so in a line "# lab: allow EXTENDED-REGEX".
readonly bad_log='Xen WARN|UBSAN: |Xen BUG|Assertion .* failed|Panic on CPU'\
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
# and whatever is executable at its top. Another build folder may be in it.
programs_in() {
    {
        find "$1" -mindepth 1 -name CMakeFiles -prune -o -type d \
            -exec test -e '{}/CMakeCache.txt' \; -prune -o -type f -name 'vmring-*' \
            ! -name '*.*' -print
        find "$1" -maxdepth 1 -type f -perm -u+x -print
    } | sort -u | while read -r program; do
        case $program in *.so | *.so.*) continue ;; esac
        is_elf "$program" || continue
        printf '%s\n' "$program"
    done
}

make_overlay() { # TREE SCENARIO [ARG...]
    local tree=$1 scenario=$2 dir file programs
    shift 2
    mkdir -p "$tree/lab" "$tree/usr/bin"
    cp "$lab_dir"/scenarios/*.sh "$tree/lab/"
    cp "$scenario" "$tree/lab/scenario"
    {
        printf 'set --'
        # Single quotes hold anything but a single quote.
        [ $# = 0 ] || printf " '%s'" "${@//\'/\'\\\'\'}"
        echo
    } >"$tree/lab/arguments"
    for dir in "${bin_dirs[@]}"; do
        [ -d "$dir" ] || usage_error "no such folder: $dir"
        mapfile -t programs < <(programs_in "$dir")
        [ ${#programs[@]} -gt 0 ] || continue
        cp -L "${programs[@]}" "$tree/usr/bin/"
        copy_libraries "$tree" "${programs[@]}" || usage_error "$dir holds" \
            "programs of another release than Debian $release, which it boots;" \
            "try: lab programs --release $release FOLDER"
    done
    for file in "${extra_files[@]}"; do
        add_file "$tree" "$file"
    done
}

# The agent domain's archive, with the programs and libraries of TREE.
add_agent_domain() { # TREE
    local tree=$1 part
    mkdir -p "$work/agent"
    for part in usr/bin lib lib64; do
        [ ! -d "$tree/$part" ] || (cd "$tree" &&
            find "$part" -type d -exec mkdir -p "$work/agent/{}" \; &&
            find "$part" -type f ! -name vmring-guest \
                -exec ln "{}" "$work/agent/{}" \;)
    done
    archive_tree "$work/agent" | cat "$base/agent.cpio" - \
        >"$tree/lab/agent.cpio"
    rm -r "$work/agent"
}

add_file() { # TREE SRC[:DEST]
    local source=${2%%:*} dest=
    case $2 in
    *:*) dest=${2#*:} ;;
    esac
    [ -f "$source" ] || usage_error "no such file: $source"
    dest=$1/${dest:-/usr/bin/${source##*/}}
    mkdir -p "${dest%/*}"
    cp -L "$source" "$dest"
    [ ! -x "$source" ] || ! is_elf "$source" ||
        copy_libraries "$1" "$source" || usage_error "$source is of another" \
            "release than Debian $release, which the lab boots"
}

# Starts QEMU in the background as $qemu. The kernel ends it when this shell
# dies, in whatever way. LAB_XEN_ARGS and LAB_LINUX_ARGS are for experiments.
#
# The serial ports: Xen's console; the scenario's output; what dom0's /init
# tells the host. The last has an interrupt of its own, because the usual one
# of the third port belongs to Xen.
#
# One thread of the host emulates both CPUs in turn. With two ("# lab: thread
# multi") a CPU that spins on a lock of Xen takes QEMU's own lock at every
# PAUSE; on a busy host that holds up the one that has Xen's lock, and scenarios
# with many events run ten times slower than on an idle one. And see
# is_emulators_fault.
start_qemu() { # LOG_DIR SCENARIO
    local xen_args linux_args thread
    thread=$(scenario_option "$2" thread)
    xen_args="console=com1 com1=115200,8n1 dom0_mem=1024M dom0_max_vcpus=2"
    xen_args+=" loglvl=all guest_loglvl=all conring_size=4M"
    linux_args="console=hvc0 quiet loglevel=5 panic=1 nosoftlockup"
    linux_args+=" rodata=off mitigations=off audit=0"
    setpriv --pdeathsig KILL \
        qemu-system-x86_64 -nodefaults -no-user-config -no-reboot \
        -accel "tcg,thread=${thread:-single}" -cpu qemu64,+svm,+npt -smp 2 -m 2G \
        -display none -vga none -monitor none \
        -serial "file:$1/xen.log" \
        -chardev "stdio,id=scenario,signal=off,logfile=$1/scenario.log" \
        -serial chardev:scenario \
        -chardev "file,id=control,path=$1/control.log,append=on" \
        -device isa-serial,iobase=0x3e8,irq=5,chardev=control \
        -kernel "$xen" -append "$xen_args ${LAB_XEN_ARGS:-}" \
        -initrd "$base/vmlinux $linux_args ${LAB_LINUX_ARGS:-},$work/initrd" \
        <&3 >&4 2>"$1/qemu.log" &
    qemu=$!
}

# Whatever ends this shell ends QEMU; see start_qemu() for SIGKILL.
clean_up() {
    stop_qemu
    [ -z "${terminal:-}" ] || stty "$terminal"
    rm -rf "${work:?}"
}

stop_qemu() {
    [ -n "${qemu:-}" ] || return 0
    kill -KILL "$qemu" 2>/dev/null || true
    wait "$qemu" 2>/dev/null || true
    qemu=
}

# Waits for QEMU to end; fails when the limit comes first.
await_qemu() { # LIMIT LOG_DIR
    local deadline=$((SECONDS + $1))
    while kill -0 "$qemu" 2>/dev/null; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        # QEMU has read it when Xen speaks; gone, it cannot be left behind.
        [ ! -s "$2/xen.log" ] || rm -f "$work/initrd"
        sleep 0.1
    done
    wait "$qemu" || true
    qemu=
}

# The last thing that dom0 told about KEY.
told() { # LOG_DIR KEY
    { sed -n "s/^$2 //p" "$1/control.log" 2>/dev/null || true; } | tail -n 1
}

# A shift that Xen 4.17 does by itself for each guest with more than 64 vCPUs,
# whose APIC ids reach into the sign of an int: the sanitizer's report of it is
# blanked. Each report is between two lines of "=".
without_known_reports() { # FILE
    awk '
        function tell() { for (i = 0; i < held; i++) print known ? "" : line[i] }
        /^\(XEN\) =====/ && !inside {
            inside = 1; held = 0; known = 0
            line[held++] = $0
            next
        }
        inside {
            line[held++] = $0
            if (/UBSAN: .* in arch\/x86\/(hvm\/vlapic|cpuid)\.c:/) site = held
            if (/left shift of [0-9]+ by 24 places/ && site == held - 1)
                known = 1
            if (/^\(XEN\) =====/) { tell(); inside = 0; site = 0 }
            next
        }
        { print }
        END { if (inside) tell() }' "$1"
}

# Fails when the log of Xen and of dom0's kernel has what it must not have.
# Lines of guests, "(dN) ...", are theirs to fill.
judge_log() { # LOG_DIR SCENARIO
    local allowed
    # Xen with assertions tells of who lets go of a domain amid its destruction,
    # which is right to do: it may have begun since anybody looked.
    allowed=$(
        {
            echo 'Ignoring memory event op on dying domain'
            scenario_option "$2" allow
        } | paste -sd '|' -
    )
    grep -E '^\((XEN|d[0-9]+)\)' "$1/xen.log" >"$1/xl-dmesg.log" || true
    without_known_reports "$1/xen.log" | grep -nE "$bad_log" | grep -vE '^[0-9]+:\(d[0-9]+' |
        grep -vE "${allowed:-^$}" | tr -d '\r' >"$1/bad.log" || true
    [ -s "$1/bad.log" ] || return 0
    note "the log of Xen or of dom0's kernel shows what must not be there:"
    head -n 5 "$1/bad.log" | sed "s|^|  $1/xen.log:|" >&2
    return 1
}

run_scenario() { # LOG_DIR|'' LIMIT|'' SCENARIO [ARG...]
    local log=$1 limit=$2 scenario=$3 status=0 start=$SECONDS kept=yes again
    shift 3
    [ -n "$limit" ] || limit=$(scenario_option "$scenario" limit)
    limit=${limit:-120}
    # A multiple: what a scenario waits for, it waits for by its own limits.
    [ "$which_xen" = debian ] || limit=$((limit * 3))
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    work=$(mktemp -d "${TMPDIR:-/tmp}/vmring-lab.XXXXXX")
    make_initrd "$scenario" "$@"
    if [ -z "$log" ]; then
        log=$(mktemp -d "${TMPDIR:-/tmp}/vmring-lab-log.XXXXXX")
        kept=
    fi
    mkdir -p "$log"
    run_once "$log" "$limit" "$scenario" || status=$?
    for again in "once more" "for the last time"; do
        if [ "$status" = 0 ] || ! is_emulators_fault "$log" "$scenario"; then
            break
        fi
        note "QEMU left a guest in a state that no processor can; $again"
        status=0
        # The one before was removed when it had been read.
        make_initrd "$scenario" "$@"
        run_once "$log" "$limit" "$scenario" || status=$?
    done
    if [ "$status" != 0 ] && is_emulators_fault "$log" "$scenario"; then
        note "three times: this QEMU cannot run ${scenario##*/}"
        status=77
    fi
    if [ "$status" != 0 ]; then
        note "${scenario##*/}: status $status after $((SECONDS - start)) s," \
            "at step: $(told "$log" step); logs in $log"
    elif [ -z "$kept" ]; then
        rm -rf "$log"
    fi
    return "$status"
}

run_once() { # LOG_DIR LIMIT SCENARIO
    local status=0 start=$SECONDS
    rm -f "$1"/{xen,scenario,control,qemu,bad,xl-dmesg}.log "$work/output"
    echo "step Xen and dom0's kernel boot" >"$1/control.log"
    connect_output
    start_qemu "$1" "$3"
    exec 3<&- 4>&-
    await_qemu "$2" "$1" || status=124
    stop_qemu
    [ -z "${viewer:-}" ] || wait "$viewer" || true
    judge_run "$1" "$3" $((SECONDS - start)) || status=$?
    return "$status"
}

# Leaves dom0's archives and the overlay in $work/initrd: the kernel unpacks
# one after the other.
make_initrd() { # SCENARIO [ARG...]
    local archives=("$base/dom0.cpio") needs
    needs=$(scenario_option "$1" needs)
    case $needs in
    *linux-guest* | *agent-domain*) archives+=("$base/linux-guest.cpio") ;;
    esac
    busybox=$base/busybox
    use_libraries "${foreign:+$base/sysroot}"
    make_overlay "$work/overlay" "$@"
    case $needs in
    *agent-domain*) add_agent_domain "$work/overlay" ;;
    esac
    archive_tree "$work/overlay" >"$work/overlay.cpio"
    cat "${archives[@]}" "$work/overlay.cpio" >"$work/initrd"
    rm -r "$work/overlay" "$work/overlay.cpio"
}

# Opens 3 and 4, QEMU's input and output. The output goes through a pipe: QEMU
# would leave a terminal, and what else shares it, non-blocking.
connect_output() {
    if [ -n "$interactive" ]; then
        terminal=$(stty -g) || usage_error "lab shell needs a terminal"
        exec 3<&0 4>&1
        return
    fi
    mkfifo "$work/output"
    cat "$work/output" &
    viewer=$!
    exec 3</dev/null 4>"$work/output"
}

judge_run() { # LOG_DIR SCENARIO SECONDS; the status so far is in $status
    local result
    result=$(told "$1" exit)
    if [ -z "$result" ] && [ "$status" = 124 ]; then
        note "time is up after $3 s"
    elif [ -z "$result" ]; then
        note "the machine went down before the scenario ended"
        tail -n 3 "$1/qemu.log" >&2
        status=71
    else
        status=$result
    fi
    judge_log "$1" "$2" || [ "$status" != 0 ] || status=72
    return "$status"
}
