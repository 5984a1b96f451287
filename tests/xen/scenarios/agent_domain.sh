# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Three domains: the bridge in dom0, the agent in an unprivileged domain, and
# the target. Synchronous and asynchronous events go through granted pages, the
# guest's own count is the agent's and the bridge's, and afterwards nothing is
# left of it, neither in xenstore nor in Xen.
# lab: needs agent-domain
# lab: limit 300
# Emulated by two threads: with one, QEMU delivers an interrupt twice now and
# then (is_emulators_fault in lab.d/run.sh), and doorbells are many.
# lab: thread multi
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-domains.sh
. /lab/lib-domains.sh

vcpus=16
cpuids=100
cr4s=50

# Not four times a second: the agent runs on the CPU that dom0 would look with.
agent_spoke() {
    sleep 1
    agent_domain_lives
    remote_said agents agent '"attached"|^vmring-agent: '
}

agent_gone() {
    sleep 1
    agent_domain_lives
    remote_ended agents agent
}

agent_domain_lives() {
    ! grep -q "Kernel panic" /var/log/xen/console/guest-agents.log ||
        fail "the agent domain has panicked"
}

vmring_nodes() {
    xenstore-ls -f /local/domain/0 2>/dev/null |
        grep -c '^/local/domain/0/vmring'
}

# What Xen keeps account of, but for memory: the pools that it has made to keep
# track of pages and guests stay.
books() {
    xen_resources | grep -v "^free memory"
}

books_are_as_before() {
    books >"$run/after"
    cmp -s "$run/before" "$run/after"
}

step "an agent domain"
agent_domain_create agents
books >"$run/before"
grep -q "^grants of d0: 0" "$run/before" || fail "dom0 grants pages already"
assert_eq "nodes of vmring in xenstore before" 0 "$(vmring_nodes)"

step "a paused guest with a bridge for the agent domain"
domid=$(guest_create micro "vcpus=$vcpus cpuid=$cpuids cr4=$cr4s" \
    $vcpus) || fail "$domid"
bridge_start bridge "$domid" --to agents --deadline 60000
xenstore-ls -fp /local/domain/0/vmring

step "an agent there"
# shellcheck disable=SC2154 # $agent_domid is lib-domains.sh's
assert_eq "the agent's domain" "$agent_domid" "$(xl domid agents)"
start=$(now_ms)
# With room for all: nothing is lost, however slow the agent is.
remote_start agents agent vmring-agent -q -f json -e cpuid,cr4:async \
    --async-bytes 512k "grant:0/$domid"
wait_for 120 "the agent to attach" agent_spoke
remote_said agents agent '"attached"' || fail "it does not attach"
echo "$(($(now_ms) - start)) ms"
books >"$run/attached"
diff "$run/before" "$run/attached"
grep -q "^grants of d0: [1-9]" "$run/attached" ||
    fail "Xen's books show nothing of granted pages"

step "it runs"
start=$(now_ms)
guest_unpause micro
wait_for 180 "the agent to end" agent_gone
remote_wait agents agent 10 3
echo "$(($(now_ms) - start)) ms"
process_wait bridge 20 3
remote_output agents agent >"$run/agent.json"

step "the three counts"
cpuid_total=$((vcpus * cpuids))
cr4_total=$((vcpus * cr4s))
assert_eq "the guest's CPUIDs" $cpuid_total "$(guest_total micro cpuid)"
assert_eq "the guest's CR4 writes" $cr4_total "$(guest_total micro cr4)"
assert_guest_right micro
assert_value agent .ledger.adds_up true
assert_value agent .ledger.totals.delivered $((cpuid_total + cr4_total))
assert_value agent .ledger.totals.answered $cpuid_total
assert_value agent .ledger.totals.defaulted 0
assert_value agent .ledger.totals.lost 0
assert_value bridge .reasons.cpuid.answered $cpuid_total
assert_value bridge .records $cr4_total
assert_verdicts bridge
assert_eq "verdicts by the agent" "$cpuid_total" "$by_consumer"
assert_eq "vCPUs with $cpuids answers each" $vcpus \
    "$(grep -c "^.ledger.rows.*\.answered=$cpuids\$" "$run/agent.flat")"

step "what is left"
assert_eq "nodes of vmring in xenstore" 0 "$(vmring_nodes)"
wait_for 20 "the end of micro" guest_gone micro
wait_for 30 "Xen's books to be as before" books_are_as_before
cat "$run/after"
delivered=$((cpuid_total + cr4_total))
pass "$delivered of $delivered, from another domain"
