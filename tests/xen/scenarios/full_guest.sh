# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A guest has its memory as it was when an agent has gone, whatever its memory
# is like: more than it may have, populated on demand, without the page that
# was built for a ring. No such guest can keep an agent from attaching.
# lab: limit 240
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# What Xen has of the domain: its pages, its maximum, and what it keeps for
# where the domain lacks pages.
guest_memory() {
    xen_keys q | sed -n "/General information for domain $domid:/,/^(XEN) G/{
        s/.*\(nr_pages=[0-9]*\).*\(max_pages=[0-9]*\).*/\1 \2/p
        s/^(XEN) *\(PoD entries=.*\)/\1/p;}" | tr '\n' ' '
}

# attach_often TIMES: each agent leaves the memory as it was before all of them.
attach_often() {
    before=$(guest_memory)
    for _ in $(seq "$1"); do
        vmring-agent -q -n 2 "$domid" >/dev/null || fail "no agent can attach"
    done
    assert_eq "the guest's memory after $1 agents" "$before" "$(guest_memory)"
}

# without_ring_page: a tool of libxenctrl's takes it from the guest.
without_ring_page() {
    process_start access xen-access "$domid" cpuid
    wait_for 20 "xen-access's events" grep -q "^CPUID executed" \
        "$run/access.out"
    before=$(guest_memory)
    process_line bridge 9 "another vm_event consumer" vmring-bridge "$domid"
    assert_eq "the guest's memory after one that was refused" "$before" \
        "$(guest_memory)"
    process_signal access INT
    wait_for 60 "the end of xen-access" process_ended access
}

# looping_guest MEMORY
looping_guest() {
    domid=$(guest_create micro "vcpus=1 cpuid=1 loop=1 pace=10000" 1 "$1") ||
        fail "$domid"
}

step "a guest whose maximum is taken below what it has"
domid=$(guest_create micro "vcpus=4 cpuid=50" 4) || fail "$domid"
# xl does not lower the maximum below the target.
xenstore-write "/local/domain/$domid/memory/target" 4096
xl mem-max micro 8 || fail "xl mem-max"
before=$(guest_memory)
echo "$before"
pages=${before#nr_pages=}
maximum=${before##*max_pages=}
[ "${pages%% *}" -gt "${maximum%% *}" ] || fail "it is not full"

step "an agent"
bridge_start bridge "$domid"
agent_start agent "$domid" -q -e cpuid
guest_unpause micro
process_wait agent 60 3
process_wait bridge 10 3
assert_value agent .ledger.totals.answered 200
wait_for 20 "the guest to go" guest_gone micro

step "its maximum afterwards"
looping_guest 16
xenstore-write "/local/domain/$domid/memory/target" 4096
xl mem-max micro 8 || fail "xl mem-max"
guest_unpause micro
attach_often 2
guest_destroy micro

step "a guest in superpages, and without the ring's page"
looping_guest 64
guest_unpause micro
attach_often 2
without_ring_page
attach_often 2
guest_destroy micro

step "a guest that is populated on demand"
guest_options="maxmem = 64"
looping_guest 16
guest_unpause micro
guest_memory
attach_often 3

step "and its bridge is killed"
before=$(guest_memory)
bridge_start killed "$domid"
process_signal killed KILL
process_wait killed 5 137
process_line recover 15 "the ring is free again" \
    vmring-bridge --recover "$domid"
assert_eq "the guest's memory after a bridge that was killed" "$before" \
    "$(guest_memory)"

step "and has no page for a ring"
without_ring_page
# It gets one again, with the first agent: what it gave back Xen keeps.
vmring-agent -q -n 2 "$domid" >/dev/null || fail "no agent can attach"
attach_often 3
guest_destroy micro
pass "each guest is watched like any other"
