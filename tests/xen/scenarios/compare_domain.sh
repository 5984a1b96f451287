# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What granted pages cost beside local ones: the same work of the same
# micro-guest, watched from dom0 by local: and from an agent domain by grant:,
# in turn, in one boot. No time is judged; the counts must be exact.
# `lab run compare_domain 3` makes three rounds of it.
# lab: needs agent-domain
# lab: limit 600
# lab: thread multi
# shellcheck disable=SC2317 # wait_for calls functions
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-domains.sh
. /lab/lib-domains.sh

rounds=${1:-1}
agents=agents
number=0

# guest: paused, with the work of $vcpus, $kind and $each; sets $domid and $tag.
guest() {
    number=$((number + 1))
    tag=run$number
    domid=$(guest_create "guest-$tag" "vcpus=$vcpus $kind=$each timed=1" "$vcpus") ||
        fail "$domid"
}

# figures TRANSPORT: checks the counts, and adds a line to the table.
figures() {
    figures_total=$((vcpus * each))
    [ "$(guest_total "guest-$tag" "$kind")" = $figures_total ] ||
        fail "the guest raised $(guest_total "guest-$tag" "$kind")"
    assert_value $tag .ledger.adds_up true
    assert_value $tag .ledger.totals.delivered $figures_total
    assert_value $tag .ledger.totals.lost 0
    assert_value $tag .ledger.totals.defaulted 0
    echo "$work|$1|$(guest_timing "guest-$tag" $figures_total | tr " " "|")" |
        tee -a "$run/table"
}

by_local() {
    guest
    bridge_start "bridge-$tag" "$domid" --deadline 60000
    agent_start $tag "$(socket_of "$domid")" -q -e "$events" \
        --async-bytes 256k
    guest_unpause "guest-$tag"
    process_wait $tag 150 3
    process_wait "bridge-$tag" 20 3
    figures local
}

spoke() {
    sleep 1
    remote_said "$agents" "$tag" '"attached"|^vmring-agent: '
}

gone() {
    sleep 1
    remote_ended "$agents" "$tag"
}

by_grant() {
    guest
    bridge_start "bridge-$tag" "$domid" --to $agents --deadline 60000
    remote_start "$agents" "$tag" vmring-agent -q -f json -e "$events" \
        --async-bytes 256k "grant:0/$domid"
    wait_for 120 "the agent to attach" spoke
    guest_unpause "guest-$tag"
    wait_for 300 "the agent to end" gone
    remote_wait "$agents" "$tag" 10 3
    process_wait "bridge-$tag" 20 3
    remote_output "$agents" "$tag" >"$run/$tag.json"
    figures grant
}

# compare WORK VCPUS KIND EACH EVENTS
compare() {
    work=$1
    vcpus=$2
    kind=$3
    each=$4
    events=$5
    step "$work, $vcpus vCPUs, $each each"
    by_local
    by_grant
}

step "an agent domain"
agent_domain_create $agents
round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    compare "sync, 1 vCPU" 1 cpuid 300 cpuid
    compare "sync, 16 vCPUs" 16 cpuid 30 cpuid
    compare "async, 16 vCPUs" 16 cr4 50 cr4:async
done

step "the table: work, transport, events/s, p50 and p99 in us; ratios"
awk -F '|' '{
    printf "%-16s %-6s %6d/s  p50 %9.1f us  p99 %9.1f us\n", $1, $2, $3, $4, $5
    if ($2 == "local") {
        rate = $3; p50 = $4; p99 = $5
    } else {
        printf "%-16s ratio  %6.2f    p50 %9.2f     p99 %9.2f\n", $1,
            $3 / rate, $4 / p50, $5 / p99
    }
}' "$run/table"
pass "every count is exact"
