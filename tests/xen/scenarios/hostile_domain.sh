# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A hostile agent domain: it scribbles over C, rings and rewrites its nodes of
# xenstore without end, never answers, and keeps what it says it has let go of.
# Its bridge serves on and ends when it is told to, its target goes on by the
# deadline and is given no verdict, an agent of another target beside it has
# each event, and once the domain is destroyed nothing is left.
# lab: needs agent-domain
# lab: limit 600
# Emulated by two threads: with one, QEMU delivers an interrupt twice now and
# then (is_emulators_fault in lab.d/fault.sh), and doorbells are many.
# lab: thread multi
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-domains.sh
. /lab/lib-domains.sh

agent=hostile
armed=cpuid,cr4,cr3:async
# As many as gntalloc gives away.
most=1024

# begin TEXT...: a step, and when.
begin() {
    step "$@"
    echo "$(now_ms) ms"
}

# said REGEX: how many such lines the hostile agent has said.
said() {
    grep -cE "^bad: ($1)" /var/log/xen/console/guest-$agent.log
}

said_once_more() { # REGEX BEFORE
    sleep 1
    agent_domain_lives $agent
    [ "$(said "$1")" -gt "$2" ]
}

# bad_do REGEX COMMAND...: and waits for what it says to that.
bad_do() {
    bad_regex=$1
    shift
    bad_all="failed|refused|$bad_regex"
    bad_before=$(said "$bad_all")
    remote_tell $agent bad "$@"
    wait_for 240 "what came of '$*'" said_once_more "$bad_all" "$bad_before"
    remote_output $agent bad | tail -n 1 | grep -E "^$bad_regex" ||
        fail "the hostile agent cannot $*"
}

# The CPU time of a process, in ms.
cpu_ms() { # NAME
    awk '{ sub(/^.*\) /, ""); print ($12 + $13) * 10 }' \
        "/proc/$(cat "$run/$1.pid")/stat"
}

# Sets $of_victim and $of_neighbour: the events that their last signs of life
# told.
look_at_guests() {
    xl dmesg >"$run/now"
    of_victim=$(events_of "$victim")
    of_neighbour=$(events_of "$neighbour")
}

events_of() { # DOMID
    awk -v from="(d$1)" '$1 == from && /beat/ {
        sub(/.*events=/, "")
        events = $0 + 0
    }
    END { print events + 0 }' "$run/now"
}

# Not four times a second: that would be what dom0 is busy with.
events_are() { # OF_VICTIM OF_NEIGHBOUR
    sleep 2
    look_at_guests
    [ "$of_victim" -ge "$1" ] && [ "$of_neighbour" -ge "$2" ]
}

# attack NAME COMMAND...: both guests go on meanwhile, and the bridge lives.
attack() {
    attack_name=$1
    shift
    begin "$attack_name"
    cpu_before=$(cpu_ms "$bridge")
    from=$(now_ms)
    victim_before=$of_victim
    neighbour_before=$of_neighbour
    bad_do "did " "$@"
    ms=$(($(now_ms) - from))
    cpu=$(($(cpu_ms "$bridge") - cpu_before))
    echo "the bridge took $cpu ms of CPU in $ms ms, $((100 * cpu / ms)) %"
    # One more of each vCPU, and one that was on its way.
    wait_for 90 "both guests to go on" events_are $((victim_before + 4)) \
        $((neighbour_before + 2))
    echo "events: victim +$((of_victim - victim_before))," \
        "neighbour +$((of_neighbour - neighbour_before))"
    ! process_ended "$bridge" || fail "the bridge has ended"
}

# count N: the Nth of the counts that the hostile agent said last.
count() {
    remote_output $agent bad | grep '^did ' | tail -n 1 | awk -v n="$1" '{
        for (i = 1; i <= NF; i++) {
            sub(/^\(/, "", $i)
            if ($i ~ /^[0-9]+$/ && --n == 0) print $i
        }
    }'
}

assert_some() { # WHAT COUNT
    [ "$2" -gt 0 ] || fail "no $1"
    echo "ok: $1: $2"
}

nodes_of() { # /TARGET, or nothing: all
    xenstore-ls -f /local/domain/0 2>/dev/null |
        grep -c "^/local/domain/0/vmring$1"
}

assert_all_free() {
    vmring-lab-pages try 1 $most || fail "gntalloc has kept some"
    echo "ok: gntalloc has all $most pages left"
}

start_bridge() { # NAME
    bridge=$1
    bridge_start "$1" "$victim" --to $agent --deadline 300 \
        --allow-verdicts none
}

assert_all_free
xen_resources >"$run/begin"
begin "a domain for the hostile agent"
agent_domain_create $agent 128

begin "its target, and another with an agent of its own in dom0"
# Both raise events until dom0 changes what memory they may have.
work="loop=1 told=1 order=mixed beat=2"
victim=$(guest_create victim "vcpus=2 cpuid=1 cr4=1 cr3=1 pace=100000 $work" \
    2) || fail "$victim"
neighbour=$(guest_create neighbour "vcpus=1 cpuid=1 cr4=1 pace=100000 $work" \
    1) || fail "$neighbour"
bridge_start other "$neighbour" --deadline 60000
agent_start good "$neighbour" -q -e cpuid,cr4:async --async-bytes 64k
guest_unpause neighbour
start_bridge first
guest_unpause victim

begin "it attaches as it should"
remote_start $agent bad vmring-lab-hostile "$victim"
remote_wait_for $agent bad "^ready"
bad_do "attached" attach 65536 $armed
wait_for 90 "a sign of life of both guests" events_are 1 1

attack "it never answers" silent 5
attack "it scribbles over C" scribble 5
attack "it rings without end" ring 5
attack "it rewrites its nodes without end" nodes 5
assert_some "sessions ended for that" \
    "$(grep -c "broke the protocol" "$run/first.err")"

begin "all of it at once, and the bridge is to end"
bad_do "attached" attach 65536 $armed
remote_tell $agent bad all 10
sleep 5
cpu_ms first | sed 's/$/ ms of CPU so far/'
from=$(now_ms)
process_signal first TERM
process_wait first 60 0
echo "it took $((ended_at - from)) ms"
wc -c <"$run/first.err" | sed 's/$/ bytes of log/'
assert_verdicts first
assert_some "requests whose deadline has passed" "$by_deadline"
assert_some "answers that were refused" "$(value first .ignored_answers)"
assert_some "doorbells of the hostile agent" \
    "$(value first .doorbells_received)"
assert_some "epochs of it" "$(value first .consumers)"
value first .lane_faults | sed 's/^/lanes that were faulted: /'
wait_for 120 "it to be through" said_once_more "did " 4
remote_output $agent bad | grep "^did " | tail -n 1
assert_some "passes over C" "$(count 1)"
assert_some "answers with verdicts it has no right to" "$(count 2)"
assert_some "rings" "$(count 3)"
assert_some "writes into xenstore" "$(count 4)"
assert_some "removals there" "$(count 6)"
assert_eq "writes where it may not" 0 "$(count 7)"

begin "it says it has let go of the pages, and keeps them"
start_bridge second
from=$(now_ms)
bad_do "lied [0-9]+ times" liar 20 4194304
echo "$(($(now_ms) - from)) ms"
remote_output $agent bad | grep -c "^lied, " | sed 's/^/attached times: /'
remote_output $agent bad | grep -q "^lied [0-9]* times, refused 12" ||
    fail "the bridge lets it go on"
grep "keeps" "$run/second.err" | tail -n 1
bad_do "uprooted: " uproot 0
! process_ended second || fail "the bridge has ended"
xen_resources | grep -E "of d?(omain )?0:"

begin "the hostile domain is destroyed"
xl destroy $agent
wait_for 60 "the end of $agent" guest_gone $agent
process_wait second 60 0 "the agent's domain is gone"
assert_verdicts second
assert_eq "nodes of its target" 0 "$(nodes_of "/$victim")"

begin "both targets come to their end"
xl mem-max victim 24 || fail "xl mem-max"
xl mem-max neighbour 24 || fail "xl mem-max"
process_wait good 90 3
process_wait other 30 3
wait_for 60 "the end of the victim" guest_gone victim
assert_guest_right victim
assert_eq "its CR4 writes refused" 0 "$(guest_total victim cr4_refused)"
assert_eq "its CR3 writes refused" 0 "$(guest_total victim cr3_refused)"
assert_guest_right neighbour
cpuids=$(guest_total neighbour cpuid)
cr4s=$(guest_total neighbour cr4)
assert_some "CPUIDs of the neighbour" "$cpuids"
assert_value good .ledger.adds_up true
assert_value good .ledger.totals.delivered $((cpuids + cr4s))
assert_value good .ledger.totals.answered "$cpuids"
assert_value good .ledger.totals.defaulted 0
assert_value good .ledger.totals.lost 0
assert_value other .verdicts.consumer "$cpuids"
assert_value other .records "$cr4s"

begin "what is left"
wait_for 20 "the end of the neighbour" guest_gone neighbour
assert_eq "nodes of vmring in xenstore" 0 "$(nodes_of "")"
assert_all_free
assert_resources "$run/begin" 1024
pass "a hostile domain harms nobody but itself"
