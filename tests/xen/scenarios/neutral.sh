# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# An agent that only looks changes nothing, nor does one that is dead: of every
# kind of event that fires here the guest sees what it would have seen alone,
# to the last side effect. It checks itself: which traps come where, with which
# flags and DR6, of a single step by TF, behind STI and MOV SS, with RF set.
# lab: limit 220
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

all="cpuid cr0 cr3 cr4 msr:0xc0000082 msr:0x2ff guest_request debug descriptor"

# self_lines NAME: what the guest's checks came to, from when Xen's log was
# emptied for it.
self_lines() {
    guest_report "$1" | sed -n 's/^vmring-guest: self //p' >"$run/$1.self"
}

# watch NAME EVENTS OPTION...: a paused guest, a bridge with these options, and
# an agent for these events.
watch() {
    watch_name=$1
    watch_events=$2
    shift 2
    xl dmesg -c >/dev/null
    domid=$(guest_create "$watch_name" "self=1") || fail "$domid"
    bridge_start "b$watch_name" "$domid" --allow-verdicts none "$@"
    agent_start "a$watch_name" "$domid" -q -e "$watch_events"
}

# as_alone NAME: the guest ends, and its checks came to the same.
as_alone() {
    wait_for 60 "the guest $1 to end" guest_gone "$1"
    self_lines "$1"
    diff "$run/alone.self" "$run/$1.self" >"$run/$1.diff" || {
        cat "$run/$1.diff"
        fail "the guest $1 noticed: - alone, + watched"
    }
    echo "ok: $1: $(wc -l <"$run/$1.self") lines as alone"
}

step "a guest checks itself, alone"
xl dmesg -c >/dev/null
guest_create alone "self=1" >/dev/null
guest_unpause alone
wait_for 30 "the guest alone to end" guest_gone alone
self_lines alone
for check in "cpuid tf 1@2.100.4000" "cpuid15 rf+tf 1@f.100.4000" \
    "cpuid sti 3f@3.200.0 f" "wrmsrgp plain d@0.0.0" "nop ss+tf 1@3"; do
    grep -q "^$check" "$run/alone.self" ||
        fail "alone it does not say '$check'"
done

step "an agent watches all there is"
# Since Xen 4.18; with it each line that the guest says is one more event.
watched=$all
[ "$(xl info xen_minor)" -lt 18 ] || watched="$all io"
watch all "$watched"
guest_unpause all
process_wait aall 60 3
process_wait ball 10 3
as_alone all
for reason in cpuid write_ctrlreg mov_to_msr guest_request debug_exception \
    descriptor_access ${watched#"$all"}; do
    [ "$reason" = io ] && reason=io_instruction
    answered=$(value ball ".reasons.$reason.answered")
    [ "${answered:-0}" -ge 10 ] || fail "$answered answered of $reason"
done
assert_value ball .legacy_ring.bad_verdicts 0
assert_value ball .legacy_ring.failed_injections 0
assert_verdicts ball

step "an agent watches all but exceptions, and some of it from afar"
watch some "cpuid cr0:async cr3:async cr4:async msr:0xc0000082 msr:0x2ff \
guest_request:async descriptor"
guest_unpause some
process_wait asome 60 3
process_wait bsome 10 3
as_alone some

step "its agent is dead to the world: the deadline answers"
watch dead "$all" --deadline 5
process_signal adead STOP
guest_unpause dead
as_alone dead
process_signal adead CONT
process_wait adead 20 3
process_wait bdead 20 3
[ "$(value bdead .verdicts.deadline)" -ge 200 ] ||
    fail "only $(value bdead .verdicts.deadline) by the deadline"
assert_verdicts bdead

step "a guest that counts"
xl dmesg -c >/dev/null
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
