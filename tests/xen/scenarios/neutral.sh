# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# An agent that only looks changes nothing: of every kind of event that fires
# here the guest sees what it would have seen alone, its own #DB included.
# lab: limit 120
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

step "a paused guest gets a bridge and an agent"
domid=$(guest_create micro "vcpus=4 order=mixed cpuid=40 cr0=40 cr3=40 cr4=40 \
msr=40 greq=40 step=40 desc=40" 4) || fail "$domid"
bridge_start bridge "$domid" --allow-verdicts none
agent_start agent "$domid" -q \
    -e "cpuid cr0 cr3 cr4 msr:0xc0000082 guest_request debug descriptor"

step "it runs"
guest_unpause micro
process_wait agent 80 3 "has shut down|was destroyed"
process_wait bridge 10 3

step "what the guest saw"
for kind in cpuid cr0 cr3 cr4 msr greq step desc; do
    assert_eq "the guest's $kind" 160 "$(guest_total micro $kind)"
done
assert_eq "its #DB that arrived" 160 "$(guest_total micro step_trapped)"
for kind in cr0 cr3 cr4 msr; do
    assert_eq "its $kind that did not hold" 0 \
        "$(guest_total micro ${kind}_refused)"
done
assert_eq "its wrong descriptors" 0 "$(guest_total micro desc_wrong)"
assert_guest_right micro

step "what was reported"
for reason in cpuid mov_to_msr guest_request debug_exception \
    descriptor_access; do
    assert_value bridge ".reasons.$reason.answered" 160
done
assert_value bridge .reasons.write_ctrlreg.answered 480
assert_value bridge .legacy_ring.bad_verdicts 0
assert_value bridge .legacy_ring.failed_injections 0
assert_value agent .ledger.adds_up true
assert_verdicts bridge
pass "1280 events, and the guest did not notice"
