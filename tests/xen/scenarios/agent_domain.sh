# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Three domains: the bridge in dom0, the agent in an unprivileged domain, and
# the target. Synchronous and asynchronous events go through granted pages, the
# guest's own count is the agent's and the bridge's, and afterwards nothing is
# left of it, neither in xenstore nor in Xen. The same with four workers. And of
# the target, of dom0 and of the bridge's nodes the agent's domain reaches
# nothing else.
# lab: needs agent-domain
# lab: limit 600
# Emulated by two threads: with one, QEMU delivers an interrupt twice now and
# then (is_emulators_fault in lab.d/fault.sh), and doorbells are many.
# lab: thread multi
# shellcheck disable=SC2317 # wait_for calls functions
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
    agent_domain_lives agents
    remote_said agents "$tag" '"attached"|^vmring-agent: '
}

agent_gone() {
    sleep 1
    remote_ended agents "$tag"
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

# attach TAG OPTION...: a paused guest with a bridge, both named after TAG, and
# an agent in the agent domain. Sets $domid, $tag.
attach() {
    tag=$1
    shift
    step "$tag: a paused guest with a bridge for the agent domain"
    domid=$(guest_create "guest-$tag" "vcpus=$vcpus cpuid=$cpuids cr4=$cr4s" \
        $vcpus) || fail "$domid"
    bridge_start "bridge-$tag" "$domid" --to agents --deadline 60000
    step "$tag: an agent there"
    attach_from=$(now_ms)
    # With room for all: nothing is lost, however slow the agent is.
    remote_start agents "$tag" vmring-agent -q -f json -e cpuid,cr4:async \
        --async-bytes 512k "$@" "grant:0/$domid"
    wait_for 120 "the agent to attach" agent_spoke
    remote_said agents "$tag" '"attached"' || fail "it does not attach"
    echo "$(($(now_ms) - attach_from)) ms"
}

# run_to_end: the guest's work, and the three counts of it.
run_to_end() {
    step "$tag: it runs"
    run_from=$(now_ms)
    guest_unpause "guest-$tag"
    wait_for 300 "the agent to end" agent_gone
    remote_wait agents "$tag" 10 3
    echo "$(($(now_ms) - run_from)) ms"
    process_wait "bridge-$tag" 20 3
    remote_output agents "$tag" >"$run/$tag.json"

    step "$tag: the three counts"
    cpuid_total=$((vcpus * cpuids))
    cr4_total=$((vcpus * cr4s))
    assert_eq "the guest's CPUIDs" $cpuid_total \
        "$(guest_total "guest-$tag" cpuid)"
    assert_eq "the guest's CR4 writes" $cr4_total \
        "$(guest_total "guest-$tag" cr4)"
    assert_guest_right "guest-$tag"
    assert_value "$tag" .ledger.adds_up true
    assert_value "$tag" .ledger.totals.delivered $((cpuid_total + cr4_total))
    assert_value "$tag" .ledger.totals.answered $cpuid_total
    assert_value "$tag" .ledger.totals.defaulted 0
    assert_value "$tag" .ledger.totals.lost 0
    assert_value "bridge-$tag" .reasons.cpuid.answered $cpuid_total
    assert_value "bridge-$tag" .records $cr4_total
    assert_verdicts "bridge-$tag"
    assert_eq "verdicts by the agent" "$cpuid_total" "$by_consumer"
    assert_eq "vCPUs with $cpuids answers each" $vcpus \
        "$(grep -c "^.ledger.rows.*\.answered=$cpuids\$" "$run/$tag.flat")"

    step "$tag: what is left"
    assert_eq "nodes of vmring in xenstore" 0 "$(vmring_nodes)"
    wait_for 20 "the end of the guest" guest_gone "guest-$tag"
    wait_for 30 "Xen's books to be as before" books_are_as_before
    cat "$run/after"
}

# remote_run TAG COMMAND...: in the agent domain; it ends well.
remote_run() {
    remote_run_tag=$1
    remote_start agents "$@"
    remote_wait agents "$remote_run_tag" 120 0
    remote_output agents "$remote_run_tag" | sed "s/^/  /"
}

# assert_reached TAG REGEX: it said that.
assert_reached() {
    remote_said agents "$1" "$2" || fail "$1 does not say '$2'"
}

# What it may do shows that it would be seen to do the rest.
reach_for_the_ring() {
    step "the other pages that dom0 grants, and P writable"
    # Granted to the target: not for the agent.
    process_start others sh -c \
        "exec vmring-lab-pages share $domid 4 1 1 <>$run/others-in"
    wait_for 20 "further grants" grep -q ^offer "$run/others.out"
    remote_run ring vmring-lab-reach ring 0 300
    process_signal others KILL
    process_wait others 20 137
    assert_reached ring "^mapping its other grants: 0 of [0-9]+, Invalid arg"
    assert_reached ring "^mapping P writable: 0 of [0-9]+, Invalid arg"
    # Of P and C, all: the number before "of" once more behind it.
    remote_output agents ring | awk '/^mapping (P to read|C writable): / {
        right += $(NF - 2) == $NF && $NF > 0
    } END { exit right != 2 }' || fail "P and C cannot be mapped as they may"
}

reach_for_the_rest() {
    step "the target, and nodes in xenstore"
    tree=/local/domain/0/vmring/$domid
    remote_run rest vmring-lab-reach memory "$domid" 256 -- domctl "$domid" \
        -- ports "$domid" 20 -- ports 0 60 -- grefs "$domid" 0 32 \
        -- store "$tree/reply" "$tree/version" "$tree" \
        "/local/domain/$domid/name" "/local/domain/$domid/memory/target"
    assert_reached rest "^let through: 0 of "
    for what in "mapping a frame to read: " "mapping a frame to write: " \
        "pausing it: " "binding its event channels: 0 of 20, " \
        "mapping its grants: 0 of 33, "; do
        assert_reached rest "^$what"
    done
    for node in "writing $tree/reply" "writing $tree/reached" \
        "removing $tree" "reading /local/domain/$domid/name" \
        "writing /local/domain/$domid/memory/target"; do
        assert_reached rest "^$node: Permission denied"
    done
}

# The same program where nothing of it is refused.
reach_from_dom0() {
    step "in dom0 all of that is possible"
    control=$(guest_create control "vcpus=1 cpuid=1" 1) || fail "$control"
    process_start own sh -c \
        "exec vmring-lab-pages share 0 1 1 1 <>$run/own-in"
    wait_for 20 "an event channel" grep -q ^offer "$run/own.out"
    own_port=$(sed -n 's/^offer [0-9]* //p' "$run/own.out")
    xenstore-write /tool/reach/node text
    process_start dom0 vmring-lab-reach memory "$control" 256 -- domctl \
        "$control" -- grefs "$control" 0 1 -- store /tool/reach
    process_wait dom0 20 0
    sed "s/^/  /" "$run/dom0.out"
    grep -q '^let through: \([0-9]*\) of \1$' "$run/dom0.out" ||
        fail "not all of it"
    vmring-lab-reach ports 0 "$own_port" | tee "$run/ports"
    grep -q "^let through: [1-9]" "$run/ports" || fail "no port was bound"
    process_signal own KILL
    process_wait own 20 137
    guest_destroy control
}

attach one
xenstore-ls -fp /local/domain/0/vmring
books >"$run/attached"
diff "$run/before" "$run/attached"
grep -q "^grants of d0: [1-9]" "$run/attached" ||
    fail "Xen's books show nothing of granted pages"
mkfifo "$run/others-in" "$run/own-in"
reach_for_the_ring
reach_for_the_rest
run_to_end

attach four --workers 4
run_to_end

reach_from_dom0
pass "each event, from another domain, and nothing else"
