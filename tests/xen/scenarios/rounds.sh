# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A hundred agents attach and detach one after the other, then ten with a
# bridge of their own: the guest, and what Xen has in use, are as before.
# lab: limit 240
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# What Xen says of the guest's memory.
guest_memory() {
    xen_keys q | sed -n "/General information for domain $domid:/,/^(XEN) G/{
        s/.*\(nr_pages=[0-9]*\).*\(max_pages=[0-9]*\).*/\1 \2/p;}"
}

step "a guest that does not end"
domid=$(guest_create micro "vcpus=2 cpuid=1 cr4=1 loop=1 pace=10000 beat=1" 2) ||
    fail "$domid"
guest_unpause micro
wait_for 20 "a sign of life" guest_alive micro 1
# The first round of all leaves pages in Xen's pools.
vmring-agent -q -n 5 "$domid" >/dev/null || fail "the first round"
xen_resources >"$run/before"
memory_before=$(guest_memory)
echo "$memory_before"

step "100 rounds through one bridge"
start=$(now_ms)
bridge_start bridge "$domid"
round=0
while [ $round -lt 100 ]; do
    round=$((round + 1))
    vmring-agent -q -n 3 -e "cpuid cr4:async" "$domid" >"$run/round" 2>&1 || {
        cat "$run/round"
        fail "round $round"
    }
    grep -q '^The ledger adds up' "$run/round" || fail "ledger of $round"
done
echo "100 rounds in $(($(now_ms) - start)) ms"
process_signal bridge TERM
process_wait bridge 10 0
assert_value bridge .consumers 100
assert_value bridge .verdicts.deadline 0
assert_value bridge .verdicts.overflow 0
assert_verdicts bridge

step "10 rounds with a bridge each"
start=$(now_ms)
round=0
while [ $round -lt 10 ]; do
    round=$((round + 1))
    vmring-agent -q -n 3 -e cpuid "$domid" >"$run/round" 2>&1 || {
        cat "$run/round"
        fail "round $round"
    }
done
echo "10 rounds in $(($(now_ms) - start)) ms"

step "what is left"
assert_resources "$run/before"
assert_eq "the guest's memory" "$memory_before" "$(guest_memory)"
wait_for 10 "the guest to go on" guest_alive micro \
    $(($(guest_beats micro) + 1))
guest_destroy micro
pass "110 rounds left nothing behind"
