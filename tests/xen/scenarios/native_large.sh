# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: the largest ring, 64 MiB for 128 vCPUs, is
# made, taken over and freed in turns, beside another domain, and a frozen one
# that nobody reads gives way to the next. Meanwhile no CPU is away for long.
# lab: xen vmring
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

large=67108864

# large_start NAME: says how long until it had attached.
large_start() {
    begun=$(now_ms)
    native_start "$1" "$domid" -q --async-bytes 64m --deadline 60000 \
        -e "cpuid cr4:async"
    echo "attached in $(($(now_ms) - begun)) ms"
    native_query "$domid"
    # A lane has a power of two of records, of 448 bytes.
    [ "$(queried pages)" -ge $((128 * 1024 * 448 / 4096)) ] ||
        fail "it has $(queried pages) pages"
}

# From here on, how long a CPU was away.
late_begin() {
    for cpu in 0 1; do
        process_start late$cpu vmring-lab-late $cpu
    done
}

# late_end MS: no longer than that. Freed in one go, it was 21 s.
late_end() {
    for cpu in 0 1; do
        process_signal late$cpu TERM
        process_wait late$cpu 10 0
        late=$(sed -n 's/^late \(.*\) ms$/\1/p' "$run/late$cpu.out")
        echo "CPU $cpu was away for $late ms at most"
        [ "$late" -le "$1" ] || fail "that is too long"
    done
}

step "another domain, which goes on"
domid=$(guest_create other "vcpus=1 cpuid=1 loop=1 pace=10000 beat=1" 1) ||
    fail "$domid"
guest_unpause other
wait_for 20 "a sign of life" guest_alive other 1

step "128 vCPUs, 64 MiB; the agent is killed, and another takes over"
xen_resources >"$run/before"
domid=$(guest_create micro "vcpus=128 cpuid=40 cr4=40 order=mixed \
pace=20000" 128) ||
    fail "$domid"
late_begin
large_start agent0
guest_unpause micro
sleep 1
process_signal agent0 9
process_wait agent0 20 137
beats=$(guest_beats other)
large_start agent1
native_end agent1 200
wait_for 20 "the other to go on" guest_alive other $((beats + 1))
assert_value agent1 .ledger.totals.defaulted 0
assert_eq "the guest's CPUIDs" 5120 "$(guest_total micro cpuid)"
assert_eq "the guest's CR4 writes" 5120 "$(guest_total micro cr4)"
assert_guest_right micro
wait_for 20 "the guest to go" guest_gone micro
late_end 2000

step "four that come and go, and read nothing"
domid=$(guest_create micro "vcpus=2 cpuid=1 cr4=1 loop=1 pace=10000" 2) ||
    fail "$domid"
guest_unpause micro
late_begin
for turn in 1 2 3 4; do
    vmring-lab-native-mapped "$domid" 1 $large </dev/null >"$run/turn" ||
        fail "turn $turn"
    grep "^attached" "$run/turn" || fail "turn $turn: $(cat "$run/turn")"
done
native_query "$domid"
echo "pages: $(queried pages)"
[ "$(queried pages)" -le 40960 ] || fail "that is more than 160 MiB"
vmring-agent -q -n 3 "xen:$domid" >"$run/last" 2>&1 || fail "no agent can attach"
guest_destroy micro
late_end 2000
assert_resources "$run/before" 4096
pass "the largest is made and freed in turns"
