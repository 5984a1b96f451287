# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Boots a base with an overlay of the programs under test and runs a scenario, or
# several, in dom0.

# Starts the machine in the background as $emulator. The kernel ends that when
# this shell dies, in whatever way. LAB_XEN_ARGS, LAB_LINUX_ARGS and LAB_QEMU_ARGS
# are for experiments.
#
# The serial ports: Xen's console; the scenario's output; what dom0's /init
# tells the host. The last one's interrupt must not be Xen's.
start_machine() { # LOG_DIR SCENARIO
    local xen_args linux_args
    xen_args="console=com1 dom0_mem=1024M loglvl=all guest_loglvl=all"
    xen_args+=" conring_size=4M ${LAB_XEN_ARGS:-}"
    linux_args="console=hvc0 quiet loglevel=5 panic=1 nosoftlockup"
    linux_args+=" rodata=off mitigations=off audit=0 ${LAB_LINUX_ARGS:-}"
    case $machine in
    amd) start_qemu "$1" "$(scenario_option "$2" thread)" ;;
    intel) start_bochs "$1" ;;
    esac
}

# The third port has an interrupt of its own, as its usual one is Xen's.
#
# One thread of the host emulates both CPUs in turn. With two ("# lab: thread
# multi") a CPU that spins on a lock of Xen takes QEMU's own lock at every
# PAUSE; on a busy host that holds up the one that has Xen's lock, and scenarios
# with many events run ten times slower than on an idle one. And see
# is_emulators_fault.
start_qemu() { # LOG_DIR THREAD|'', with $xen_args and $linux_args
    # shellcheck disable=SC2086 # several of them
    setpriv --pdeathsig KILL \
        qemu-system-x86_64 ${LAB_QEMU_ARGS:-} \
        -nodefaults -no-user-config -no-reboot \
        -accel "tcg,thread=${2:-single}" -cpu qemu64,+svm,+npt -smp 2 -m 2G \
        -display none -vga none -monitor none \
        -serial "file:$1/xen.log" \
        -chardev "stdio,id=scenario,signal=off,logfile=$1/scenario.log" \
        -serial chardev:scenario \
        -chardev "file,id=control,path=$1/control.log,append=on" \
        -device isa-serial,iobase=0x3e8,irq=5,chardev=control \
        -kernel "$xen" -append "com1=115200,8n1 dom0_max_vcpus=2 $xen_args" \
        -initrd "$base/vmlinux $linux_args,$work/initrd" \
        <&3 >&4 2>"$1/emulator.log" &
    emulator=$!
}

# Whatever ends this shell ends the machine; see start_machine() for SIGKILL.
clean_up() {
    stop_machine
    [ -z "${terminal:-}" ] || stty "$terminal"
    rm -rf "${work:?}"
}

stop_machine() {
    [ -n "${emulator:-}" ] || return 0
    kill -KILL "$emulator" 2>/dev/null || true
    wait "$emulator" 2>/dev/null || true
    emulator=
}

# The seconds that SCENARIO may take; what it waits for, it waits for by its own
# limits, and on a Xen with assertions three times as long.
limit_of() { # SCENARIO
    local seconds=$limit
    [ -n "$seconds" ] || seconds=$(scenario_option "$1" limit)
    seconds=${seconds:-120}
    case $which_xen in *debug) seconds=$((seconds * 3)) ;; esac
    echo "$seconds"
}

# Waits for the machine to end; fails when the limit of the scenario that is running
# comes first. That of the first one is for booting, too.
await_machine() { # LOG_DIR SCENARIO...
    local log=$1 nr=1 deadline
    shift
    deadline=$((SECONDS + $(limit_of "$1")))
    while kill -0 "$emulator" 2>/dev/null; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        # It has read it, or has it open, when Xen speaks; gone, it cannot be
        # left behind.
        [ ! -s "$log/xen.log" ] || rm -f "$work/initrd" "$work/boot.iso"
        if [ $# -gt 1 ] && has_begun "$log" "$2"; then
            shift
            deadline=$((SECONDS + $(limit_of "$1")))
        fi
        sleep 0.1
    done
    wait "$emulator" || true
    emulator=
}

# boot LOG_DIR SCENARIO...: from the machine's start to its end. 1: a limit came first.
boot() {
    local log=$1 status=0
    shift
    rm -f "$log"/{xen,scenario,control,emulator,bad,xl-dmesg}.log "$work/output"
    echo "step Xen and dom0's kernel boot" >"$log/control.log"
    # The one before was removed when it had been read.
    make_initrd "$@"
    connect_output "$log"
    start_machine "$log" "$1"
    exec 3<&- 4>&-
    await_machine "$log" "$@" || status=1
    stop_machine
    [ -z "${viewer:-}" ] || wait "$viewer" || true
    return "$status"
}

# Where everything is while it runs, as $work.
make_work() {
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    work=$(mktemp -d "${TMPDIR:-/tmp}/vmring-lab.XXXXXX")
}

run_scenario() { # LOG_DIR|'' SCENARIO, with $arguments
    local log=$1 scenario=$2 status=0 start=$SECONDS kept=yes again at
    make_work
    if [ -z "$log" ]; then
        log=$(mktemp -d "${TMPDIR:-/tmp}/vmring-lab-log.XXXXXX")
        kept=
    fi
    mkdir -p "$log"
    run_once "$log" "$scenario" || status=$?
    for again in "once more" "for the last time"; do
        if [ "$status" = 0 ] || ! is_emulators_fault "$log" "$scenario"; then
            break
        fi
        note "QEMU left a guest in a state that no processor can; $again"
        status=0
        run_once "$log" "$scenario" || status=$?
    done
    if [ "$status" != 0 ] && is_emulators_fault "$log" "$scenario"; then
        note "three times: this QEMU cannot run ${scenario##*/}"
        status=77
    fi
    if [ "$status" != 0 ]; then
        at=$(told "$log" step)
        note "${scenario##*/}: status $status after $((SECONDS - start)) s," \
            "at step: ${at:-booting}; logs in $log"
    elif [ -z "$kept" ]; then
        rm -rf "$log"
    fi
    return "$status"
}

run_once() { # LOG_DIR SCENARIO
    local expired='' start=$SECONDS
    boot "$1" "$2" || expired=yes
    judge_run "$1" "$2" "$expired" $((SECONDS - start))
}

# Opens 3 and 4, the machine's input and output. The output goes through a pipe:
# QEMU would leave a terminal, and what else shares it, non-blocking. It keeps
# what it puts there in a log itself; Bochs does not.
connect_output() { # LOG_DIR
    local copy=/dev/null
    if [ -n "$interactive" ]; then
        terminal=$(stty -g) || usage_error "lab shell needs a terminal"
        exec 3<&0 4>&1
        return
    fi
    mkfifo "$work/output"
    [ "$machine" = amd ] || copy=$1/scenario.log
    tee "$copy" <"$work/output" &
    viewer=$!
    exec 3</dev/null 4>"$work/output"
}
