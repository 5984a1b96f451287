# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: agents that are killed, stopped or refused
# leave the guest unharmed.
# lab: xen vmring
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

free_pages() {
    xl info free_memory
}

step "an agent is killed, and the next one answers the rest"
domid=$(guest_create micro "vcpus=4 cpuid=200 cr4=200 order=mixed \
pace=10000" 4) || fail "$domid"
native_start agent0 "$domid" -q --deadline 60000 -e "cpuid cr4:async"
guest_unpause micro
sleep 1
process_signal agent0 9
process_wait agent0 5 137
native_start agent1 "$domid" -q --deadline 60000 -e "cpuid cr4:async"
step "two at once: the second is refused"
process_line second 9 "another agent is attached" vmring-agent -q -e cpuid "xen:$domid"
step "the rest"
native_end agent1 100
assert_value agent1 .ledger.totals.defaulted 0
assert_eq "the guest's CPUIDs" 800 "$(guest_total micro cpuid)"
assert_eq "the guest's CR4 writes" 800 "$(guest_total micro cr4)"
assert_guest_right micro
answered=$(value agent1 .ledger.totals.answered)
echo "the second agent answered $answered"
[ "$answered" -gt 0 ] || fail "there was nothing left for it"
wait_for 20 "the guest to go" guest_gone micro

step "a stopped agent: the deadline lets the guest go on"
domid=$(guest_create micro "vcpus=4 cpuid=20" 4) || fail "$domid"
native_start mute "$domid" -q --deadline 20 -e cpuid
process_signal mute STOP
guest_unpause micro
wait_for 60 "the guest to finish" guest_done micro
process_signal mute CONT
native_end mute 60
assert_eq "the guest's CPUIDs" 80 "$(guest_total micro cpuid)"
assert_guest_right micro
wait_for 20 "the guest to go" guest_gone micro

step "a domain is destroyed with requests pending"
before=$(free_pages)
domid=$(guest_create micro "vcpus=4 cpuid=1000" 4) || fail "$domid"
native_start mute "$domid" -q --deadline 60000 -e cpuid
process_signal mute STOP
guest_unpause micro
sleep 0.5
guest_destroy micro
process_signal mute CONT
native_end mute 60
assert_eq "MiB free afterwards" "$before" "$(free_pages)"

step "the legacy ring is kept out while the other lives, and works after it"
domid=$(guest_create micro "vcpus=4 cpuid=100000" 4) || fail "$domid"
native_start agent "$domid" -q -e cpuid
process_start access0 xen-access "$domid" cpuid
wait_for 20 "xen-access's end" process_ended access0
if legacy_absent access0; then
    process_signal agent INT
    process_wait agent 20 0
    pass "no vCPU was lost, and there is no legacy ring"
fi
grep -q '(16 = Device or resource busy)' "$run/access0.out" \
    "$run/access0.err" || fail "it was not refused with EBUSY"
process_line kept0 9 "ring of Xen's own" vmring-bridge "$domid"
process_line kept1 9 "ring of Xen's own" vmring-bridge --recover=force "$domid"
process_line absent 4 "no such domain" vmring-agent -q -e cpuid xen:999
process_signal agent INT
process_wait agent 20 0
process_start access1 xen-access "$domid" cpuid
wait_for 20 "xen-access" legacy_port_of "$domid"
guest_unpause micro
wait_for 20 "events" grep -q "^CPUID executed" "$run/access1.out"
step "and the reverse"
process_line late 9 "legacy monitor ring" vmring-agent -q -e cpuid "xen:$domid"
guest_destroy micro
pass "no vCPU was lost"
