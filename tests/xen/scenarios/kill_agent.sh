# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Five agents are killed in one run, and each time the next one attaches; the
# guest finishes, and each request got exactly one verdict. The legacy ring
# beside it refuses the second agent.
# lab: limit 240
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# One turn of the guest takes at least 20 ms (pace before each event), so the
# run cannot be over before the last agent is there.
turns=250
step "16 vCPUs with synchronous and asynchronous events"
domid=$(guest_create micro "vcpus=16 cpuid=$turns cr4=$turns order=mixed \
pace=10000" 16) || fail "$domid"
bridge_start bridge "$domid" --deadline 500
agent_start agent0 "$domid" -q -e "cpuid cr4:async"
guest_unpause micro

for kill in 1 2 3 4 5; do
    sleep 0.7
    step "kill -9, number $kill"
    process_signal agent$((kill - 1)) 9
    agent_start agent$kill "$domid" -q -e "cpuid cr4:async"
    process_wait agent$((kill - 1)) 5 137
done

step "the sixth agent stays to the end"
process_wait agent5 120 3 "has shut down|was destroyed"
process_wait bridge 10 3

each=$((16 * turns))
assert_value bridge .consumers 6
assert_eq "the guest's CPUIDs" $each "$(guest_total micro cpuid)"
assert_value bridge .reasons.cpuid.requests $each
assert_verdicts bridge
assert_eq "the guest's CR4 writes" $each "$(guest_total micro cr4)"
assert_eq "refused ones" 0 "$(guest_total micro cr4_refused)"
assert_value bridge .records $each
assert_value bridge .legacy_ring.requests $((2 * each))
assert_guest_right micro
[ "$(value bridge .verdicts.consumer)" -gt 0 ] || fail "nobody answered"
wait_for 20 "the guest to go" guest_gone micro

step "the same with xen-access on the legacy ring"
domid=$(guest_create micro "vcpus=16 cpuid=100000" 16) || fail "$domid"
process_start access0 xen-access "$domid" cpuid
wait_for 20 "xen-access" legacy_port_of "$domid"
guest_unpause micro
wait_for 20 "events" grep -q "^CPUID executed" "$run/access0.out"
process_signal access0 9
process_wait access0 5 137
process_start access1 xen-access "$domid" cpuid
wait_for 20 "the second one's end" process_ended access1
cat "$run/access1.out" "$run/access1.err"
grep -q '(16 = Device or resource busy)' "$run/access1.out" \
    "$run/access1.err" || fail "it was not refused with EBUSY"
! guest_done micro || fail "the guest has finished, so nothing was shown"
guest_destroy micro
pass "five kills, no vCPU was lost"
