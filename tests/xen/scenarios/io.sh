# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Instructions of I/O, which Xen reports since 4.18: each IN, OUT, INS and OUTS
# of a guest that knows how many it executes, and no other; and each has the
# effect that it has alone, whoever answers: an agent, or the deadline.
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

step "is it there?"
domid=$(guest_create micro "vcpus=2 io=120 verbose=1" 2) || fail "$domid"
bridge_start bridge "$domid"
vmring-agent -e help "$domid" >"$run/help" || fail "-e help"
if grep -q '^  no  *io ' "$run/help"; then
    process_line refused 7 "needs Xen 4.18" \
        vmring-agent -q -e io "$(socket_of "$domid")"
    xl destroy micro
    process_wait bridge 20 3
    echo "SKIP: Xen $(xl info xen_version) reports no instruction of I/O:" \
        "4.18 is the first"
    exit 77
fi
grep -q '^  yes  *io ' "$run/help" || fail "-e help does not know io"

# count FILTER: events in the agent's output that match all of these.
count() {
    grep '"event":"io_instruction"' "$run/agent.json" | grep -c "$1"
}

# What it says goes to the debug port, a line by one REP OUTS.
nr_printed() {
    guest_report micro | wc -l
}

# shellcheck disable=SC2317 # wait_for calls it
guest_ready() {
    guest_report micro | grep -q '^vmring-guest: ready'
}

step "every one is reported, once"
xl dmesg -c >/dev/null
agent_start agent "$domid" -e io
guest_unpause micro
process_wait agent 120 3 "has shut down|was destroyed"
process_wait bridge 10 3

printed=$(nr_printed)
assert_eq "the guest's I/O" 240 "$(guest_total micro io)"
assert_eq "of it without effect" 0 "$(guest_total micro io_wrong)"
assert_eq "IN of a byte" 40 \
    "$(count '"bytes":1,"port":"0x90","in":true,"str":false')"
assert_eq "OUT of a byte" 40 \
    "$(count '"bytes":1,"port":"0x90","in":false,"str":false')"
assert_eq "IN of 4 bytes" 40 \
    "$(count '"bytes":4,"port":"0xcf0","in":true,"str":false')"
assert_eq "OUT of 2 bytes" 40 \
    "$(count '"bytes":2,"port":"0xcf0","in":false,"str":false')"
assert_eq "INS" 40 "$(count '"bytes":1,"port":"0x90","in":true,"str":true')"
assert_eq "REP OUTS" 40 "$(count '"bytes":1,"port":"0x90","in":false,"str":true')"
assert_eq "REP OUTS of what it said" "$printed" \
    "$(count '"bytes":1,"port":"0xe9","in":false,"str":true')"
assert_value bridge .reasons.io_instruction.answered $((240 + printed))
assert_value bridge .legacy_ring.bad_verdicts 0
assert_value agent .ledger.adds_up true
assert_guest_right micro
assert_verdicts bridge
wait_for 20 "the guest to go" guest_gone micro

step "the deadline answers, and then nobody watches"
xl dmesg -c >/dev/null
domid=$(guest_create micro "io=600 pace=2000" 1) || fail "$domid"
bridge_start bridge "$domid" --deadline 5 --linger 1
agent_start agent "$domid" -q -e io
process_signal agent STOP
guest_unpause micro
wait_for 20 "the guest to begin" guest_ready
sleep 1
process_signal agent KILL
guest_wait micro 60
process_wait bridge 20 3
assert_eq "the guest's I/O" 600 "$(guest_total micro io)"
assert_eq "of it without effect" 0 "$(guest_total micro io_wrong)"
[ "$(value bridge .verdicts.deadline)" -ge 20 ] ||
    fail "only $(value bridge .verdicts.deadline) by the deadline"
assert_guest_right micro
pass "$((240 + printed)) instructions of I/O, each reported, each carried out"
