# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What cannot be done is refused by one line and the documented status, and
# leaves nothing attached.
# lab: needs linux-guest
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# Somebody else can attach, and sees events.
assert_free() {
    process_start access xen-access "$domid" cpuid
    wait_for 20 "xen-access's events" grep -q "^CPUID executed" \
        "$run/access.out"
    process_signal access INT
    wait_for 60 "the end of xen-access" process_ended access
    echo "ok: xen-access can attach"
}

step "no such domain"
process_line bridge 4 "there is no domain 4711; " vmring-bridge 4711
process_line bridge 4 "no domain is called 'nosuch'; " vmring-bridge nosuch
process_line agent 4 "there is no domain 4711; " vmring-agent 4711
process_line agent 4 "no domain is called 'nosuch'; " vmring-agent nosuch

step "PV domains"
process_line bridge 7 "is a PV domain, which Xen cannot monitor; " \
    vmring-bridge 0
cat >"$run/pv.cfg" <<CONFIG
name = "pv"
type = "pv"
kernel = "/lab/vmlinux"
memory = 128
CONFIG
xl create -p "$run/pv.cfg" >"$run/pv.create" 2>&1 || {
    cat "$run/pv.create"
    fail "xl cannot create a PV guest"
}
process_line agent 7 "\(pv\) is a PV domain, which Xen cannot monitor; " \
    vmring-agent pv
guest_destroy pv

step "not root"
domid=$(guest_create micro "vcpus=2 cpuid=1 loop=1 pace=20000" 2) ||
    fail "$domid"
guest_unpause micro
process_line bridge 5 "run this as root" \
    su -s /bin/sh -c "exec vmring-bridge $domid" nobody
process_line agent 5 "run this as root" \
    su -s /bin/sh -c "exec vmring-agent $domid" nobody

step "agents that cannot come"
process_line bridge 4 "there is no domain '4711' for --to; " \
    vmring-bridge --to 4711 "$domid"
process_line bridge 4 "there is no domain 'nosuch' for --to; " \
    vmring-bridge --to nosuch "$domid"
process_line bridge 2 "leave out --to" vmring-bridge --to 0 "$domid"
process_line bridge 2 "leave out --to" vmring-bridge --to Domain-0 sim:count=1
process_line bridge 2 "cannot watch itself" vmring-bridge --to micro "$domid"
process_line bridge 2 "cannot watch itself" vmring-bridge --to "$domid" micro

step "a Xen that refuses"
process_line bridge 7 \
    "was built for Xen [0-9.]+ \(their domctls have version 0x[0-9a-f]+ and" \
    env LD_PRELOAD=/usr/bin/vmring-lab-below VMRING_LAB_BELOW=version \
    vmring-bridge "$domid"
process_line bridge 5 "policy \(XSM\) must allow" \
    env LD_PRELOAD=/usr/bin/vmring-lab-below VMRING_LAB_BELOW=policy \
    vmring-bridge "$domid"
process_line bridge 5 "vm_event .* whose label is system_u:system_r:domU_t" \
    env LD_PRELOAD=/usr/bin/vmring-lab-below VMRING_LAB_BELOW=label \
    vmring-bridge "$domid"

step "bad options"
process_line agent 2 "no such option" vmring-agent --nonsense "$domid"
process_line agent 2 "nonsense" vmring-agent -e nonsense "$domid"
process_line agent 2 "not a verdict rule" vmring-agent --deny cr9 "$domid"
process_line agent 2 "XCR0 .* cannot be denied" vmring-agent -e xcr0 \
    --deny xcr0:4 "$domid"
process_line agent 2 "give a time" vmring-agent -t never "$domid"
process_line bridge 2 "unknown event" \
    vmring-bridge --allow-events nonsense "$domid"
process_line bridge 2 "from 1ms to 24h" vmring-bridge --deadline 0 "$domid"
process_line bridge 2 "no TARGET" vmring-bridge
process_line bridge 2 "less than 108 bytes" vmring-bridge --listen \
    "local:/$(printf '%0200d' 0)" "$domid"

step "events that cannot be armed"
process_line agent 7 "does not fire on this CPU" \
    vmring-agent -e mem:w@0x1000 "$domid"
process_line agent 7 "does not fire on this CPU" \
    vmring-agent -e vmexit "$domid"
process_line agent 8 "minimum|at least" \
    vmring-agent -e cr4:async --async-bytes 64 "$domid"
assert_free

step "beyond what the bridge allows, and another agent"
bridge_start allowing "$domid" --allow-events cpuid --allow-verdicts none
process_line agent 5 "not in the producer's allow-list" \
    vmring-agent -e cr3 "$domid"
process_line agent 5 "verdict" vmring-agent -e cr4 --deny cr4:4 "$domid"
agent_start first "$domid" -q -e cpuid
process_line second 9 "." vmring-agent -e cpuid "$domid"
process_line bridge 9 "has a bridge already, process [0-9]+;" \
    vmring-bridge --listen local:/run/lab/socket "$domid"
process_signal first INT
process_wait first 10 0
process_signal allowing TERM
process_wait allowing 10 0

step "a consumer of the legacy ring is there"
process_start access xen-access "$domid" cpuid
wait_for 20 "xen-access" legacy_port_of "$domid"
process_line bridge 9 "another vm_event consumer" vmring-bridge "$domid"
process_line agent 9 "another vm_event consumer" vmring-agent "$domid"
process_line bridge 9 "a program here listens to Xen about it" \
    vmring-bridge --recover "$domid"
process_signal access INT
wait_for 60 "the end of xen-access" process_ended access

step "after all that"
vmring-agent -q -n 5 "$domid" || fail "it cannot attach"
assert_free
guest_destroy micro
pass "each refused by one line"
