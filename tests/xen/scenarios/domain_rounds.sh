# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Twenty rounds with three domains, at random instants: the agent is killed,
# stopped, killed while it attaches, or destroyed with its domain; the bridge
# ends and is started again by a supervisor; the target is paused. The target
# ends its work each time, each ledger adds up, and nothing is left.
# Arguments: the seed of the sequence (it is printed), the rounds that the bridge
# lives through, and those in which it ends; otherwise those below.
# lab: needs agent-domain
# lab: limit 900
# Emulated by two threads: with one, QEMU delivers an interrupt twice now and
# then (is_emulators_fault in lab.d/fault.sh), and doorbells are many.
# lab: thread multi
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-domains.sh
. /lab/lib-domains.sh

seed=${1:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
vcpus=4
most=1024 # pages that gntalloc gives away
# With these the bridge, and what is armed, live on: all is counted.
through=${2:-kill kill kill young stop stop stop-kill stop-kill pause pause \
pause pause}
through=$(echo "$through" | tr , ' ')
# With these it ends, and until the next agent has come nobody counts.
anew=${3:-restart restart restart restart destroy destroy kill pause}
anew=$(echo "$anew" | tr , ' ')
# shellcheck disable=SC2086 # words
nr_rounds=$(set -- $through $anew && echo $#)

# --- the sequence ---------------------------------------------------------

# shuffle SALT WORD...: a line for each, with two numbers below 30.
shuffle() {
    shuffle_salt=$1
    shift
    echo "$*" | awk -v seed="$seed" -v salt="$shuffle_salt" '{
        srand(seed * 2 + salt)
        for (i = NF; i > 0; i--) {
            j = int(rand() * i) + 1
            print $j, int(rand() * 30), int(rand() * 30)
            $j = $i
        }
    }'
}

# tenths N: sleeps as long.
tenths() {
    sleep "$(($1 / 10)).$(($1 % 10))"
}

# --- the bridge and its supervisor ----------------------------------------

# For domain $1 and the domain that $run/to names, until it ends otherwise than
# it was told to, or because the agents' domain is no more.
supervise() {
    while :; do
        bridge_nr=$(($(cat "$run/bridges") + 1))
        vmring-bridge -v --deadline 1000 --linger 600 --stats \
            "$run/bridge$bridge_nr.json" --to "$(cat "$run/to")" "$1" \
            2>"$run/bridge$bridge_nr.err" &
        echo $! >"$run/bridge$bridge_nr.process"
        echo $bridge_nr >"$run/bridges"
        wait $!
        bridge_status=$?
        echo "$bridge_nr $bridge_status" >>"$run/ended"
        [ $bridge_status = 0 ] || break
    done
}

bridge_serves() { # NR
    sleep 0.5
    grep -qs "serving .* to the agents of" "$run/bridge$1.err"
}

bridge_has_ended() { # NR
    sleep 0.5
    grep -qs "^$1 " "$run/ended"
}

# The number of the bridge that serves now.
this_bridge() {
    cat "$run/bridges"
}

# The next bridge after number $1.
await_bridge() {
    wait_for 60 "the supervisor's next bridge" bridge_serves $(($1 + 1))
}

start_supervisor() { # DOMID
    before=$(this_bridge)
    supervise "$1" &
    await_bridge "$before"
}

# --- agents ---------------------------------------------------------------

# One more, in domain $agents: its tag is "$agent" then.
ask_agent() {
    nr_agents=$((nr_agents + 1))
    agent=agent$nr_agents
    echo "$agents" >"$run/$agent.of"
    remote_start "$agents" "$agent" vmring-agent -q -f json -e cpuid,cr4:async \
        --async-bytes 64k "grant:0/$target"
}

agent_spoke() {
    sleep 1
    agent_domain_lives "$agents"
    remote_said "$agents" "$agent" '"attached"|^vmring-agent: '
}

# As whoever supervises agents would: one whose predecessor is still there for
# the bridge is started again.
start_agent() {
    start_tries=0
    while
        ask_agent
        wait_for 150 "$agent to attach" agent_spoke
        ! remote_said "$agents" "$agent" '"attached"'
    do
        remote_output "$agents" "$agent"
        start_tries=$((start_tries + 1))
        if [ $start_tries = 3 ] || ! remote_said "$agents" "$agent" \
            "another agent is attached"; then
            fail "$agent does not attach"
        fi
    done
}

# One that has perhaps not begun: until it has been there, and has gone.
kill_young() {
    remote_signal "$agents" "$agent" KILL
    wait_for 60 "the end of $agent" young_is_dead
}

young_is_dead() {
    sleep 1
    ! remote_ended "$agents" "$agent" || return 0
    remote_signal "$agents" "$agent" KILL
    return 1
}

# Its ledger, if it has written one: what is not drained is pending.
check_agent() { # DOMAIN TAG
    remote_output "$1" "$2" | grep '[{,] *"ledger":' >"$run/$2.json" || return 0
    ledgers=$((ledgers + 1))
    case $(value "$2" .ledger.adds_up) in
    true) whole=$((whole + 1)) ;;
    null) ;;
    *) fail "the ledger of $2: $(value "$2" .ledger.why)" ;;
    esac
    awk -F= '
        { path = $1; sub(/\.[a-z]*$/, "", path) }
        path !~ /\.lanes\[/ { next }
        $1 ~ /\.attempted$/ { left[path] += $2 }
        $1 ~ /\.(delivered|lost|pending)$/ { left[path] -= $2 }
        END {
            for (path in left)
                if (left[path]) { print path ": " left[path]; wrong = 1 }
            exit wrong
        }' "$run/$2.flat" || fail "the lanes of $2"
}

check_agents() {
    ledgers=0
    whole=0
    for check_name in "$run"/*.of; do
        check_tag=${check_name##*/}
        check_agent "$(cat "$check_name")" "${check_tag%.of}"
    done
    echo "ledgers of agents: $ledgers, $whole of them to the end," \
        "of $nr_agents agents"
}

# The domain for the next round of its kind, if there will be one.
boot_next() {
    to_destroy=$((to_destroy - 1))
    [ $to_destroy -lt 0 ] || boot "agents$((${agents#agents} + 1))"
}

# --- one round ------------------------------------------------------------

one_round() { # KIND TENTHS TENTHS
    tenths "$2"
    case $1 in
    kill)
        remote_signal "$agents" "$agent" KILL
        start_agent
        ;;
    young)
        remote_signal "$agents" "$agent" KILL
        ask_agent
        tenths "$3"
        kill_young
        start_agent
        ;;
    stop)
        remote_signal "$agents" "$agent" STOP
        tenths $((10 + $3))
        remote_signal "$agents" "$agent" CONT
        ;;
    stop-kill)
        remote_signal "$agents" "$agent" STOP
        tenths $((10 + $3))
        remote_signal "$agents" "$agent" KILL
        start_agent
        ;;
    pause)
        xl pause micro || fail "xl pause"
        tenths "$3"
        xl unpause micro || fail "xl unpause"
        ;;
    restart)
        before=$(this_bridge)
        kill -TERM "$(cat "$run/bridge$before.process")" ||
            fail "the bridge is gone already"
        await_bridge "$before"
        start_agent
        ;;
    destroy)
        before=$(this_bridge)
        gone=$agents
        agents=agents$((${agents#agents} + 1))
        echo "$agents" >"$run/to"
        xl destroy "$gone" || fail "xl destroy"
        await_bridge "$before"
        grep -q "the agent's domain is gone" "$run/bridge$before.err" ||
            fail "the bridge does not say that it was destroyed"
        wait_for 240 "the agent domain $agents" agent_domain_up "$agents"
        start_agent
        boot_next
        ;;
    esac
    rounds=$((rounds + 1))
    echo "$(now_ms) ms: round $rounds, $1 after $2, $3: $agent in $agents," \
        "bridge $(this_bridge)"
}

# do_rounds SALT KIND...
do_rounds() {
    shuffle "$@" >"$run/sequence"
    tr '\n' ';' <"$run/sequence"
    echo
    while read -r kind first second; do
        one_round "$kind" "$first" "$second" </dev/null
    done <"$run/sequence"
}

# --- domains --------------------------------------------------------------

# An agent domain that boots while other things are done.
boot() { # NAME
    create_paused "$1" /lab/vmlinux "console=hvc0 quiet panic=1 audit=0 \
earlyprintk=xen,keep mitigations=off rodata=off" 1 128 /lab/agent.cpio \
        >"$run/$1.made" || {
        cat "$run/$1.made"
        fail "no agent domain $1"
    }
    echo 0 >"$run/$1.requests"
    xl sched-credit2 -d "$1" -w 4096 || fail "xl sched-credit2"
    guest_unpause "$1"
}

new_target() {
    target=$(guest_create micro "vcpus=$vcpus loop=1 told=1 beat=0 \
order=mixed cpuid=1 cr4=1 pace=40000" $vcpus) || fail "$target"
}

vmring_nodes() {
    xenstore-ls -f /local/domain/0 2>/dev/null |
        grep -c '^/local/domain/0/vmring'
}

books() {
    xen_resources | grep -v "^free memory"
}

assert_all_free() {
    vmring-lab-pages try 1 $most || fail "gntalloc has kept some"
    echo "ok: gntalloc has all $most pages left"
}

# Of the bridge with this number: sets $cpuid_sum and $cr4_sum, the sums.
add_bridge() { # NR
    assert_verdicts "bridge$1"
    add_cpuid=$(value "bridge$1" .reasons.cpuid.requests)
    add_cr4=$(value "bridge$1" .reasons.write_ctrlreg.records)
    assert_eq "its requests" "$requests" "${add_cpuid:-0}"
    assert_eq "its records" "$(value "bridge$1" .records)" "${add_cr4:-0}"
    cpuid_sum=$((cpuid_sum + ${add_cpuid:-0}))
    cr4_sum=$((cr4_sum + ${add_cr4:-0}))
    echo "bridge $1: consumers $(value "bridge$1" .consumers)," \
        "lost $(value "bridge$1" .lost)"
}

# The target ends its work, and the last bridge with it: number $last.
end_target() {
    last=$(this_bridge)
    xl mem-max micro 24 || fail "xl mem-max"
    wait_for 120 "the end of bridge $last" bridge_has_ended "$last"
    assert_eq "how it ended" "$last 3" "$(tail -n 1 "$run/ended")"
    wait_for 120 "the end of $agent" remote_ended "$agents" "$agent"
    assert_guest_right micro
    cpuid_total=$(guest_total micro cpuid)
    cr4_total=$(guest_total micro cr4)
    echo "the guest's own count: $cpuid_total CPUIDs, $cr4_total CR4 writes"
    assert_eq "CR4 writes that were refused" 0 "$(guest_total micro cr4_refused)"
    wait_for 20 "the end of micro" guest_gone micro
    cpuid_sum=0
    cr4_sum=0
}

echo "seed $seed"
echo 0 >"$run/bridges"
rounds=0
nr_agents=0
assert_all_free
xen_resources >"$run/begin"

step "agent domains"
to_destroy=$(echo "$anew" | tr ' ' '\n' | grep -c destroy)
agents=agents1
boot agents1
boot_next
wait_for 300 "the agent domain agents1" agent_domain_up agents1
[ ! -s "$run/agents2.domid" ] ||
    wait_for 300 "the agent domain agents2" agent_domain_up agents2
echo "$(now_ms) ms"
echo $agents >"$run/to"
books >"$run/before"
grep -q "^grants of d0: 0" "$run/before" || fail "dom0 grants pages already"

step "rounds in which the bridge lives on"
new_target
start_supervisor "$target"
start_agent
guest_unpause micro
# shellcheck disable=SC2086 # words
do_rounds 0 $through
end_target
add_bridge 1
assert_eq "the guest's CPUIDs" "$cpuid_sum" "$cpuid_total"
assert_eq "the guest's CR4 writes" "$cr4_sum" "$cr4_total"
check_agent $agents "$agent"
assert_value "$agent" .ledger.adds_up true
assert_eq "nodes of vmring in xenstore" 0 "$(vmring_nodes)"
assert_all_free
books_are_as_before() {
    books >"$run/after"
    cmp -s "$run/before" "$run/after"
}
wait_for 30 "Xen's books to be as before" books_are_as_before

step "rounds in which it ends"
new_target
start_supervisor "$target"
start_agent
guest_unpause micro
# shellcheck disable=SC2086 # words
do_rounds 1 $anew
end_target
nr=1
while [ $nr -lt "$last" ]; do
    nr=$((nr + 1))
    add_bridge $nr
done
# What was raised while nobody had it armed is in no ledger but the guest's.
echo "counted by bridges: $cpuid_sum of $cpuid_total CPUIDs, $cr4_sum of" \
    "$cr4_total CR4 writes"
[ "$cpuid_sum" -gt 0 ] || fail "nothing was counted"
[ "$cpuid_sum" -le "$cpuid_total" ] || fail "more than there were"
[ "$cr4_sum" -le "$cr4_total" ] || fail "more than there were"
check_agent $agents "$agent"
assert_value "$agent" .ledger.adds_up true
assert_eq "rounds" "$nr_rounds" $rounds

step "what is left"
check_agents
assert_eq "nodes of vmring in xenstore" 0 "$(vmring_nodes)"
assert_eq "bridges that still run" "" "$(pidof vmring-bridge)"
xl destroy $agents
wait_for 60 "the end of $agents" guest_gone $agents
assert_all_free
assert_resources "$run/begin" 1024
pass "$rounds rounds, seed $seed"
