# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A guest that looks through all of its memory, and gives memory back and takes
# it up to its maximum, before an agent attaches and while it runs, neither
# finds the ring nor loses anything; the ledger is exact all the same.
# lab: limit 400
# shellcheck disable=SC2317 # wait_for calls functions
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

vcpus=5 # the last of them scans
cpuids=150
cr4s=100

scanned() { # KEY
    guest_report micro |
        sed -n "s/^vmring-guest: scanned.* $1=\([0-9]*\).*/\1/p"
}

turns() {
    guest_report micro | sed -n 's/^vmring-guest: scan turns=\([0-9]*\).*/\1/p' |
        tail -n 1
}

# turned NUMBER: whether it has come to that turn. Looking takes CPU from it.
turned() {
    sleep 1
    turned_so_far=$(turns)
    [ "${turned_so_far:-0}" -ge "$1" ]
}

# scanning_guest STRIDE OPTIONS: its maximum is 1 MiB above what it has.
scanning_guest() {
    domid=$(guest_create micro "vcpus=$vcpus cpuid=$cpuids cr4=$cr4s \
scan=$1 hold=1 $2" $vcpus) || fail "$domid"
    xl mem-max micro 17 || fail "xl mem-max"
    guest_unpause micro
    wait_for 150 "its first turns" turned 8
}

# The work begins, with more memory to take.
let_it_work() {
    xl mem-max micro 19 || fail "xl mem-max"
}

step "a control: what is planted is found"
scanning_guest 64 "plant=1"
guest_report micro | grep "scan "
let_it_work
guest_wait micro 100
guest_report micro
assert_eq "magics that it found" 1 "$(scanned magic)"
assert_eq "frames that were changed" 1 "$(scanned changed)"
wait_for 20 "the guest to go" guest_gone micro

step "it scans, and an agent attaches and detaches"
scanning_guest 64
bridge_start bridge "$domid"
agent_start first "$domid" -q -e cpuid
before=$(turns)
wait_for 150 "further turns" turned $((before + 8))
process_signal first INT
process_wait first 30 0
process_signal bridge TERM
process_wait bridge 60 0

step "another one, for the guest's work"
bridge_start bridge "$domid"
agent_start agent "$domid" -q -e cpuid,cr4:async --async-bytes 256k
let_it_work
process_wait agent 150 3 "has shut down|was destroyed"
process_wait bridge 20 3
guest_report micro

step "what the guest saw"
# The last vCPU scans only.
cpuid_total=$(((vcpus - 1) * cpuids))
cr4_total=$(((vcpus - 1) * cr4s))
assert_eq "the guest's CPUIDs" $cpuid_total "$(guest_total micro cpuid)"
assert_eq "the guest's CR4 writes" $cr4_total "$(guest_total micro cr4)"
assert_guest_right micro
assert_eq "magics that it found" 0 "$(scanned magic)"
assert_eq "frames that were changed" 0 "$(scanned changed)"
assert_eq "frames it was refused" 0 "$(scanned lost)"
[ "$(scanned refused)" -gt 0 ] || fail "it has not come to its maximum"
[ "$(scanned taken)" -gt 1000 ] || fail "it has not ballooned"

step "the ledger"
assert_value agent .ledger.adds_up true
assert_value agent .ledger.totals.attempted $((cpuid_total + cr4_total))
assert_value agent .ledger.totals.answered $cpuid_total
assert_value agent .ledger.totals.defaulted 0
assert_value bridge .records $cr4_total
assert_verdicts bridge
assert_eq "verdicts by the agent" "$cpuid_total" "$by_consumer"
pass "neither seen nor disturbed"
