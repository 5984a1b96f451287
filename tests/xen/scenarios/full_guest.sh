# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A guest that has more memory than it may have, because it does not balloon
# down as it was told, cannot keep an agent from attaching.
# lab: limit 120
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

guest_memory() {
    xen_keys q | sed -n "/General information for domain $domid:/,/^(XEN) G/{
        s/.*\(nr_pages=[0-9]*\).*\(max_pages=[0-9]*\).*/\1 \2/p;}"
}

step "a guest whose maximum is taken below what it has"
domid=$(guest_create micro "vcpus=4 cpuid=50" 4) || fail "$domid"
# xl does not lower the maximum below the target.
xenstore-write "/local/domain/$domid/memory/target" 4096
xl mem-max micro 8 || fail "xl mem-max"
before=$(guest_memory)
echo "$before"
pages=${before#nr_pages=}
[ "${pages%% *}" -gt "${before##*max_pages=}" ] || fail "it is not full"

step "an agent"
bridge_start bridge "$domid"
agent_start agent "$domid" -q -e cpuid
guest_unpause micro
process_wait agent 60 3
process_wait bridge 10 3
assert_value agent .ledger.totals.answered 200
wait_for 20 "the guest to go" guest_gone micro

step "its maximum afterwards"
domid=$(guest_create micro "vcpus=1 cpuid=1 loop=1 pace=10000" 1) ||
    fail "$domid"
xenstore-write "/local/domain/$domid/memory/target" 4096
xl mem-max micro 8 || fail "xl mem-max"
guest_unpause micro
before=$(guest_memory)
vmring-agent -q -n 5 "$domid" >/dev/null || fail "no agent can attach"
assert_eq "the guest's memory" "$before" "$(guest_memory)"
guest_destroy micro
pass "a full guest is watched like any other"
