# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself bears two programs at once that call its
# domctl and its resource by the dice, with domains that come and go: it lives,
# says nothing, a domain beside goes on, the target is right, and nothing is left.
# The arguments: how many seconds at most, how many calls, and a seed.
# lab: xen vmring
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

seconds=${1:-60}
calls=${2:-1000000}
seed=${3:-1}

step "another domain, and the target"
# No fuzzer is told of this one.
domid=$(guest_create other "vcpus=1 cpuid=1 loop=1 pace=10000 beat=1" 1) ||
    fail "$domid"
guest_unpause other
wait_for 20 "a sign of life" guest_alive other 1
# The first of each kind leaves something in Xen's pools.
domid=$(guest_create first "vcpus=4 cpuid=1 cr4=1 loop=1" 4) || fail "$domid"
guest_unpause first
vmring-agent -q -n 2 "xen:$domid" >"$run/first" 2>&1 || fail "an agent"
guest_destroy first
xen_resources >"$run/before"
target=$(guest_create micro "vcpus=4 cpuid=1 cr4=1 loop=1 told=1 pace=2000" 4) ||
    fail "$target"
guest_unpause micro
beats=$(guest_beats other)

step "two by the dice, seed $seed"
for nr in 1 2; do
    process_start fuzz$nr vmring-lab-native-fuzz $((seed + nr)) "$calls" \
        "$seconds" "$target" $((target + 12))
done
# Domains that come and go meanwhile.
passed=0
until process_ended fuzz1 && process_ended fuzz2; do
    domid=$(guest_create passing "vcpus=2 cpuid=1 loop=1" 2) || fail "$domid"
    guest_unpause passing
    sleep 0.5
    # What of it somebody has mapped stays meanwhile.
    xl destroy passing || fail "xl destroy"
    passed=$((passed + 1))
    echo "step by the dice, domain $passed" >/dev/ttyS2
done
for nr in 1 2; do
    process_wait fuzz$nr 5 0 >"$run/fuzz"
    cat "$run/fuzz$nr.out"
    for op in present attach detach query count drained disarm destroy acquire; do
        grep -q "^$op: [0-9]* times done" "$run/fuzz$nr.out" ||
            fail "no $op was ever done"
    done
done
echo "domains that passed: $passed"
[ $passed -gt 1 ] || fail "none has passed"

step "what is left"
wait_for 20 "the other to go on" guest_alive other $((beats + 2))
echo "the other: $beats beats before, $(guest_beats other) now"
native_start agent "$target" -q --deadline 60000 -e "cpuid cr4:async"
sleep 1
xl mem-max micro 18 || fail "xl mem-max"
native_end agent 60
assert_value agent .ledger.totals.defaulted 0
[ "$(value agent .ledger.totals.answered)" -gt 0 ] ||
    fail "there was nothing to answer"
assert_guest_right micro
wait_for 20 "the guest to go" guest_gone micro
xl dmesg | grep -E "UBSAN|ASSERT|Assertion|BUG|Xen WARN|Too many unpause" &&
    fail "Xen has said so"
assert_resources "$run/before" 256
pass "Xen lives"
