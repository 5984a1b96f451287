# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A bridge is killed: with no vCPU in the legacy queue --recover frees the
# guest, which finishes, at the price of at most one wrong CPUID a vCPU; with
# vCPUs in it, only destroying is left, and it says so. One that lives is not
# touched. Killed while it takes the ring into use, it leaves nothing that
# --recover or the next bridge does not put back.
# lab: limit 240
# lab: allow Too many unpause attempts
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# shellcheck disable=SC2317 # wait_for calls it
stands_still() {
    still_before=$(guest_cpu_time "$1")
    sleep 1
    [ "$(guest_cpu_time "$1")" = "$still_before" ]
}

# killed NAME VCPUS EVENTS CMDLINE: its bridge, while nobody answers.
killed() {
    step "$2 vCPUs with $3, and the bridge is killed"
    domid=$(guest_create "$1" "vcpus=$2 $4" "$2") || fail "$domid"
    bridge_start bridge "$domid" --deadline none
    agent_start agent "$domid" -q -e "$3"
    guest_unpause "$1"
    sleep 0.5
    process_line recover 9 "has a bridge already, process [0-9]+; its agents" \
        vmring-bridge --recover "$domid"
    process_signal agent STOP
    # An asynchronous event waits for nobody while the bridge lives.
    case $3 in
    *:async) ;;
    *) wait_for 20 "$1 to stand still" stands_still "$1" ;;
    esac
    ! guest_done "$1" || fail "the guest has finished, so nothing was shown"
    process_signal bridge 9
    process_wait bridge 5 137
    wait_for 20 "$1 to stand still" stands_still "$1"
    process_signal agent CONT
    process_wait agent 10 11 "went away"
    process_line next 9 "vmring-bridge --recover $domid" \
        vmring-bridge "$domid"
}

recovered() {
    process_line recover 15 "the ring is free again" \
        vmring-bridge --recover "$domid"
    process_line recover 0 "nothing to recover" \
        vmring-bridge --recover "$domid"
    [ ! -e "/run/vmring/dom$domid.lock" ] || fail "the lock is still there"
}

# finished NAME CPUIDS WRONG: it did its work, with at most WRONG wrong.
finished() {
    guest_wait "$1" 60
    assert_eq "the guest's CPUIDs" "$2" "$(guest_total "$1" cpuid)"
    echo "the guest's cpuid_wrong = $(guest_total "$1" cpuid_wrong)"
    [ "$(guest_total "$1" cpuid_wrong)" -le "$3" ] || fail "that is too many"
    assert_eq "the guest's stray" 0 "$(guest_total "$1" stray)"
    wait_for 20 "the end of $1" guest_gone "$1"
}

# As what comes after it is to be compared with what was before it.
xen_resources >"$run/before"

killed one 1 cpuid "cpuid=3000 pace=1000"
recovered
step "another bridge takes over"
bridge_start bridge "$domid"
agent_start agent "$domid" -q -e cpuid
process_wait agent 60 3
process_wait bridge 10 3
assert_value agent .ledger.adds_up true
[ "$(value agent .ledger.totals.answered)" -gt 0 ] || fail "it saw nothing"
finished one 3000 1

killed eight 8 cpuid "cpuid=3000 pace=1000"
recovered
finished eight 24000 8

killed queued 16 cpuid "cpuid=3000 pace=1000"
process_line recover 14 "only destroying the domain frees them" \
    vmring-bridge --recover "$domid"
process_line recover 14 "only destroying the domain frees them" \
    vmring-bridge --recover "$domid"
stands_still queued || fail "the guest goes on"
guest_destroy queued

# Nobody answers at once any more, so the entries fill up.
killed async 4 cr4:async "cr4=100000 pace=500"
process_line recover 14 "only destroying the domain frees them" \
    vmring-bridge --recover "$domid"
guest_destroy async

# killed_amid MOMENT: it pauses its domain while it takes the ring into use.
killed_amid() {
    process_start dying env LD_PRELOAD=/usr/bin/vmring-lab-below \
        VMRING_LAB_BELOW="$1" vmring-bridge "$domid"
    process_wait dying 20 137
    guest_paused amid || fail "the domain is not paused, so nothing was shown"
}

# recover_amid STATUS
recover_amid() {
    process_start recover vmring-bridge --recover "$domid"
    process_wait recover 20 "$1" "was held paused by a bridge that was killed"
    ! guest_paused amid || fail "it is paused still"
}

step "a bridge is killed while it holds its domain paused"
domid=$(guest_create amid "cpuid=1 loop=1 pace=20000") || fail "$domid"
guest_unpause amid
killed_amid paused
recover_amid 0
killed_amid paused
bridge_start bridge "$domid"
grep -q "was held paused by a bridge that was killed" "$run/bridge.err" ||
    fail "the next does not say so"
! guest_paused amid || fail "it is paused still"
process_signal bridge TERM
process_wait bridge 10 0

step "the same, once the ring is enabled"
xen_resources >"$run/amid"
killed_amid enabled
process_start next vmring-bridge "$domid"
process_wait next 20 9 "vmring-bridge --recover $domid"
process_line recover 15 "the ring is free again" \
    vmring-bridge --recover "$domid"
assert_resources "$run/amid"
killed_amid enabled
recover_amid 15
assert_resources "$run/amid"
wait_for 20 "signs of life" guest_alive amid $(($(guest_beats amid) + 2))

step "the same, while it arms an MSR"
process_start bridge env LD_PRELOAD=/usr/bin/vmring-lab-below \
    VMRING_LAB_BELOW=arming vmring-bridge "$domid"
wait_for 20 "the bridge to serve" test -S "$(socket_of "$domid" | cut -c 7-)"
process_start agent vmring-agent -q -e msr:0xc0000082 "$domid"
process_wait bridge 20 132
process_wait agent 20 11
guest_paused amid || fail "the domain is not paused, so nothing was shown"
recover_amid 15
wait_for 20 "signs of life" guest_alive amid $(($(guest_beats amid) + 2))

step "the same, and xl has paused it before"
xl pause amid
killed_amid paused
process_line recover 0 "nothing to recover; the domain is paused" \
    vmring-bridge --recover "$domid"
guest_destroy amid

rm -f /run/vmring/*.sock
assert_resources "$run/before" 200
pass "what is documented of a killed bridge has happened, and nothing else"
