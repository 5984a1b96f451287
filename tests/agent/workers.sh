#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: --workers: the ledger is what the simulated guest has counted,
# every line is whole, and -n, -t, signals and a reader that does not read work
# as with one thread.
. "$(dirname "$0")/setup.sh"

mixed='cr3:async cr4:async cpuid breakpoint msr:0xc0000082'

# exact VCPUS OPTION...: against the guest's own count, lane by lane.
exact()
{
    vcpus=$1
    shift
    rm -f "$dir/truth"
    run 3 -e "$mixed" -f json --ledger-json "$dir/ledger" "$@" \
        "sim:vcpus=$vcpus,count=1000,seed=3,truth=$dir/truth"
    python3 - "$dir/truth" "$dir/ledger" "$dir/out" <<'END' || fail "exact $*"
import collections, json, sys

truth = json.load(open(sys.argv[1]))
ledger = json.load(open(sys.argv[2]))["ledger"]
assert truth["ended"] and ledger["adds_up"] is True
names = ("requests", "answered", "defaulted", "records")
want = {(row["vcpu"], row["reason"]): [row[name] for name in names]
        for row in truth["counts"]}
have = {(row["vcpu"], row["event"]): [row[name] for name in names]
        for row in ledger["rows"]}
assert want == have
# The third account: the lines.  Each is an object of its own, in the order of
# its lane, and there are as many as were handed over.
shown, last = collections.Counter(), {}
for line in open(sys.argv[3]):
    event = json.loads(line)
    if "event" not in event:
        continue
    shown[event["vcpu"]] += 1
    if "position" in event:
        assert event["position"] > last.get(event["vcpu"], -1)
        last[event["vcpu"]] = event["position"]
for vcpu in range(truth["vcpus"] if "vcpus" in truth else len(ledger["lanes"])):
    rows = [row for row in ledger["rows"] if row["vcpu"] == vcpu]
    assert shown[vcpu] == sum(row["delivered"] for row in rows), vcpu
END
}

for policy in discard overwrite; do
    exact 16 --workers 4 --policy $policy --record-size 64
    exact 16 --workers 3 --groups 7 --policy $policy --async-bytes 4k \
        --record-size 64
done
exact 1 --workers 1

# Of threads that take at once, exactly so many are shown.
for count in 1 10 777; do
    run 0 -n $count -v -e "$mixed" --workers 4 sim:vcpus=16
    [ "$(grep -c '  v[0-9]* .*rip' "$dir/out")" -eq $count ] ||
        fail "not $count events shown"
    grep -q 'The ledger adds up' "$dir/out" || fail "-n $count: no ledger"
done
run 0 -q -n 100 -e "$mixed" --workers 4 sim:vcpus=16
run 0 -q -t 0.3 -e "$mixed" --workers 4 sim:vcpus=16,count=1000000000
grep -q 'The ledger adds up' "$dir/out" || fail '-t: no ledger'

endless=sim:vcpus=16,count=1000000000,rate=20000
for signal in INT TERM; do
    watch "$agent" --workers 4 -e 'cpuid cr3:async' $endless
    end 0 $signal
done
# Each event takes two seconds: the second signal does not wait for that.
watch "$agent" --workers 4 -e cr3:async --slow 2000000 $endless
end 13 INT INT
grep -q 'interrupted while it ended' "$dir/err" || fail 'it does not say so'

# A reader that stops: what has no room is lost or defaulted, and counted.
mkfifo "$dir/fifo"
timeout -k 5 60 "$agent" -v --workers 4 -e "$mixed" -o "$dir/fifo" \
    --ledger-json "$dir/ledger" --record-size 64 --deadline 50 \
    sim:vcpus=16,count=20000,deadline=50 >/dev/null 2>"$dir/err" &
pid=$!
{
    sleep 2
    cat >"$dir/read"
} <"$dir/fifo"
wait $pid
got=$?
[ $got -eq 3 ] || fail "slow reader: status $got: $(cat "$dir/err")"
python3 - "$dir/ledger" "$dir/read" <<'END' || fail 'slow reader'
import json, re, sys

ledger = json.load(open(sys.argv[1]))["ledger"]
totals = ledger["totals"]
assert ledger["adds_up"] is True
assert totals["lost"] > 0 and totals["defaulted"] > 0, totals
shown = sum(1 for line in open(sys.argv[2])
            if re.match(r" +\d+\.\d+  v\d+ ", line))
assert shown == totals["delivered"], (shown, totals)
END

# Until it reads again the thread that writes is asleep, whatever the workers
# have handed over to it.
ticks()
{
    awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$pid/task/$pid/stat"
}
"$agent" -v --workers 4 -e "$mixed" -o "$dir/fifo" $endless \
    >/dev/null 2>"$dir/err" &
pid=$!
exec 3<"$dir/fifo"
tries=0
second=$(getconf CLK_TCK)
used=$second
while [ $((used * 8)) -gt "$second" ] && [ $tries -lt 8 ]; do
    before=$(ticks)
    sleep 1
    used=$(($(ticks) - before))
    tries=$((tries + 1))
done
[ $tries -lt 8 ] || fail 'it turns in circles while nobody reads'
kill -INT $pid
sleep 0.2
kill -INT $pid
exec 3<&-
wait $pid

# A reader that went ends it in order.
{
    timeout -k 5 60 "$agent" --workers 4 $endless 2>"$dir/err"
    echo $? >"$dir/status"
} | head -n 1 >"$dir/out"
[ "$(cat "$dir/status")" -eq 0 ] ||
    fail "a reader that went: status $(cat "$dir/status")"
[ -s "$dir/err" ] && fail "a reader that went: $(cat "$dir/err")"

run 2 --workers 0 sim:; says 'from 1 to 64'
run 2 --workers 65 sim:; says 'from 1 to 64'
run 2 --workers 4 --groups 3 sim:vcpus=16; says 'more than --groups 3'
run 8 --workers 4 sim:vcpus=2; says 'at most 2'
exit $failed
