# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What watching costs where Xen is the producer, beside what it costs by the
# legacy ring: the same work of the same micro-guest in one boot, watched by
# nobody, by an agent of Xen's ring, by bridge and agent, and by xen-access, in
# turn. The guest times each event itself. Then how many of its vCPUs wait, and
# how many are queued for room in a ring. No time is judged; the counts must be
# exact, and of Xen's ring no vCPU may have waited for room.
# `lab run --xen vmring native_costs 5` makes five rounds of it.
# lab: xen vmring
# lab: limit 480
# lab: thread multi
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

rounds=${1:-3}
looks=${2:-10}
# So that Xen and agents can be asked when the guest has ended.
guest_options='on_poweroff = "preserve"'

# quietly COMMAND...: which says what it says only when it fails.
quietly() {
    ("$@") >"$run/quiet" 2>&1 || {
        cat "$run/quiet"
        exit 1
    }
}

# guest EACH: paused, with the work of $vcpus and $kind; sets $domid and $total.
guest() {
    total=$((vcpus * $1))
    domid=$(guest_create micro "vcpus=$vcpus $kind=$1 timed=1" "$vcpus") ||
        fail "$domid"
}

# works: the guest does it all.
works() {
    guest_unpause micro
    guest_wait micro 150
}

# figures HOW NOTE: the guest was right; a line for the table, and its end.
figures() {
    figures_count=$(guest_total micro "$kind")
    [ "$figures_count" = $total ] ||
        fail "$1: the guest raised $figures_count of $total"
    for figures_key in cpuid_wrong cr4_refused stray; do
        [ "$(guest_total micro $figures_key)" = 0 ] ||
            fail "$1: $figures_key $(guest_total micro $figures_key)"
    done
    echo "$work|$1|$(guest_timing micro $total | tr ' ' '|')|$2" |
        tee -a "$run/table"
    guest_destroy micro
}

# ledger NAME: the agent was told of all, and lost none.
ledger() {
    quietly process_wait "$1" 30 3 "has shut down|was destroyed"
    ledger_told="$(value "$1" .ledger.totals.delivered)"
    [ "$ledger_told" = $total ] || fail "$1 was told of $ledger_told of $total"
    for ledger_key in lost defaulted; do
        [ "$(value "$1" .ledger.totals.$ledger_key)" = 0 ] ||
            fail "$1: $ledger_key $(value "$1" .ledger.totals.$ledger_key)"
    done
    [ "$(value "$1" .ledger.adds_up)" = true ] || fail "$1: it does not add up"
}

# Alone an event takes a hundredth of the time: more of them.
nobody() {
    guest $((each * 20))
    works
    figures nobody -
}

xen_ring() {
    guest "$each"
    native_start agent "$domid" -q --deadline 60000 --async-bytes 1m \
        -e "$events"
    keeper_stop
    works
    native_query "$domid"
    keeper_continue
    case $events in
    *async) quietly assert_exact 0 $total ;;
    *) quietly assert_exact $total 0 ;;
    esac
    ledger agent
    figures "Xen's ring" "$(queried waited) waits"
}

bridge() {
    guest "$each"
    bridge_start bridge "$domid" --deadline 60000
    agent_start agent "$(socket_of "$domid")" -q --async-bytes 1m -e "$events"
    works
    ledger agent
    quietly process_wait bridge 30 3
    figures bridge "$(value bridge .legacy_ring.full_share |
        awk '{ printf "full %.0f %%", $1 * 100 }')"
}

access() {
    guest "$each"
    process_start access xen-access "$domid" cpuid
    wait_for 20 "xen-access" legacy_port_of "$domid"
    works
    process_signal access TERM
    wait_for 20 "xen-access's end" process_ended access
    access_told=$(grep -c '^CPUID executed' "$run/access.out")
    [ "$access_told" = $total ] ||
        fail "xen-access shows $access_told of $total"
    figures xen-access -
}

# compare WORK VCPUS KIND EACH EVENTS
compare() {
    work=$1
    vcpus=$2
    kind=$3
    each=$4
    events=$5
    echo "step round $round: $work" >/dev/ttyS2
    nobody
    xen_ring
    bridge
    case $events in
    *async) ;;
    *) access ;;
    esac
}

# table: medians of the rounds; ratios are taken in each round.
table() {
    awk -F '|' '
        function add(key, value) { of[key, ++nr[key]] = value + 0 }
        function median(key,   i, j, n, t, list) {
            n = nr[key]
            if (!n) return "-"
            for (i = 1; i <= n; i++) list[i] = of[key, i]
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
                    t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
                }
            if (n % 2) return list[(n + 1) / 2]
            return (list[n / 2] + list[n / 2 + 1]) / 2
        }
        function ratio(key) {
            return nr[key] ? sprintf("%.2f", median(key)) : "-"
        }
        {
            if (!($1 in known)) { known[$1] = 1; works[++nr_works] = $1 }
            if (!(($1, $2) in known)) {
                known[$1, $2] = 1
                hows[$1, ++nr_hows[$1]] = $2
            }
            key = $1 SUBSEP $2
            add(key SUBSEP "rate", $3)
            add(key SUBSEP "p50", $4)
            add(key SUBSEP "p99", $5)
            note[key] = $6
            rate[key] = $3; p50[key] = $4
            # A round ends with the last of the work; xen-access is the last.
            base = $1 SUBSEP "nobody"
            if ($2 != "nobody") add(key SUBSEP "none", $4 / p50[base])
            if ($2 == "xen-access")
                for (h = 1; h <= nr_hows[$1]; h++) {
                    other = $1 SUBSEP hows[$1, h]
                    add(other SUBSEP "faster", rate[other] / $3)
                    add(other SUBSEP "stall", p50[other] / $4)
                }
        }
        END {
            for (w = 1; w <= nr_works; w++) {
                printf "| %s | /s | p50 us | p99 us | p50 to nobody" \
                    " | /s, p50 to xen-access |\n|---|--:|--:|--:|--:|--:|\n",
                    works[w]
                for (h = 1; h <= nr_hows[works[w]]; h++) {
                    key = works[w] SUBSEP hows[works[w], h]
                    printf "| %s | %.0f | %.1f | %.1f | %s | %s, %s |\n",
                        hows[works[w], h], median(key SUBSEP "rate"),
                        median(key SUBSEP "p50"), median(key SUBSEP "p99"),
                        ratio(key SUBSEP "none"), ratio(key SUBSEP "faster"),
                        ratio(key SUBSEP "stall")
                }
                print ""
            }
        }' "$run/table"
}

# --- how many wait --------------------------------------------------------

# looked_at HOW: of 16 vCPUs that do nothing but raise synchronous events, by
# Xen's own books. Xen stops for none of them while it prints. That a queued one
# is found where there is one is native_livepatch's to show.
looked_at() {
    looked_waiting=0
    looked_queued=0
    for _ in $(seq "$looks"); do
        looked_waiting=$((looked_waiting + \
            $(vcpus_such "$domid" "$vcpu_waits")))
        looked_queued=$((looked_queued + \
            $(vcpus_such "$domid" "$vcpu_queued")))
    done
    echo "| $1 | $looked_waiting | $looked_queued |" | tee -a "$run/queues"
    [ $looked_waiting -gt 0 ] || fail "no vCPU was found to wait for a verdict"
}

looping() {
    domid=$(guest_create micro "vcpus=16 cpuid=1 loop=1 beat=1" 16) ||
        fail "$domid"
}

look() {
    step "how many of 16 vCPUs wait"
    looping
    native_start agent "$domid" -q --deadline 60000 -e cpuid
    guest_unpause micro
    wait_for 30 "a sign of life" guest_alive micro 1
    looked_at "Xen's ring"
    assert_eq "vCPUs with their stack put aside" 0 "$looked_queued"
    native_query "$domid"
    assert_queried waited 0
    process_signal agent INT
    process_wait agent 20 0
    assert_value agent .ledger.adds_up true

    bridge_start bridge "$domid" --deadline 60000
    agent_start agent "$(socket_of "$domid")" -q -e cpuid
    looked_at bridge
    process_signal agent INT
    process_wait agent 20 0
    process_signal bridge TERM
    process_wait bridge 20 0

    process_start access xen-access "$domid" cpuid
    wait_for 20 "xen-access" legacy_port_of "$domid"
    looked_at xen-access
    process_signal access TERM
    wait_for 20 "xen-access's end" process_ended access
    guest_destroy micro
}

: >"$run/table"
round=0
began=$(now_ms)
# One whole round at least; a loaded host has no time for more.
while [ $round -lt "$rounds" ] &&
    [ $(($(now_ms) - began)) -lt 200000 ]; do
    round=$((round + 1))
    echo "== round $round: work, watched by, events/s, p50 and p99 in us"
    for nr in 1:100 8:40 16:20; do
        compare "CPUID, synchronous, ${nr%:*} vCPUs" "${nr%:*}" cpuid \
            "${nr#*:}" cpuid
    done
    for nr in 1:200 8:50 16:25; do
        compare "CR4, asynchronous, ${nr%:*} vCPUs" "${nr%:*}" cr4 \
            "${nr#*:}" cr4:async
    done
done
look

step "the tables: medians of $round rounds"
table
echo "| of 16 vCPUs, in $looks looks | wait for a verdict | queued |"
echo "|---|--:|--:|"
cat "$run/queues"
pass "every count is exact, and of Xen's ring no vCPU has waited for room"
