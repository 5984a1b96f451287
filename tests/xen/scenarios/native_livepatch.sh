# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself takes a livepatch while 16 vCPUs wait for a
# verdict; with the legacy ring it answers EBUSY, as some sleep on a waitqueue.
# Woken, of a domain that is paused, these still have their stacks put aside, and
# the livepatch is applied none the less.
# lab: xen vmring
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

[ -f /lab/livepatch ] || fail "there is no livepatch for this Xen"

waiting() {
    vcpus_such "$domid" "$vcpu_waits"
}

with_stack_aside() {
    vcpus_such "$domid" "$vcpu_queued"
}

# shellcheck disable=SC2317 # wait_for calls them
all_wait() {
    [ "$(waiting)" = 16 ]
}

# shellcheck disable=SC2317
none_waits() {
    [ "$(waiting)" = 0 ]
}

uploaded() {
    xen-livepatch upload hello /lab/livepatch || fail "it is not for this Xen"
}

# livepatch VERB: 0, or 1: refused for an active waitqueue. That both CPUs of an
# emulated machine come together within 30 ms takes some attempts.
livepatch() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        said=$(xl dmesg | wc -l)
        xen-livepatch "$1" hello && return 0
        xl dmesg | tail -n "+$((said + 1))" >"$run/said"
        ! grep "found with active waitqueue" "$run/said" || return 1
        grep "Timed out on semaphore" "$run/said" ||
            fail "xen-livepatch $1: for another reason"
    done
    fail "xen-livepatch $1: Xen's CPUs never come together"
}

applied() {
    livepatch apply || fail "it was refused"
    assert_eq "what Xen says now" "Hello World" "$(xl info xen_extra)"
}

unloaded() {
    livepatch revert || fail "it was not reverted"
    xen-livepatch unload hello || fail "it was not unloaded"
    [ "$(xl info xen_extra)" != "Hello World" ] || fail "it is still there"
}

guest() {
    domid=$(guest_create micro "vcpus=16 cpuid=20" 16) || fail "$domid"
}

right() {
    assert_eq "the guest's CPUIDs" 320 "$(guest_total micro cpuid)"
    assert_guest_right micro
    wait_for 20 "the guest to go" guest_gone micro
}

step "16 vCPUs wait for a verdict of an agent that is stopped"
guest
native_start agent "$domid" -q --deadline 600000 -e cpuid
process_signal agent STOP
guest_unpause micro
wait_for 60 "all vCPUs to wait" all_wait
assert_eq "vCPUs with a stack put aside" 0 "$(with_stack_aside)"

step "a livepatch is applied"
uploaded
applied
assert_eq "vCPUs that wait" 16 "$(waiting)"
process_signal agent CONT
native_end agent 100
assert_value agent .ledger.totals.answered 320
assert_value agent .ledger.totals.defaulted 0
right
unloaded

step "the legacy ring"
guest
process_start access xen-access "$domid" cpuid
wait_for 20 "xen-access" legacy_settled "$domid" access
if legacy_absent access; then
    pass "a livepatch waits for no agent, and there is no legacy ring"
fi
process_signal access STOP
guest_unpause micro
wait_for 60 "all vCPUs to wait" all_wait
assert_eq "vCPUs with a stack put aside" 8 "$(with_stack_aside)"

step "a livepatch is refused"
uploaded
! livepatch apply || fail "it was applied"
assert_eq "vCPUs that wait" 16 "$(waiting)"

step "the agent answers, and the domain is paused"
xl pause micro
process_signal access CONT
wait_for 20 "the vCPUs to be woken" none_waits
assert_eq "vCPUs with a stack put aside" 8 "$(with_stack_aside)"

step "a livepatch is applied, below the stacks that were put aside"
applied
assert_eq "vCPUs with a stack put aside" 8 "$(with_stack_aside)"
xl unpause micro
wait_for 60 "the guest to finish" guest_done micro
right
unloaded
pass "a livepatch waits for no agent of vm_ring"
