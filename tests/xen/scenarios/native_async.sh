# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: asynchronous events are delivered or counted
# lost, exactly, to an agent that keeps up, and to a slow one in both policies.
# lab: xen vmring
# lab: limit 240
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# watched TITLE AGENT_OPTION...: 8 vCPUs write CR4 200 times each.
watched() {
    step "$1"
    shift
    domid=$(guest_create micro "vcpus=8 cr4=200" 8) || fail "$domid"
    native_start agent "$domid" -q -e cr4:async "$@"
    guest_unpause micro
    native_end agent 100
    raised=$(guest_total micro cr4)
    delivered=$(value agent .ledger.totals.delivered)
    lost=$(value agent .ledger.totals.lost)
    echo "raised $raised, delivered $delivered, lost $lost"
    assert_eq "the guest's CR4 writes" 1600 "$raised"
    assert_eq "refused ones" 0 "$(guest_total micro cr4_refused)"
    assert_eq "delivered + lost" "$raised" $((delivered + lost))
    assert_value agent .ledger.totals.attempted 1600
    assert_eq "lanes with 200 attempts" 8 \
        "$(grep -c '^.ledger.lanes.*\.attempted=200$' "$run/agent.flat")"
    assert_guest_right micro
    wait_for 20 "the guest to go" guest_gone micro
}

watched "an agent that keeps up" --async-bytes 1048576
assert_eq "none was lost" 0 "$lost"
for policy in discard overwrite; do
    watched "$policy: a slow one" --record-size 64 --async-bytes 4096 \
        --policy $policy --slow 10000
    [ "$lost" -gt 0 ] || fail "nothing was lost, so nothing was shown"
done
pass "what was not delivered was counted lost"
