# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Synchronous events are delivered and answered exactly: 16 vCPUs with 1000
# CPUIDs each, and every result that the guest saw was right.
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

step "a paused guest gets a bridge and an agent"
domid=$(guest_create micro "vcpus=16 cpuid=1000" 16) || fail "$domid"
bridge_start bridge "$domid"
agent_start agent "$domid" -q -e cpuid

step "it runs"
start=$(now_ms)
guest_unpause micro
process_wait agent 140 3 "has shut down|was destroyed"
echo "16000 requests in $((ended_at - start)) ms"
process_wait bridge 10 3

step "the three counts"
assert_value agent .ledger.totals.delivered 16000
assert_value agent .ledger.totals.answered 16000
assert_value agent .ledger.totals.lost 0
assert_value agent .ledger.totals.defaulted 0
assert_value agent .ledger.totals.late 0
assert_value agent .ledger.adds_up true
assert_eq "vCPUs with 1000 each" 16 \
    "$(grep -c '^.ledger.rows.*\.answered=1000$' "$run/agent.flat")"
assert_value bridge .reasons.cpuid.answered 16000
assert_value bridge .requests 16000
assert_verdicts bridge
assert_value bridge .legacy_ring.requests 16000
assert_eq "the guest's CPUIDs" 16000 "$(guest_total micro cpuid)"
assert_guest_right micro
show_legacy_ring bridge
pass "16000 of 16000"
