# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: 1000 synchronous CPUIDs of each of 4 vCPUs
# are answered exactly, without a bridge; the agent finds that out by itself.
# lab: xen vmring
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

step "a paused guest, and an agent on it"
domid=$(guest_create micro "vcpus=4 cpuid=1000" 4) || fail "$domid"
agent_start agent "$domid" -q --deadline 60000 -e cpuid
grep -q "Xen itself is the producer" "$run/agent.err" ||
    fail "the agent has chosen something else"

step "it runs"
start=$(now_ms)
guest_unpause micro
native_end agent 100
echo "4000 requests in $((ended_at - start)) ms"

step "the two counts"
assert_value agent .ledger.totals.delivered 4000
assert_value agent .ledger.totals.answered 4000
assert_value agent .ledger.totals.lost 0
assert_value agent .ledger.totals.defaulted 0
assert_eq "vCPUs with 1000 each" 4 \
    "$(grep -c '^.ledger.rows.*\.answered=1000$' "$run/agent.flat")"
assert_eq "the guest's CPUIDs" 4000 "$(guest_total micro cpuid)"
assert_guest_right micro
wait_for 20 "the guest to go" guest_gone micro

step "an MSR that Xen does not bear, and a deadline that its timers do not reach"
domid=$(guest_create micro "vcpus=2 cpuid=20" 2) || fail "$domid"
process_line refused 7 "outside of what Xen can watch" \
    vmring-agent -q -e msr:0x40000000 "xen:$domid"
native_start agent "$domid" -q --deadline 24h -e cpuid
process_signal agent STOP
guest_unpause micro
sleep 1
native_query "$domid"
assert_queried pending 2
assert_queried by_deadline 0
process_signal agent CONT
native_end agent 60
assert_value agent .ledger.totals.answered 40
assert_guest_right micro
pass "4000 of 4000"
