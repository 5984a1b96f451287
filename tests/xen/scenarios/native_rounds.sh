# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: fifty agents are killed one after the other,
# and nothing is lost by the guest's own count; a hundred attach, detach and
# leave what Xen has in use as it was.
# lab: xen vmring
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# A kill is meant to come at any moment of an agent's life.
kills=${1:-50}
rounds=${2:-100}

step "$kills agents are killed"
guest_options='on_poweroff = "preserve"'
domid=$(guest_create micro "vcpus=4 cpuid=5 cr4=5 loop=1 told=1 order=mixed \
pace=5000 beat=1" 4) || fail "$domid"
guest_options=
native_start agent0 "$domid" -q --deadline 120000 -e "cpuid cr4:async"
guest_unpause micro
start=$(now_ms)
kill=0
pending=0
while [ $kill -lt "$kills" ]; do
    process_signal agent$kill 9
    process_wait agent$kill 5 137 >"$run/killed"
    native_query "$domid"
    pending=$((pending + $(queried pending)))
    kill=$((kill + 1))
    native_start agent$kill "$domid" -q --deadline 120000 -e "cpuid cr4:async"
done
echo "$kills kills in $(($(now_ms) - start)) ms; $pending requests were pending"
[ $pending -gt 0 ] || fail "no kill has met a request"

step "the last one stays to the end"
keeper_stop
xl mem-max micro 18 || fail "xl mem-max"
wait_for 60 "the guest to finish" guest_done micro
native_query "$domid"
cpuids=$(guest_total micro cpuid)
writes=$(guest_total micro cr4)
echo "the guest: $cpuids CPUIDs, $writes CR4 writes"
[ "$cpuids" -gt 0 ] || fail "it has done nothing"
assert_queried epoch $((kills + 1))
assert_exact "$cpuids" "$writes"
assert_guest_right micro
keeper_continue
assert_eq "refused writes" 0 "$(guest_total micro cr4_refused)"
native_end agent$kill 30
[ "$(value agent$kill .ledger.totals.answered)" -lt "$cpuids" ] ||
    fail "the last one has answered all"
# A vCPU that is resumed twice is told of by Xen.
! xl dmesg | grep "Too many unpause attempts" || fail "a vCPU was resumed twice"
guest_destroy micro

step "$rounds rounds of attach, detach and destroy"
domid=$(guest_create micro "vcpus=4 cpuid=1 cr4=1 loop=1 pace=10000 beat=1" 4) ||
    fail "$domid"
guest_unpause micro
wait_for 20 "a sign of life" guest_alive micro 1
# What Xen keeps of a ring for the next one comes with the first.
vmring-agent -q -n 2 "xen:$domid" >"$run/round" 2>&1 || fail "the first round"
xen_resources >"$run/before"
grep -v "^domain:" "$run/before"
start=$(now_ms)
round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    vmring-agent -q -n 2 -e "cpuid cr4:async" "xen:$domid" \
        >"$run/round" 2>&1 || {
        cat "$run/round"
        fail "round $round"
    }
    grep -q '^The ledger adds up' "$run/round" || fail "ledger of $round"
done
echo "$rounds rounds in $(($(now_ms) - start)) ms"
# A vCPU may still have a verdict to apply.
process_line gone 1 "No such file|temporarily unavailable" \
    vmring-lab-native-query "$domid"
assert_resources "$run/before"
wait_for 10 "the guest to go on" guest_alive micro \
    $(($(guest_beats micro) + 1))
guest_destroy micro
pass "$kills kills, $rounds rounds: nothing lost, nothing left"
