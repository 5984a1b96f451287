# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What others do to a bridge holds none of its guest's vCPUs: a terminal that has
# stalled, a full disk, a xenstore daemon that has stopped, a crowd of peers, and
# such as never read and never let go, memory that is short, all MSRs, one request
# again and again. By the bridge's own measure of its turns, and by the guest's
# own clock.
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# The bridge's default deadline. vmring-bridge(8) says half of it of a turn; an
# emulated machine on a busy host is slower than any that it is meant for.
deadline_ns=1000000000

# shellcheck disable=SC2317 # run_with calls it
xenstored_stops() {
    daemon=$(pidof xenstored oxenstored | cut -d ' ' -f 1)
    [ -n "$daemon" ] || fail "where is xenstored?"
    kill -STOP "$daemon"
    sleep 4
    kill -CONT "$daemon"
}

# shellcheck disable=SC2317
crowd_comes() {
    vmring-lab-crowd crowd "/run/vmring/dom$domid.sock" 3 ||
        fail "no crowd"
}

# Nobody is attached first: some of them are, and never read it. Their lines
# have no room.
# shellcheck disable=SC2317
others_never_read() {
    vmring-lab-crowd kept "/run/vmring/dom$domid.sock" 3 || fail "no crowd"
    sleep 1 # the last child has gone
    agent_start agent "$domid" -q -e cpuid
    guest_unpause micro
    vmring-lab-crowd kept "/run/vmring/dom$domid.sock" 3 || fail "no crowd"
    crowd_comes
    process_wait agent 120 3
    ! dd if=/dev/zero of=/run/lab/disk/more bs=4096 count=1 2>/dev/null ||
        fail "the disk is not full, so nothing was shown"
    umount -l /run/lab/disk
}

# shellcheck disable=SC2317
memory_is_short() {
    mkdir -p /run/lab/memory
    mount -t tmpfs -o size=100% none /run/lab/memory
    available=$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
    dd if=/dev/zero of=/run/lab/memory/fill bs=1M count=$((available - 40)) \
        2>/dev/null
    grep MemAvailable /proc/meminfo
    process_line big 8 "the maximum" vmring-agent -q -e cpuid \
        --async-bytes 64m "$(socket_of "$domid")"
    agent_start small "$(socket_of "$domid")" -q -e cpuid --async-bytes 64k
    guest_unpause micro
    process_wait small 120 3
    umount /run/lab/memory
}

# All of the two windows of 0x2000 MSRs that Xen bears, but for five that it
# cannot watch: there are no more.
# shellcheck disable=SC2317
many_msrs() {
    process_start asking vmring-lab-crowd subscribe "$(socket_of "$domid")" \
        600 "cpuid msr:0-0x1fff msr:0xc0000000-0xc0001fff"
    wait_for 100 "all MSRs to be armed" grep -q armed "$run/asking.out"
    guest_unpause micro
    process_wait asking 120 0
    cat "$run/asking.out"
}

# run_with NAME WHAT OPTION...: the bridge is started with these while WHAT is
# done.
run_with() {
    name=$1
    what=$2
    shift 2
    step "$name"
    domid=$(guest_create micro "vcpus=4 cpuid=$events pace=10000 timed=1" 4) ||
        fail "$domid"
    if [ "$name" = stalled ]; then
        process_start bridge sh -c 'exec "$@" 3>/run/lab/ready' sh \
            vmring-lab-crowd stalled vmring-bridge -v --ready-fd 3 \
            --stats "$run/bridge.json" "$domid"
        wait_for 20 "the bridge to serve" is_ready bridge
        rm -f "$run/ready"
    elif [ "$name" = disk ]; then
        mkdir -p /run/lab/disk
        mount -t tmpfs -o size=16k none /run/lab/disk
        process_start bridge sh -c \
            'exec "$@" 3>/run/lab/ready 2>/run/lab/disk/log' sh \
            vmring-bridge -v --ready-fd 3 --stats "$run/bridge.json" "$domid"
        wait_for 20 "the bridge to serve" is_ready bridge
        rm -f "$run/ready"
        dd if=/dev/zero of=/run/lab/disk/fill bs=4096 count=8 2>/dev/null
    else
        bridge_start bridge "$domid" "$@"
    fi
    case $what in
    memory_is_short | many_msrs | others_never_read)
        $what # it has agents of its own
        ;;
    *)
        agent_start agent "$domid" -q -e cpuid
        guest_unpause micro
        sleep 1
        $what
        process_wait agent 120 3
        ;;
    esac
    guest_wait micro 120
    wait_for 60 "the end of bridge" process_ended bridge
    rm -f "$run/bridge.flat"
    assert_guest_right micro
    longest=$(value bridge .turns.longest_ns)
    held=$(guest_report micro | sed -n 's/.* latency .*max_ns=\([0-9]*\).*/\1/p')
    for part in peers source verdicts target ending; do
        printf '%s %s us, ' $part \
            $(($(value bridge .turns.longest_part_ns.$part) / 1000))
    done
    echo "$name: longest turn $((longest / 1000)) us," \
        "longest event of the guest $((held / 1000)) us," \
        "by deadline $(value bridge .verdicts.deadline)"
    [ "$longest" -lt $deadline_ns ] || fail "a turn took $longest ns"
    [ "$held" -lt $((2 * deadline_ns)) ] || fail "a vCPU was held for $held ns"
    wait_for 20 "the end of the domain" guest_gone micro
}

events=400
run_with alone true
run_with stalled crowd_comes
run_with disk others_never_read
run_with xenstored xenstored_stops
run_with memory memory_is_short
run_with msrs many_msrs
pass "no turn was too long"
