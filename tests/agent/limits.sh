#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: what the system does not give, and what is in the way of the
# bridge, is one line with a remedy; options are named, and verdicts.
. "$(dirname "$0")/setup.sh"

bridge=$1/bridge/vmring-bridge
[ -x "$bridge" ] || exit 77

# bridge STATUS TEXT ARGUMENT...: its one line.
bridge()
{
    wanted=$1 text=$2
    shift 2
    timeout -k 5 60 "$bridge" "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ $got -eq "$wanted" ] || fail "status $got, not $wanted: $*"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || fail "not one line: $(cat "$dir/err")"
    grep -qF -- "$text" "$dir/err" || fail "no '$text' in: $(cat "$dir/err")"
    [ -z "$(tr -d '\n -~' <"$dir/err")" ] || fail "not plain: $*"
}

bridge 2 '--foo: no such option' --foo sim:
bridge 2 '-z: no such option' -z sim:
bridge 2 '-qz: no such option' -qz sim:
bridge 2 '--linger: no such option, or its argument' --linger
bridge 2 'from 0 to 86400, not' --linger 86401 sim:
bridge 2 'from 0 to 86400, not' --farewell 86401 sim:
bridge 2 'from 0 to 86400000, not' --deadline 99999999999999999999 sim:
bridge 2 'x\033[31m\012' sim: "$(printf 'x\033[31m\ny')"
bridge 2 "unknown key '?[31m?'" "$(printf 'sim:\033[31m\n=1')"
echo content >"$dir/file"
bridge 2 'is no socket; remove it' --listen "local:$dir/file" sim:
[ "$(cat "$dir/file")" = content ] || fail 'the file is not what it was'
bridge 2 'create it' --listen "local:$dir/absent/socket" sim:
bridge 12 'create its folder' --stats "$dir/absent/file" --listen \
    "local:$dir/socket" sim:

run 5 -e 'cr4 msr:1' --deny cr4 sim:verdicts=emulate/step
says 'refused: deny; the producer allows emulate,step'
run 2 -e mem:w sim:; says 'no frames in'
# A sanitizer needs more than any limit below.
[ "$2" = sandboxed ] || exit $failed

# limited LIMIT TEXT OPTION...: an agent that may not have more than LIMIT.
limited()
{
    limit=$1 text=$2
    shift 2
    timeout -k 5 60 prlimit "$limit" "$agent" -q -n 1 "$@" >"$dir/out" \
        2>"$dir/err"
    got=$?
    [ $got -ne 0 ] || return 0 # it was enough, with other libraries
    says "$text"
    tried=$((tried + 1))
}
tried=0
# Where it runs out depends on the limit: each of these lines has a remedy.
for files in 5 7 8 10 12 14 16 18 20; do
    limited --nofile=$files '-n)' sim:
    limited --nofile=$files '-n)' --workers 3 sim:
done
[ $tried -gt 6 ] || fail 'no limit of files was met'
for bytes in 8000000 12000000 16000000 20000000 24000000; do
    limited --as=$bytes 'ulimit -v' sim:vcpus=500
done
[ $tried -gt 1 ] || fail 'no limit of memory was met'
exit $failed
