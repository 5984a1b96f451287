# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Pages and doorbells between dom0 and an unprivileged agent domain: 64 MiB seen
# both ways, P writable refused by Xen, doorbells counted, and whoever of the
# two dies or is destroyed, the other learns of it and nothing is left.
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

groups=8
rings=10
limit=/sys/module/xen_gntalloc/parameters/limit

# share NAME P_PAGES C_PAGES: in dom0, for the agent domain. Sets $offer.
share() {
    rm -f "$run/$1-in"
    mkfifo "$run/$1-in"
    process_start "$1" sh -c "exec vmring-lab-pages share $agent_domid $2 $3 \
$groups <>$run/$1-in"
    share_expect "$1" "^offer "
    offer=$(sed -n 's/^offer //p' "$run/$1.out")
}

share_said() { # NAME REGEX
    grep -qE "$2" "$run/$1.out"
}

share_expect() { # NAME REGEX
    wait_for 240 "'$2' of $1" share_said "$1" "$2"
}

# share_do NAME REGEX COMMAND...: and waits for what it says to that.
share_do() {
    share_name=$1
    share_regex=$2
    shift 2
    echo "$*" >"$run/$share_name-in"
    share_expect "$share_name" "$share_regex"
}

# map TAG P_PAGES C_PAGES: in the agent domain, what $offer has.
map() {
    # shellcheck disable=SC2086 # words
    set -- "$1" "$2" "$3" $offer
    map_tag=$1
    map_p=$2
    map_c=$3
    map_gref=$4
    shift 4
    remote_start "$agent" "$map_tag" vmring-lab-pages map 0 "$map_gref" \
        "$map_p" "$map_c" "$@"
    map_expect "$map_tag" "^mapped $map_p $map_c"
}

map_expect() { # TAG REGEX
    remote_wait_for "$agent" "$1" "$2"
}

# map_do TAG REGEX COMMAND...
map_do() {
    map_name=$1
    map_regex=$2
    shift 2
    remote_tell "$agent" "$map_name" "$@"
    map_expect "$map_name" "$map_regex"
}

# gntalloc's pages are all free: they can all be shared once more, for a domain
# that need not be there.
assert_all_free() {
    vmring-lab-pages try 1 $most || fail "gntalloc has kept some"
    echo "ok: gntalloc has all $most pages left"
}

# assert_heard SAID COUNT: each doorbell.
assert_heard() {
    heard_expected=
    for heard_group in $(seq $groups); do
        heard_expected="$heard_expected${heard_group:+ }$2"
    done
    assert_eq "rings heard" "heard$heard_expected" \
        "$(echo "$1" | grep '^heard' | tail -n 1 | cut -d, -f1)"
}

step "limits that are met are named"
process_line few 1 "gntalloc's limit is 1024; write more to $limit" \
    vmring-lab-pages share 1 16384 4 1
# Less than the grant table holds: Linux 6.1 counts one page too few after each
# time that it was full, and refuses everything once it counts -1.
most=17000
echo $most >$limit
assert_all_free
xen_resources >"$run/begin"

step "an agent domain"
agent=agent1
agent_domain_create $agent

step "64 MiB, seen both ways"
share big 16384 64
map big 16384 64
share_do big "^filled 1$" fill 1
map_do big "^check 1: 0 differ" check 1
map_do big "^filled 2$" fill 2
share_do big "^check 2: 0 differ" check 2

step "given back in order"
map_do big "^left" leave
share_expect big "^peer gone"
share_do big "^parked" leave
share_do big "^parked 0 of 0" collect
remote_signal $agent big KILL
remote_wait $agent big 60 137
process_signal big TERM
process_wait big 60 143
assert_all_free
# Xen keeps what it made to keep track of them.
xen_resources >"$run/before"
! grep "^grants of d0: [1-9]" "$run/before" || fail "something is mapped still"

# The rest is with few pages: what Xen prints of each takes its time.
share killed 200 16
map killed 200 16

step "P writable is refused"
map_do killed "^writing P all the same: " write-p
remote_output $agent killed | grep -E "^(mapping|writing) P"
remote_said $agent killed "^mapping P writable: Invalid argument" ||
    fail "Xen has let it be mapped"
! remote_said $agent killed "^writing P all the same: done" ||
    fail "it was written"
share_do killed "^filled 4$" fill 4
map_do killed "^check 4: 0 differ" check 4

step "doorbells, counted both ways"
map_do killed "^echoing" echo
for group in $(seq 0 $((groups - 1))); do
    share_do killed "^served $group$" serve "$group" $rings
done
share_do killed "^heard" counts
assert_heard "$(cat "$run/killed.out")" $rings
map_do killed "^heard" counts
assert_heard "$(remote_output $agent killed)" $rings

step "the consumer is killed"
remote_signal $agent killed KILL
share_expect killed "^peer gone"
share_do killed "^parked" leave
share_do killed "^parked 0 of 0" collect
remote_wait $agent killed 60 137
process_signal killed TERM
process_wait killed 60 143
assert_resources "$run/before"
assert_all_free

step "parked while the consumer holds them, then it is killed"
share parked 200 16
map parked 200 16
share_do parked "^parked" leave
map_expect parked "^peer gone"
# P, C, the directory, the life page.
share_do parked "^parked 218 of 218" collect
map_do parked "^check 0: " check 0
remote_signal $agent parked KILL
remote_wait $agent parked 60 137
share_do parked "^parked 0 of 0" collect
process_signal parked TERM
process_wait parked 60 143
assert_resources "$run/before"
assert_all_free

step "the producer is killed"
share widow 60 4
map widow 60 4
share_do widow "^filled 3$" fill 3
process_signal widow KILL
process_wait widow 60 137
map_expect widow "^peer gone"
map_do widow "^check 3: 0 differ" check 3
map_do widow "^left" leave
remote_signal $agent widow KILL
remote_wait $agent widow 60 137
assert_resources "$run/before"
assert_all_free

step "a consumer that rings without end"
share flood 16 4
map flood 16 4
from=$(now_ms)
map_do flood "^flooded" flood 2
remote_output $agent flood | grep "^flooded"
share_do flood "^heard" counts
grep "^heard" "$run/flood.out"
heard=$(sed -n 's/^heard \([0-9]*\).*/\1/p' "$run/flood.out")
# A burst, and 20000 a second at most.
seconds=$((($(now_ms) - from) / 1000 + 1))
[ "$heard" -le $((1025 + seconds * 20000)) ] || fail "heard $heard rings"
map_do flood "^echoing" echo
share_do flood "^served 1$" serve 1 10
share_do flood "^served 0$" serve 0 10

step "the agent domain is destroyed"
xl destroy $agent
wait_for 60 "the end of $agent" guest_gone $agent
share_do flood "^parked 22$" leave
share_do flood "^parked 22 of 22" collect
share_do flood "^parked 0 of 0" gone
process_signal flood TERM
process_wait flood 60 143
xenstore-ls -f /local/domain | grep "/local/domain/$agent_domid" &&
    fail "something is left in xenstore"

assert_all_free
assert_resources "$run/begin" 1024
pass "both sides learn of the other's end, and nothing is left"
