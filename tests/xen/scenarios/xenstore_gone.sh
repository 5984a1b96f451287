# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Whom a domain's name means, and who waits for what: names of any letters, one
# that a domain of before has left, one of a domain that another bridge serves,
# and of one that is being restored; a pause that somebody takes away. At last
# xenstored is stopped, and then killed: by id all goes on, by name there is a
# line, and SIGTERM ends whatever waits.
# lab: limit 400
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# agent_sees NAME ENDPOINT: it watches what ENDPOINT means, and sees events.
agent_sees() {
    process_start "$1" vmring-agent -q -n 5 -e cpuid -- "$2"
    process_wait "$1" 30 0
}

# says NAME PATTERN (for wait_for)
says() {
    grep -qE "$2" "$run/$1.err"
}

# ended_within NAME MS FROM
ended_within() {
    echo "it took $((ended_at - $3)) ms"
    [ $((ended_at - $3)) -lt "$2" ] || fail "$1 took too long to end"
}

step "a guest that always has something to tell"
domid=$(guest_create micro "vcpus=2 cpuid=10 cr4=10 loop=1 pace=20000" 2) ||
    fail "$domid"
guest_unpause micro

step "names that look like something else"
for name in a:b/c -web sim:count=1; do
    xl rename "$domid" "$name" || fail "xl rename"
    agent_sees named "domain:$name"
done
process_line named 2 "for a domain of that name domain:NAME" \
    vmring-agent -e cpuid -- -web
xl rename "$domid" web:1 || fail "xl rename"
process_line named 2 "for a domain of that name domain:web:1" \
    vmring-agent -e cpuid web:1
xl rename "$domid" micro || fail "xl rename"

step "a domain of before has left its name"
xenstore-write /local/domain/77/name micro /local/domain/3999/name micro
agent_sees stale micro
bridge_start bridge micro
process_signal bridge TERM
process_wait bridge 10 0
xenstore-rm /local/domain/77
xenstore-rm /local/domain/3999

step "a bridge serves it by id: its name means that bridge"
bridge_start bridge "$domid"
agent_sees by_name micro
bridge_pid=$(cat "$run/bridge.pid")
process_line second 9 "has a bridge already, process $bridge_pid; \
its agents attach to local:/run/vmring/dom$domid.sock" vmring-bridge micro
process_ended bridge && fail "the bridge has ended"
process_signal bridge TERM
process_wait bridge 10 0

step "by a socket of its own: id and name mean that bridge"
bridge_start bridge "$domid" --listen local:/run/vmring/web1.sock
agent_sees by_name micro
agent_sees by_id "$domid"
process_ended bridge && fail "the bridge has ended"
process_signal bridge TERM
process_wait bridge 10 0

step "a pause that somebody takes away"
bridge_start bridge "$domid" --deadline 300 --on-deadline pause
agent_start agent "$domid" -q -e cpuid
process_signal agent STOP
wait_for 20 "the pause" guest_paused micro
xl unpause micro || fail "xl unpause"
wait_for 20 "a line" says bridge "somebody has unpaused domain $domid"
process_signal agent CONT
sleep 2
process_signal agent INT
process_wait agent 20 0
process_signal bridge TERM
process_wait bridge 20 0
grep "cannot unpause" "$run/bridge.err" && fail "that is not so"
guest_paused micro && fail "it is paused still"

step "being restored"
is_asked() {
    [ "$(xenstore-read "/local/domain/$domid/control/shutdown")" = suspend ]
}
suspend_when_asked() {
    until is_asked; do
        sleep 0.25
    done
    xenstore-write "/local/domain/$domid/control/shutdown" ""
    vmring-lab-domain shutdown "$domid" 2
}
suspend_when_asked &
xl save micro /tmp/saved || fail "xl save"
mkfifo /tmp/slow
{
    head -c 100000 /tmp/saved
    while [ ! -e /tmp/go ]; do
        sleep 0.1
    done
    tail -c +100001 /tmp/saved
} >/tmp/slow &
xl restore /tmp/slow >"$run/restore" 2>&1 &
has_domain() {
    domid=$(xl domid micro 2>/dev/null)
}
wait_for 30 "the domain that is being restored" has_domain
# The right status is one after which a supervisor starts it again.
start=$(now_ms)
process_start bridge vmring-bridge --wait 2 micro
process_wait bridge 20 4 "is still being built after 2 s; start me again"
ended_within bridge 15000 "$start"
grep -q "is being built: waiting for that, 2 s at most" "$run/bridge.err" ||
    fail "it does not say that it waits"
process_start bridge vmring-bridge micro
wait_for 20 "it to wait" says bridge "is being built: waiting for that, 60 s"
start=$(now_ms)
process_signal bridge TERM
process_wait bridge 10 0
ended_within bridge 5000 "$start"
process_start agent vmring-agent -n 5 -e cpuid micro
wait_for 20 "it to wait" says agent "is being built: waiting for that"
touch /tmp/go
process_wait agent 60 0
rm /tmp/saved /tmp/slow

# by_id STATE: bridge, agent and --recover need no xenstore.
by_id() {
    step "xenstored is $1: by id"
    bridge_start bridge "$domid"
    grep -q "goes without its name" "$run/bridge.err" || fail "it does not say"
    agent_sees agent "$domid"
    start=$(now_ms)
    process_signal bridge TERM
    process_wait bridge 10 0
    ended_within bridge 5000 "$start"
    agent_sees agent "$domid" # by a bridge of its own
    process_start recover vmring-bridge --recover "$domid"
    process_wait recover 20 0 "there is nothing to recover"
    start=$(now_ms)
    process_start bridge vmring-bridge "$domid"
    sleep 0.5
    process_signal bridge TERM
    # By the signal itself, if it has not come to anything yet.
    wait_for 12 "the end of the bridge" process_ended bridge
    read -r status _ <"$run/bridge.status"
    [ "$status" = 0 ] || [ "$status" = 143 ] || fail "bridge's status: $status"
    ended_within bridge 12000 "$start"

    step "xenstored is $1: by name"
    start=$(now_ms)
    # Each waits for itself, so all at a time.
    process_start bridge vmring-bridge micro
    process_start agent vmring-agent -e cpuid micro
    process_start recover vmring-bridge --recover micro
    process_start to vmring-bridge -q --to watcher sim:count=1
    process_start signalled vmring-bridge micro
    sleep 0.5
    process_signal signalled TERM
    for waits in bridge agent recover; do
        process_wait_line $waits 4 \
            "xenstored does not answer within 5 s.*'micro'"
        ended_within $waits 15000 "$start"
    done
    process_wait_line to 4 "xenstore does not answer.*'watcher' of --to"
    ended_within to 15000 "$start"
    wait_for 10 "the end of the bridge" process_ended signalled
    read -r _ ended_at <"$run/signalled.status"
    ended_within signalled 15000 "$start"
}
kill -STOP "$(cat /run/xenstored.pid)"
by_id stopped
kill -KILL "$(cat /run/xenstored.pid)"
by_id killed
pass "ids need nobody, and nobody is waited for without end"
