# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What `./demo` shows: a Linux guest, an agent attached before its first
# instruction, its events as they come, and the ledger.
#
#   demo.sh [SECONDS [LINES [plain|bare|colour [COLUMNS]]]]
#
# bare: a terminal without colours; plain: none at all.
#
# lab: needs linux-guest
# lab: limit 240
. /lab/lib.sh

seconds=${1:-12}
lines=${2:-60}
# dom0's console is a terminal, whatever this goes to in the end.
case ${3:-colour} in
plain) export TERM=dumb ;;
bare) export TERM=linux NO_COLOR=1 ;;
*) export TERM=linux ;;
esac
export COLUMNS="${4:-80}"

step "a Linux guest, created paused"
domid=$(guest_linux linux 1) || fail "no guest: $domid"
xl list

step "vmring-agent attaches to domain $domid, then the guest is unpaused"
{ sleep 2 && xl unpause linux; } &

echo "\$ vmring-agent -e 'cpuid cr0 cr4 msr:0xc0000081-0xc0000084'" \
    "-n $lines linux"
vmring-agent -e 'cpuid cr0 cr4 msr:0xc0000081-0xc0000084' -n "$lines" \
    --deadline 1000 linux || fail "the agent ended with status $?"

step "the guest boots on without it, and then works, a turn each second"
wait_for 90 "Linux in the guest" guest_says linux "guest: turn 1"
guest_console linux | tr -d '\r' | grep '^guest: '
echo "\$ vmring-agent -q -t $seconds -e 'cr3:async' --record-size 64 linux"
vmring-agent -q -t "$seconds" -e 'cr3:async' --record-size 64 linux ||
    fail "the agent ended with status $?"
xl list
xl destroy linux
pass "the guest was watched, and nothing was left attached"
