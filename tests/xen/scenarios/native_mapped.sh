# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: whoever keeps P and C mapped keeps of a
# destroyed domain what is left of it, and no more; he reads how it ended. And
# one who attaches again and again with the old pages mapped gets no more than
# the cap.
# lab: xen vmring
# lab: limit 240
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# mapped DOMID TIMES BYTES: begins; sets $holds, in KiB.
mapped() {
    rm -f "$run/mapped-in"
    mkfifo "$run/mapped-in"
    process_start mapped sh -c "exec vmring-lab-native-mapped $1 $2 $3 \
<>$run/mapped-in"
    wait_for 60 "it to attach" mapped_said "^holds "
    grep -v "^state" "$run/mapped.out"
    holds=$(($(sed -n 's/^holds \(.*\) pages/\1/p' "$run/mapped.out") * 4))
}

# shellcheck disable=SC2317 # wait_for calls it
mapped_said() {
    grep -q "$1" "$run/mapped.out" || process_ended mapped
}

# mapped_do REGEX COMMAND
mapped_do() {
    echo "$2" >"$run/mapped-in"
    wait_for 20 "'$1'" mapped_said "$1"
    grep "$1" "$run/mapped.out" || {
        cat "$run/mapped.err"
        fail "it does not say '$1'"
    }
}

zombies() {
    xl list | grep -c '^(null)'
}

step "another domain, which goes on, and what is in use"
domid=$(guest_create other "vcpus=1 cpuid=1 loop=1 pace=10000 beat=1" 1) ||
    fail "$domid"
guest_unpause other
wait_for 20 "a sign of life" guest_alive other 1
# The first guest leaves pages in Xen's pools.
domid=$(guest_create micro "vcpus=2 cpuid=1" 2) || fail "$domid"
mapped "$domid" 1 1048576
mapped_do "^unmapped" unmap
process_signal mapped TERM
process_wait mapped 5 143
guest_destroy micro
xen_resources >"$run/before"
grep "^free memory" "$run/before"

step "the target is destroyed while somebody has it mapped"
domid=$(guest_create micro "vcpus=2 cpuid=100000 cr4=100000" 2) ||
    fail "$domid"
mapped "$domid" 1 1048576
guest_unpause micro
mapped_do "^state 0 reason 0" state
xl destroy micro || fail "xl destroy"
sleep 1
assert_eq "dead domains" 1 "$(zombies)"
mapped_do "^state 3 reason 0" state
native_query "$domid"
assert_queried pages 0
xen_keys q | grep "General information for domain $domid:" -A 3
# An agent is told that there is none; one for another attaches.
process_line late 4 "no such domain" vmring-agent -q "xen:$domid"
vmring-agent -q -n 3 "xen:$(cat "$run/other.domid")" >"$run/next" 2>&1 ||
    fail "no agent can attach to another"
wait_for 10 "the other to go on" guest_alive other \
    $(($(guest_beats other) + 1))
xen_resources >"$run/held"
kept=$(($(free_memory "$run/before") - $(free_memory "$run/held")))
echo "KiB that are kept: $kept, of which mapped: $holds"
[ $kept -ge "$holds" ] || fail "what is mapped has been freed"
# The domain's structures and what Xen keeps of the ring: some pages.
[ $kept -le $((holds + 1024)) ] || fail "more is kept than what is mapped"

step "it unmaps"
mapped_do "^unmapped" unmap
wait_for 10 "the dead domain to go" guest_gone "$domid"
assert_eq "dead domains" 0 "$(zombies)"
process_signal mapped TERM
process_wait mapped 5 143
assert_resources "$run/before" 128

step "attaches without end, all of them mapped"
domid=$(guest_create micro "vcpus=2 cpuid=1 cr4=1 loop=1 pace=10000" 2) ||
    fail "$domid"
guest_unpause micro
xen_resources >"$run/begin"
mapped "$domid" 12 16777216
grep -q "^refused 12" "$run/mapped.out" || fail "it was never refused"
xen_resources >"$run/held"
kept=$(($(free_memory "$run/begin") - $(free_memory "$run/held")))
echo "KiB that are kept: $kept"
[ $kept -le 164864 ] || fail "that is more than the cap of 160 MiB"
[ $kept -ge 131072 ] || fail "the cap of 160 MiB came too early"

step "and without them"
mapped_do "^unmapped" unmap
vmring-agent -q -n 3 "xen:$domid" >"$run/last" 2>&1 || fail "no agent can attach"
process_signal mapped TERM
process_wait mapped 5 143
xen_resources >"$run/held"
kept=$(($(free_memory "$run/begin") - $(free_memory "$run/held")))
echo "KiB that are kept: $kept"
[ $kept -le 256 ] || fail "that is more than what Xen has of a ring"
guest_destroy micro
assert_resources "$run/before" 128
pass "what is mapped is kept, and no more"
