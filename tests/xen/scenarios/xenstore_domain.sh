# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# An agent's domain, and xenstored stopped while it watches: nobody is held past
# the deadline, and the bridge can be ended, and leaves nothing. Then it is
# killed and the agent's domain reset, as by kexec: the bridge learns of it from
# Xen alone.
# lab: needs agent-domain
# lab: limit 500
# lab: thread multi
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-domains.sh
. /lab/lib-domains.sh

# xl waits for xenstored, too.
beats() {
    vmring-lab-domain says "$domid" | grep -c 'vmring-guest: beat'
}

# shellcheck disable=SC2317 # wait_for calls it
goes_on() { # BEATS
    [ "$(beats)" -ge "$1" ]
}

# attach TAG OPTION...: a bridge for the agent domain, and an agent there. While
# xenstored is stopped an agent cannot say that it has seen the bridge's end, so
# that the bridge waits for as long as it waits for any: 2 s, here.
attach() {
    attach_tag=$1
    shift
    bridge_start "bridge-$attach_tag" "$domid" --to agents --deadline 500 \
        --linger 1 --farewell 2 "$@"
    remote_start agents "$attach_tag" vmring-agent -q -f json -e cpuid \
        "grant:0/$domid"
    remote_wait_for agents "$attach_tag" '"attached"'
}

step "an agent domain, and a guest that never ends"
agent_domain_create agents
domid=$(guest_create micro "vcpus=2 cpuid=10 loop=1 pace=20000 beat=1" 2) ||
    fail "$domid"
attach first
guest_unpause micro
wait_for 60 "a sign of life" goes_on 1

step "xenstored is stopped right after a request"
# Another agent asks; the bridge has it to answer.
remote_start agents second vmring-agent -q -e cpuid "grant:0/$domid"
kill -STOP "$(cat /run/xenstored.pid)"
before=$(beats)
wait_for 60 "five more signs of life" goes_on $((before + 5))
sleep 7 # so that it counts as lost, if there was a request
! process_ended bridge-first || fail "the bridge has ended"
wait_for 60 "and five more" goes_on $((before + 10))

step "the bridge is ended"
start=$(now_ms)
process_signal bridge-first TERM
process_wait bridge-first 20 0
echo "it took $((ended_at - start)) ms"
[ $((ended_at - start)) -lt 10000 ] || fail "that is too long"
assert_verdicts bridge-first
# One or the other is late on a busy host; not as many as were the agent gone.
[ "$by_consumer" -gt $((10 * by_deadline)) ] || fail "the agent was not heard"
before=$(beats)
wait_for 60 "three signs of life without it" goes_on $((before + 3))
kill -CONT "$(cat /run/xenstored.pid)"
sleep 2
remote_wait agents first 60 11

step "xenstored is killed, and the agent's domain reset"
attach third
kill -KILL "$(cat /run/xenstored.pid)"
wait_for 20 "the line" grep -q "xenstore is lost" "$run/bridge-third.err"
before=$(beats)
wait_for 60 "two more signs of life" goes_on $((before + 2))
start=$(now_ms)
# As when kexec in it shuts down with SHUTDOWN_soft_reset (5): Xen resets only
# what has shut down, and is paused.
vmring-lab-domain pause "$agent_domid"
vmring-lab-domain shutdown "$agent_domid" 5
vmring-lab-domain reset "$agent_domid" || fail "it cannot be reset"
process_wait bridge-third 30 0 "gone without a word"
echo "it took $((ended_at - start)) ms"
before=$(beats)
wait_for 60 "three signs of life without it" goes_on $((before + 3))
vmring-lab-domain destroy "$agent_domid"
pass "nobody waits for xenstored"
