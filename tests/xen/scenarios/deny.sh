# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A register write that the agent denies does not happen: CR0.TS, CR3, CR4.TSD
# and an MSR read back unchanged in the guest, each time, on 16 vCPUs.
# Two threads emulate the CPUs: a denial can be lost only while the vCPU is
# still running beside the answer (let_it_leave_its_cpu() in bridge/monitor.c).
# On a busy host two threads wait for each other: an event takes up to 50 ms, so
# there are a few hundred of a kind and no more.
# lab: thread multi
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# run_denied WHAT COUNT AGENT_OPTION...: the guest writes CR4 or the MSR, and
# the agent is to deny.
run_denied() {
    what=$1
    per_vcpu=$2
    shift 2
    domid=$(guest_create micro "vcpus=16 $what=$per_vcpu cpuid=5" 16) ||
        fail "$domid"
    bridge_start bridge "$domid"
    agent_start agent "$domid" -q "$@"
    guest_unpause micro
    process_wait agent 60 3 "has shut down|was destroyed"
    process_wait bridge 10 3
    writes=$((16 * per_vcpu))
    assert_eq "the guest's writes" $writes "$(guest_total micro "$what")"
    assert_value agent .ledger.adds_up true
    assert_value bridge .requests $((writes + 16 * 5))
    assert_value bridge .legacy_ring.bad_verdicts 0
    assert_verdicts bridge
    assert_guest_right micro
    wait_for 20 "the guest to go" guest_gone micro
}

# The micro-guest toggles CR4.TSD, bit 2.
step "CR4.TSD is denied"
run_denied cr4 25 -e "cr4 cpuid" --deny cr4:0x4
assert_eq "writes that did not happen" 400 "$(guest_total micro cr4_refused)"

step "CR0.TS and CR3 are denied"
domid=$(guest_create micro "vcpus=4 order=mixed cr0=25 cr3=25 cpuid=5" 4) ||
    fail "$domid"
bridge_start bridge "$domid"
agent_start agent "$domid" -q -e "cr0 cr3 cpuid" --deny cr0:0x8 --deny cr3
guest_unpause micro
process_wait agent 60 3 "has shut down|was destroyed"
process_wait bridge 10 3
assert_value bridge .legacy_ring.bad_verdicts 0
for register in cr0 cr3; do
    assert_eq "writes of $register that did not happen" 100 \
        "$(guest_total micro ${register}_refused)"
done
assert_guest_right micro
wait_for 20 "the guest to go" guest_gone micro

step "another bit of CR4 is denied"
run_denied cr4 5 -e "cr4 cpuid" --deny cr4:0x100000
assert_eq "writes that did not happen" 0 "$(guest_total micro cr4_refused)"

step "the MSR LSTAR is denied"
run_denied msr 15 -e "msr:0xc0000082 cpuid" --deny msr:0xc0000082
assert_eq "writes that did not happen" 240 "$(guest_total micro msr_refused)"

step "the MSR LSTAR is watched only"
run_denied msr 5 -e "msr:0xc0000082 cpuid"
assert_eq "writes that did not happen" 0 "$(guest_total micro msr_refused)"
pass "what was denied did not happen"
