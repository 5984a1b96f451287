# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What an agent in dom0 can do to its target besides answering: before it has
# entered its sandbox, all of it, and nothing afterwards. Agent and bridge run
# in theirs.
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# status_is PROCESS FIELD VALUE
status_is() {
    assert_eq "$1's $2" "$3" "$(sed -n "s/^$2:[[:space:]]*//p" \
        "/proc/$(cat "$run/$1.pid")/status" | tr -s '[:space:]' ' ' |
        sed 's/ $//')"
}

# xen_of PROCESS: what it has open of Xen.
xen_of() {
    for fd in /proc/"$(cat "$run/$1.pid")"/fd/*; do
        readlink "$fd"
    done | sed -n 's,^\(/dev\|/proc\)/xen/,,p' | sort -u | tr '\n' ' '
}

step "a target that writes CR4"
domid=$(guest_create micro "vcpus=2 cr4=3000 pace=5000" 2) || fail "$domid"
bridge_start bridge "$domid" --linger 30
guest_unpause micro

step "the bridge has no more than it needs"
status_is bridge NoNewPrivs 1
status_is bridge Seccomp 2
status_is bridge CapEff 0000000000000000
assert_eq "the bridge's root" /run/vmring \
    "$(readlink /proc/"$(cat "$run/bridge.pid")"/root)"
echo "the bridge has of Xen: $(xen_of bridge)"

step "what can be done before, and in the sandbox"
process_start probe vmring-lab-privilege "local:/run/vmring/dom$domid.sock" \
    "$domid"
wait_for 60 "the attempts" process_ended probe
cat "$run/probe.out" "$run/probe.err"
process_wait probe 1 0
assert_eq "attempts" 6 "$(grep -c 'in the sandbox' "$run/probe.out")"

step "the agent has nothing of Xen"
agent_start agent "$domid" -q -e cr4
status_is agent Uid "65534 65534 65534 65534"
status_is agent Groups ""
status_is agent CapPrm 0000000000000000
status_is agent NoNewPrivs 1
status_is agent Seccomp 2
assert_eq "what the agent has open of Xen" "" "$(xen_of agent)"

step "and both work to the end"
process_wait agent 150 3
process_wait bridge 20 3
assert_eq "the guest's CR4 writes" 6000 "$(guest_total micro cr4)"
assert_eq "refused ones" 0 "$(guest_total micro cr4_refused)"
assert_verdicts bridge
[ ! -e "/run/vmring/dom$domid.sock" ] || fail "the socket is left"
pass "out of reach"
