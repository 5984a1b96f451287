# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# For scenarios with an agent domain: an unprivileged Linux guest with the
# programs under test, in which dom0 starts commands by a TAG each. A scenario
# that uses it says "# lab: needs agent-domain". lib.sh comes first.
# shellcheck disable=SC2154 # $run is lib.sh's

# agent_domain_create NAME [MEMORY_MIB] [VCPUS]: creates and boots it; sets
# $agent_domid. $guest_options may hold more lines of xl.cfg(5). A NAME is used
# once: the console's log is named after it.
agent_domain_create() {
    # In a shell of its own: where it fails, it ends, and has said why.
    (create_paused "$1" /lab/vmlinux "console=hvc0 quiet panic=1 audit=0 \
earlyprintk=xen,keep mitigations=off rodata=off" "${3:-1}" "${2:-192}" \
        /lab/agent.cpio) \
        >"$run/$1.made" || {
        cat "$run/$1.made"
        fail "no agent domain $1"
    }
    # shellcheck disable=SC2034 # for the scenario
    agent_domid=$(cat "$run/$1.domid")
    echo 0 >"$run/$1.requests"
    # It gets no less of the emulated CPUs than dom0 with its looking.
    xl sched-credit2 -d "$1" -w 4096 || fail "xl sched-credit2"
    guest_unpause "$1"
    wait_for 240 "the agent domain $1" agent_domain_up "$1"
}

# Not four times a second: it boots on the CPU that dom0 would look with.
agent_domain_up() {
    sleep 2
    guest_says "$1" "agent-domain: up"
}

remote_request() { # NAME REQUEST...
    request_of=$1
    shift
    request_number=$(($(cat "$run/$request_of.requests") + 1))
    echo $request_number >"$run/$request_of.requests"
    xenstore-write "/local/domain/$(cat "$run/$request_of.domid")/data/run/\
$request_number" "$*" || fail "cannot ask the agent domain to $*"
}

# remote_start NAME TAG COMMAND...: in the background; a simple command, whose
# words have no spaces.
remote_start() {
    remote_name=$1
    shift
    remote_request "$remote_name" start "$@"
}

# remote_tell NAME TAG TEXT...: a line to its standard input.
remote_tell() {
    remote_name=$1
    shift
    remote_request "$remote_name" tell "$@"
}

# remote_signal NAME TAG SIGNAL
remote_signal() {
    remote_request "$1" signal "$2" "$3"
}

# remote_output NAME TAG: what it has said so far.
remote_output() {
    guest_console "$1" 2>/dev/null | tr -d '\r' | sed -n "s/^$2: //p"
}

# remote_said NAME TAG REGEX: whether it has said such a line.
remote_said() {
    awk -v tag="$2: " -v regex="$3" '
        { sub(/\r$/, "") }
        index($0, tag) == 1 && substr($0, length(tag) + 1) ~ regex {
            found = 1
        }
        END { exit !found }' "/var/log/xen/console/guest-$1.log"
}

# Fails if the domain has gone down by itself: nothing comes from it any more.
agent_domain_lives() { # NAME
    ! grep -qs "has shut down" "/var/log/xen/xl-$1.log" ||
        fail "the agent domain $1 has gone down"
    ! grep -q "Kernel panic" "/var/log/xen/console/guest-$1.log" ||
        fail "the agent domain $1 has panicked"
}

# remote_wait_for NAME TAG REGEX: until it has. Looking takes CPU from it.
remote_wait_for() {
    wait_for 240 "'$3' of $2 in $1" remote_said_slowly "$@"
}

remote_said_slowly() {
    sleep 0.5
    agent_domain_lives "$1"
    remote_said "$@"
}

remote_ended() { # NAME TAG
    sleep 0.5
    agent_domain_lives "$1"
    grep -q "^$2 ended with " "/var/log/xen/console/guest-$1.log"
}

# remote_wait NAME TAG SECONDS STATUS: until it has ended, with STATUS.
remote_wait() {
    wait_for "$3" "the end of $2 in $1" remote_ended "$1" "$2"
    assert_eq "$2's exit status in $1" "$4" "$(guest_console "$1" |
        tr -d '\r' | sed -n "s/^$2 ended with //p")"
}
