# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Asynchronous events are delivered or counted lost, exactly: 16 vCPUs write
# CR4, and the agent is too slow for a ring of 4 KiB, in both policies.
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

for policy in discard overwrite; do
    step "$policy: a paused guest, and an agent that is slow"
    domid=$(guest_create micro "vcpus=16 cr4=200" 16) || fail "$domid"
    bridge_start bridge "$domid"
    agent_start agent "$domid" -q -e cr4:async --record-size 64 \
        --async-bytes 4096 --policy $policy --slow 10000

    step "$policy: it runs"
    guest_unpause micro
    process_wait agent 100 3 "has shut down|was destroyed"
    process_wait bridge 10 3

    raised=$(guest_total micro cr4)
    delivered=$(value agent .ledger.totals.delivered)
    lost=$(value agent .ledger.totals.lost)
    echo "$policy: raised $raised, delivered $delivered, lost $lost"
    assert_eq "the guest's CR4 writes" 3200 "$raised"
    assert_eq "refused ones" 0 "$(guest_total micro cr4_refused)"
    assert_eq "delivered + lost" "$raised" $((delivered + lost))
    [ "$lost" -gt 0 ] || fail "nothing was lost, so nothing was shown"
    [ "$delivered" -gt 0 ] || fail "nothing was delivered"
    assert_value agent .ledger.adds_up true
    assert_value agent .ledger.policy $policy
    assert_value agent .ledger.totals.attempted 3200
    # Per vCPU too: each lane is one vCPU's.
    assert_eq "lanes with 200 attempts" 16 \
        "$(grep -c '^.ledger.lanes.*\.attempted=200$' "$run/agent.flat")"
    assert_value bridge .records 3200
    wait_for 20 "the guest to go" guest_gone micro
done
pass "what was not delivered was counted lost"
