#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: bad input gets one line, with a remedy, and its status.
. "$(dirname "$0")/setup.sh"

# Usage: nothing is attached, nothing is written.
run 2; says 'no ENDPOINT given'
run 2 --sort 100ms sim:; says "'sim:': if 100ms is the time of --sort, write --sort=100ms"
run 2 a b; says "unexpected argument 'b': give one ENDPOINT"
run 2 --no-such-option sim:; says '--no-such-option: no such option'
for option in -n -qn --count; do
    run 2 $option; says "$option: its argument is missing"
done
run 2 -qz sim:; says 'no such option'
run 2 --quiet=yes sim:; says '--quiet=yes: it takes no argument'
run 2 --e 3 sim:; says '--e: more than one option begins so'
for n in 0 -1 x 5x 010 +1 ' 1' 0x '' 1kk 0x1k 1.5k 99999999999999999999; do
    run 2 -n "$n" sim:; says 'give a count of events, from 1 to'
done
for t in 0 -1 x nan inf 1e99 1x 1.s .5 1..5 010 1sm '1 s'; do
    run 2 -t "$t" sim:; says 'as in 10s, 500ms, 5m or 1h'
done
for b in 0 x k 10x -1k 64kb 010k 0x1k 99999999999999999999 17179869184g; do
    run 2 --async-bytes "$b" sim:; says 'as in 65536, 64k or 1m'
done
run 0 -n 0x10 sim:
[ "$(grep -c ' subleaf ' "$dir/out")" -eq 16 ] || fail "0x10: $(cat "$dir/out")"
: >"$dir/out"
run 2 -f xml sim:; says 'say text or json'
run 2 --policy newest sim:; says 'say discard or overwrite'
# What was meant, perhaps.
run 2 -f jsno sim:; says 'did you mean json? Say text or json'
run 2 --policy over sim:; says 'did you mean overwrite?'
run 2 --quite sim:; says '--quite: no such option; did you mean --quiet? See'
run 2 -quiet sim:; says 'did you mean --quiet?'
run 2 --evnts=cr3 sim:; says 'did you mean --events?'
run 2 -e cpu sim:; says "unknown event 'cpu'; did you mean cpuid?"
run 2 -e cr3:asnyc sim:; says 'did you mean async? write cr3'
run 2 --deny rc4 -e cr4 sim:; says 'did you mean cr4?'
# A number that is too large is told the largest.
for n in 0 9999 99999999999999999999; do
    run 2 --groups $n sim:; says 'from 1 to 64'
done
for n in 0 86400001 99999999999; do
    run 2 --deadline $n sim:; says 'from 1ms to 24h, as in 500ms or 2s'
    run 2 --end-within $n sim:; says 'from 1ms to 24h, as in 30s or 5m; or none'
done
run 2 -n 18446744073709551616 sim:; says 'to 18446744073709551615'
run 2 -t 1000000001 sim:; says 'to 200000h, as in'
run 2 --async-bytes 2g sim:; says 'from 1 to 1G, as in 65536, 64k or 1m'
run 2 --slow 1h sim:; says 'from 1us to 10s'
run 2 --slow 0.4us sim:; says 'from 1us to 10s'
run 2 --sort=100ns sim:; says '--sort=100ns: give a time, from 1ms to 1m'
run 2 -e '' sim:; says 'no event'
run 2 -e ' ,' sim:; says 'no event'
run 2 -e nosuch sim:; says "'vmring-agent -e help' lists them"
run 2 -e msr sim:; says 'msr:NUMBER'
run 2 -e cpuid:async sim:; says 'leave :async out'
run 2 -e mem:q@1 sim:; says 'mem:'
run 2 -e msr:010 sim:; says 'no number in'
run 2 -e msr:0x100000000 sim:; says 'above 0xffffffff in'
run 2 -e mem:w@0x10000000000 sim:; says 'above 0xffffffffff in'
run 2 -e cr4 --deny cr4:010 sim:; says 'not a verdict rule'
run 2 --deny nosuch sim:; says 'not a verdict rule'
run 2 --deny cr4:0x4 sim:; says 'have cr4:sync in -e'
run 2 -e cr4:async --deny cr4:4 sim:; says 'have cr4:sync in -e'

# Endpoints.
run 2 ''; says 'neither a domain nor a URI'
run 2 /tmp/socket; says 'local:PATH'
run 2 nosuch:1; says 'is no endpoint'
run 2 sin:vcpus=1; says 'did you mean sim:? say local:PATH'
run 2 loca:/tmp/s; says 'did you mean local:?'
run 2 local:; says 'names no socket'
run 2 sim:nosuch=1; says "unknown key 'nosuch'; sim:help lists them"
run 2 sim:vcpu=1; says 'did you mean vcpus?'
run 2 sim:vcpus=0; says 'bad value'
run 2 xen:micro; says 'by its id; say xen:DOMID'
[ -e /dev/xen/privcmd ] || { run 6 xen:1; says 'no Xen here'; }
run 10 "local:$dir/absent"; says 'no socket at'
run 10 -e help "local:$dir/absent"; says 'no socket at'
python3 - "$dir/dead" <<'END'
import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind(sys.argv[1])
END
run 10 "local:$dir/dead"; says 'nobody serves'
# Where no bridge can be started, none is advised.
run 10 "local:$dir"; says 'no socket; give the path'
run 2 fd:0 </dev/null; says 'connected unix socket'
run 2 fd:99; says 'descriptor 99 is not open; give that of a connected'
run 2 fd:x; says 'say fd:NUMBER'
for fd in 1 2; do
    run 2 fd:$fd; says "fd:$fd is a standard output"
done
# No bridge beside the agent, none in PATH.
cp "$agent" "$dir/agent" && for domain in nosuchdomain 77; do
    env PATH=/nonexistent "$dir/agent" $domain 2>"$dir/err"
    [ $? -eq 10 ] || fail "no bridge, but another status"
    says "cannot start vmring-bridge: $dir/vmring-bridge is not there, and"
done

# What the producer refuses.
run 8 --async-bytes 1 --record-size 64 sim:vcpus=64; says 'minimum is 8192'
run 8 --async-bytes 1g sim:; says 'the maximum 67108864'
run 8 --record-size 65 sim:; says 'multiple of 64'
run 8 --record-size 1024 sim:; says 'to 512'
run 8 --groups 64 sim:; says 'at most'
run 8 --workers 9 sim:; says 'one a worker, where there are workers) refused; at most 4, one a vCPU'
run 8 --deadline 4000000 sim:; says 'maximum is'
run 5 -e cr4 --deny cr4:4 sim:verdicts=none; says 'verdicts'
run 7 -e vmexit sim:; says 'unsupported'
[ -s "$dir/out" ] && fail "output without events: $(cat "$dir/out")"

# Lists are shown without a guest, and fit a screen.
for list in sim:help '-F help' '-e help'; do
    # shellcheck disable=SC2086
    run 0 $list
    awk 'length($0) > 80 { exit 1 }' "$dir/out" || fail "$list is too wide"
done
run 0 sim:help
grep -q '^  on-deadline  neutral or pause ' "$dir/out" || fail "no keys"
"$1/bridge/vmring-bridge" sim:help >"$dir/keys" || fail "no keys of the bridge"
grep -v -e ' deadline ' -e on-deadline -e verdicts -e max-async "$dir/out" |
    cmp -s - "$dir/keys" || fail "other keys in the bridge: $(cat "$dir/keys")"

exit $failed
