# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What the second hop costs: the same writes of CR4 by the same micro-guest,
# watched by Xen's own xen-access, and by bridge and agent, in turn. No time
# is judged; the counts must be exact.
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

rounds=${1:-2}

# guest VCPUS EACH: paused; sets $domid. It times each write itself, so both
# are timed alike.
guest() {
    events=$(($1 * $2))
    domid=$(guest_create micro "vcpus=$1 cr4=$2 timed=1" "$1") ||
        fail "$domid"
}

# The event channel of whoever has attached.
# shellcheck disable=SC2317 # wait_for calls it
watched() {
    legacy_port_of "$domid"
}

# figures WHO: in one line, for whoever collects them.
figures() {
    [ "$(guest_total micro cr4)" = "$events" ] ||
        fail "the guest wrote CR4 $(guest_total micro cr4) times"
    [ "$(guest_total micro cr4_refused)" = 0 ] || fail "writes were refused"
    guest_timing micro "$events" >"$run/timing"
    read -r figures_rate figures_p50 figures_p99 <"$run/timing"
    printf "figures: %-22s vcpus %d, %d events, %s/s, p50 %s us, p99 %s us\n" \
        "$1" "$vcpus" "$events" "$figures_rate" "$figures_p50" "$figures_p99"
}

with_xen_access() {
    guest "$vcpus" "$each"
    process_start old xen-access "$domid" write_ctrlreg_cr4
    wait_for 20 "xen-access to attach" watched
    guest_unpause micro
    guest_wait micro 100
    process_signal old TERM
    wait_for 20 "the end of xen-access" process_ended old
    old_seen=$(grep -c '^Control register written' "$run/old.out")
    [ "$old_seen" = "$events" ] || {
        tail -n 3 "$run/old.out" "$run/old.err"
        fail "xen-access shows $old_seen of $events events"
    }
    figures xen-access
}

# with_agent WHO OPTION...
with_agent() {
    agent_who=$1
    shift
    guest "$vcpus" "$each"
    bridge_start bridge "$domid"
    agent_start agent "$domid" "$@" -e cr4
    guest_unpause micro
    wait_for 100 "the end of the agent" process_ended agent
    wait_for 10 "the end of the bridge" process_ended bridge
    [ "$(value agent .ledger.totals.answered)" = "$events" ] ||
        fail "the agent answered $(value agent .ledger.totals.answered)"
    [ "$(value agent .ledger.totals.defaulted)" = 0 ] ||
        fail "verdicts by default"
    figures "$agent_who"
}

compare() { # VCPUS EACH
    vcpus=$1
    each=$2
    step "$1 vCPUs write CR4 $2 times each"
    with_xen_access
    with_agent "bridge, agent"
    with_agent "bridge, quiet agent" -q
}

round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    compare 1 300
done
compare 8 100
pass "every count is exact"
