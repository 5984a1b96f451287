# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A register write that the agent denies does not happen: CR0.TS, CR3, CR4.TSD
# and an MSR read back unchanged in the guest, each time, on 16 vCPUs. And what
# is let go on by CONTINUE is not carried out either: it comes again, from the
# same place, until it gets another verdict.
# Two threads emulate the CPUs: a denial can be lost only while the vCPU is
# still running beside the answer (let_it_leave_its_cpu(), bridge/monitor/entries.c).
# On a busy host two threads wait for each other, an event takes up to 50 ms and
# a guest half a minute to come and go: hence few guests, and not many events.
# lab: thread multi
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# watched VCPUS WORK AGENT_OPTION...: the guest does WORK, CPUIDs between, and
# the agent is to deny.
watched() {
    vcpus=$1
    work=$2
    shift 2
    domid=$(guest_create micro "vcpus=$vcpus order=mixed $work cpuid=5" \
        "$vcpus") || fail "$domid"
    bridge_start bridge "$domid"
    agent_start agent "$domid" -q "$@"
    guest_unpause micro
    process_wait agent 60 3 "has shut down|was destroyed"
    process_wait bridge 10 3
    assert_value agent .ledger.adds_up true
    assert_value bridge .legacy_ring.bad_verdicts 0
    assert_verdicts bridge
    assert_guest_right micro
}

# refused REGISTER WRITES REFUSED: of so many writes so many did not happen.
refused() {
    assert_eq "the guest's writes of $1" "$2" "$(guest_total micro "$1")"
    assert_eq "writes of $1 that did not happen" "$3" \
        "$(guest_total micro "${1}_refused")"
}

# The micro-guest toggles CR0.TS, bit 3, and CR4.TSD, bit 2.
step "CR4.TSD and the MSR LSTAR are denied"
watched 16 "cr4=25 msr=15" -e "cr4 msr:0xc0000082 cpuid" \
    --deny cr4:0x4 --deny msr:0xc0000082
assert_value bridge .requests $((16 * (25 + 15 + 5)))
refused cr4 400 400
refused msr 240 240
wait_for 20 "the guest to go" guest_gone micro

step "CR0.TS and CR3 are denied; another bit of CR4 is, and no MSR"
watched 4 "cr0=25 cr3=25 cr4=25 msr=15" \
    -e "cr0 cr3 cr4 msr:0xc0000082 cpuid" \
    --deny cr0:0x8 --deny cr3 --deny cr4:0x100000
refused cr0 100 100
refused cr3 100 100
refused cr4 100 0
refused msr 60 0
wait_for 20 "the guest to go" guest_gone micro

step "with CONTINUE a descriptor's instruction comes again"
domid=$(guest_create micro "desc=20") || fail "$domid"
bridge_start bridge "$domid"
process_start go_on vmring-lab-go-on "$(socket_of "$domid")" descriptor
wait_for 20 "it to attach" grep -q attached "$run/go_on.out"
guest_unpause micro
process_wait go_on 60 0
process_wait bridge 10 3
assert_eq "what it did" "events=60 went_on=40" "$(tail -n 1 "$run/go_on.out")"
assert_eq "the guest's instructions" 20 "$(guest_total micro desc)"
assert_eq "the wrong ones" 0 "$(guest_total micro desc_wrong)"
assert_value bridge .reasons.descriptor_access.answered 60
assert_value bridge .legacy_ring.bad_verdicts 0
assert_value bridge .legacy_ring.failed_injections 0
assert_verdicts bridge
assert_guest_right micro
pass "what was denied did not happen"
