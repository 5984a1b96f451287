# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# For scenarios that watch a guest by vmring: bridges and agents as processes
# with a name, what they reported, and what the micro-guest counted itself.
# lib.sh comes first.
# shellcheck disable=SC2154 # $run is lib.sh's

# Xen's scheduler shares by vCPU: dom0 has two, and what it does must not take
# nine times as long because a guest keeps sixteen busy.
xl sched-credit2 -d 0 -w 4096 || fail "xl sched-credit2"

# --- processes ------------------------------------------------------------

# process_start NAME COMMAND...: in the background. Its outputs are
# $run/NAME.out and .err, its process id NAME.pid, and once it has ended
# NAME.status has its exit status and the moment of its end (now_ms).
process_start() {
    process_name=$1
    shift
    rm -f "$run/$process_name".*
    (
        "$@" >"$run/$process_name.out" 2>"$run/$process_name.err" &
        echo $! >"$run/$process_name.pid"
        wait $!
        echo "$? $(now_ms)" >"$run/$process_name.ended"
        mv "$run/$process_name.ended" "$run/$process_name.status"
    ) &
    while [ ! -s "$run/$process_name.pid" ]; do
        sleep 0.05
    done
}

process_ended() {
    [ -s "$run/$1.status" ]
}

# process_signal NAME SIGNAL
process_signal() {
    kill "-$2" "$(cat "$run/$1.pid")" || fail "$1 is gone already"
}

# process_wait NAME SECONDS STATUS [PATTERN]: until it has ended, which must
# be with STATUS. The end of what it said is shown, and some line of it must
# match the regular expression PATTERN. Sets $ended_at.
process_wait() {
    wait_for "$2" "the end of $1" process_ended "$1"
    # shellcheck disable=SC2034 # ended_at is for the scenario
    read -r process_status ended_at <"$run/$1.status"
    tail -n 12 "$run/$1.err" | sed "s/^/  $1: /"
    assert_eq "$1's exit status" "$3" "$process_status"
    [ -z "${4:-}" ] || grep -qE "$4" "$run/$1.err" ||
        fail "$1 does not say '$4'"
}

# process_line NAME STATUS PATTERN COMMAND...: COMMAND ends soon, with STATUS,
# and says why in one line that matches PATTERN.
process_line() {
    line_name=$1
    line_status=$2
    line_pattern=$3
    shift 3
    process_start "$line_name" "$@"
    process_wait_line "$line_name" "$line_status" "$line_pattern"
}

# process_wait_line NAME STATUS PATTERN: the same for one that was started.
process_wait_line() {
    process_wait "$1" 20 "$2" "$3"
    # A host that has no CPU for the emulator is told of, and not at fault here.
    assert_eq "lines it took" 1 \
        "$(grep -vc 'a turn of the loop took' "$run/$1.err")"
}

# What those that still run have said, when a scenario fails.
show_the_living() {
    [ $? != 0 ] || return 0
    for living in "$run"/*.pid; do
        [ -e "$living" ] || break
        living=${living##*/}
        living=${living%.pid}
        ! process_ended "$living" || continue
        echo "$living still runs, and said:"
        tail -n 5 "$run/$living.err"
    done
}
trap show_the_living EXIT

# --- bridge and agent -----------------------------------------------------

# bridge_start NAME DOMAIN [OPTION...]: returns once it serves.
bridge_start() {
    bridge_name=$1
    bridge_domain=$2
    shift 2
    rm -f "$run/ready"
    process_start "$bridge_name" sh -c 'exec "$@" 3>/run/lab/ready' sh \
        vmring-bridge --ready-fd 3 --stats "$run/$bridge_name.json" "$@" \
        "$bridge_domain"
    wait_for 20 "$bridge_name to serve" is_ready "$bridge_name"
    [ -s "$run/ready" ] || {
        cat "$run/$bridge_name.err"
        fail "$bridge_name does not serve"
    }
}

is_ready() {
    [ -s "$run/ready" ] || process_ended "$1"
}

# agent_start NAME ENDPOINT OPTION...: returns once its events are armed.
agent_start() {
    agent_name=$1
    agent_endpoint=$2
    shift 2
    process_start "$agent_name" vmring-agent -f json \
        -o "$run/$agent_name.json" "$@" "$agent_endpoint"
    wait_for 20 "$agent_name to attach" is_attached "$agent_name"
    grep -q '[{,] *"attached":' "$run/$agent_name.json" || {
        cat "$run/$agent_name.err"
        fail "$agent_name does not attach"
    }
}

is_attached() {
    [ -s "$run/$1.json" ] || process_ended "$1"
}

# The domain's socket.
socket_of() { # DOMID
    echo "local:/run/vmring/dom$1.sock"
}

# --- what they reported ---------------------------------------------------

# json_flat: each value of the JSON on standard input as a line PATH=VALUE,
# such as .ledger.rows[3].vcpu=1.
json_flat() {
    grep -oE '"([^"\\]|\\.)*"|[][{},:]|[^][{},: "]+' | awk '
        function path(   i, text) {
            for (i = 1; i <= depth; i++)
                text = text (is_array[i] ? "[" at[i] "]" : "." at[i])
            return text
        }
        function close_value() { wants_key = depth && !is_array[depth] }
        $0 == "{" { is_array[++depth] = 0; wants_key = 1; next }
        $0 == "[" { is_array[++depth] = 1; at[depth] = 0; wants_key = 0; next }
        $0 == "}" || $0 == "]" { depth--; next }
        $0 == "," {
            if (is_array[depth]) at[depth]++
            else wants_key = 1
            next
        }
        $0 == ":" { wants_key = 0; next }
        {
            gsub(/^"|"$/, "")
            if (wants_key) at[depth] = $0
            else print path() "=" $0
        }'
}

# value NAME PATH: of the report that bridge or agent NAME has ended with.
value() {
    [ -s "$run/$1.flat" ] || {
        # An agent's events come before its ledger.
        if grep -q '[{,] *"ledger":' "$run/$1.json"; then
            grep '[{,] *"ledger":' "$run/$1.json"
        else
            cat "$run/$1.json"
        fi | json_flat >"$run/$1.flat"
    }
    awk -v path="$2" 'index($0, path "=") == 1 {
        print substr($0, length(path) + 2)
    }' "$run/$1.flat"
}

# assert_value NAME PATH EXPECTED
assert_value() {
    assert_eq "$1$2" "$3" "$(value "$1" "$2")"
}

# assert_verdicts NAME: of bridge NAME: each synchronous request got exactly
# one verdict. Sets $requests and the four that verdicts come from.
assert_verdicts() {
    requests=$(value "$1" .requests)
    by_consumer=$(value "$1" .verdicts.consumer)
    by_deadline=$(value "$1" .verdicts.deadline)
    by_detach=$(value "$1" .verdicts.detach)
    by_overflow=$(value "$1" .verdicts.overflow)
    echo "verdicts by: consumer $by_consumer, deadline $by_deadline," \
        "detach $by_detach, overflow $by_overflow"
    assert_eq "verdicts of $1" "$requests" \
        $((by_consumer + by_deadline + by_detach + by_overflow))
}

# show_legacy_ring NAME: what bridge NAME says of it.
show_legacy_ring() {
    awk -v ns="$(value "$1" .legacy_ring.full_ns)" \
        -v of="$(value "$1" .legacy_ring.enabled_ns)" 'BEGIN {
        printf "legacy ring: eight unanswered for %.2f s of %.2f s\n",
            ns / 1e9, of / 1e9
    }'
}

# --- the micro-guest's own count ------------------------------------------

# guest_total NAME KEY: of its report at the end.
guest_total() {
    guest_report "$1" | sed -n "s/^vmring-guest: total.* $2=\([0-9]*\).*/\1/p"
}

# guest_timing NAME EVENTS: of a guest with timed=1 that raised so many: events
# a second, and of what one took its vCPU the median and the 99th percentile, in
# us; three words. A guest that took no millisecond took one.
guest_timing() {
    guest_report "$1" | awk -v n="$2" -v ms="$(guest_total "$1" ms)" '
        / latency / {
            for (i = 1; i <= NF; i++) {
                split($i, pair, "=")
                of[pair[1]] = pair[2]
            }
        } END {
            printf "%.0f %.1f %.1f\n", n * 1000 / (ms < 1 ? 1 : ms),
                of["p50_ns"] / 1000, of["p99_ns"] / 1000
        }'
}

# guest_beats NAME: how many signs of life it gave.
guest_beats() {
    guest_report "$1" | grep -c '^vmring-guest: beat'
}

# assert_guest_right NAME: it saw nothing that a monitor must not change.
assert_guest_right() {
    for right_key in cpuid_wrong greq_failed stray; do
        assert_eq "the guest's $right_key" 0 "$(guest_total "$1" $right_key)"
    done
}

# --- its domain -----------------------------------------------------------

# guest_state NAME: such as "-b----" or "--p---" of xl list.
guest_state() {
    xl list "$1" | awk 'NR == 2 { print $(NF - 1) }'
}

guest_paused() {
    case $(guest_state "$1") in
    ??p*) return 0 ;;
    esac
    return 1
}

# legacy_port_of DOMID: whether dom0 has an event channel to it besides those
# of xenstore and the console, as the legacy ring's consumer has.
legacy_port_of() {
    [ "$(lsevtchn 0 | grep -c "Remote Domain $1,")" -gt 2 ]
}

# guest_alive NAME BEATS: whether it gave that many signs of life.
guest_alive() {
    [ "$(guest_beats "$1")" -ge "$2" ]
}
