# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that has no ring of vm_event any more refuses whoever asks for one, by an
# error of its own and with a reason in its log; the agent does without.
# lab: xen vmring-second
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# refused NAME REASON COMMAND...: for want of a ring, as Xen's log says, too.
refused() {
    refused_name=$1
    refused_reason=$2
    shift 2
    process_start "$refused_name" "$@"
    wait_for 30 "the end of $refused_name" process_ended "$refused_name"
    read -r refused_status _ <"$run/$refused_name.status"
    [ "$refused_status" != 0 ] || fail "$refused_name was not refused"
    grep -h "No such device or address" "$run/$refused_name.out" \
        "$run/$refused_name.err" || fail "$refused_name was refused otherwise"
    xl dmesg | grep "d$domid: no $refused_reason ring in this Xen" ||
        fail "Xen's log does not say why"
}

domid=$(guest_create micro "vcpus=4 cpuid=500" 4) || fail "$domid"

step "a bridge"
process_line bridge 7 "has no legacy ring" vmring-bridge "$domid"

step "xen-access"
refused access monitor xen-access "$domid" cpuid

step "xenpaging"
refused paging "paging or sharing" xenpaging -d "$domid" -f "$run/pages" -m 1024

step "an agent"
agent_start agent "$domid" -q --deadline 60000 -e cpuid
grep -q "Xen itself is the producer" "$run/agent.err" ||
    fail "the agent has chosen something else"
guest_unpause micro
native_end agent 100
assert_value agent .ledger.totals.answered 2000
assert_eq "the guest's CPUIDs" 2000 "$(guest_total micro cpuid)"
assert_guest_right micro
pass "no ring but vm_ring's"
