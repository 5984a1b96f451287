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
bridge 2 '--linger: its argument is missing' --linger
bridge 2 '--quiet=yes: it takes no argument' --quiet=yes sim:
bridge 2 '--l: more than one option begins so' --l sim:
bridge 2 '--fd 99: it is not open; give' --fd=99 sim:
bridge 2 'a connected unix socket' --fd 0 --listen "local:$dir/socket" \
    sim: </dev/null
bridge 2 '--ready-fd 99: it is not open; give' --ready-fd=99 sim:
bridge 2 '--ready-fd 0: it cannot be written to; give' --ready-fd=0 \
    sim: </dev/null
bridge 2 '--stats: no file is named; give' --stats= sim:
bridge 12 'Is a directory; name a file' --stats=/ --listen \
    "local:$dir/socket" sim:
bridge 2 '--linger 86401: give a time, from 0 to 24h' --linger 86401 sim:
bridge 2 '--farewell 25h: give a time' --farewell 25h sim:
bridge 2 "--wait '': give a time" --wait= sim:
bridge 2 '--wait 010: give a time' --wait 010 sim:
bridge 2 'from 1ms to 24h, as in 500ms or 2s; or none' \
    --deadline 99999999999999999999 sim:
bridge 2 '--deadline 0: give a time' --deadline 0 sim:
bridge 2 '--deadline 1.5x: give' --deadline 1.5x sim:
bridge 2 "octal number from 0 to 777, not '8'" --mode 8 sim:
bridge 2 "octal number from 0 to 777, not '1000'" --mode 1000 sim:
bridge 2 "octal number from 0 to 777, not '-1'" --mode -1 sim:
bridge 2 "--fd takes a number from 0 to 1048576, not '1x'" --fd 1x sim:
bridge 2 'did you mean --linger?' --ligner 5 sim:
bridge 2 'did you mean pause? Say neutral or pause' --on-deadline puase sim:
bridge 2 'did you mean write_ctrlreg?' --allow-events write_crtlreg sim:
bridge 2 'did you mean emulate?' --allow-verdicts emualte sim:
bridge 2 'did you mean vcpus? sim:help lists them' sim:vcpu=1
bridge 2 'x\033[31m\012' sim: "$(printf 'x\033[31m\ny')"
bridge 2 "unknown key '?[31m?'" "$(printf 'sim:\033[31m\n=1')"
echo content >"$dir/file"
bridge 2 'is no socket; remove it' --listen "local:$dir/file" sim:
[ "$(cat "$dir/file")" = content ] || fail 'the file is not what it was'
bridge 2 'create it' --listen "local:$dir/absent/socket" sim:
ln -s nowhere "$dir/link"
bridge 2 'is no socket; remove it' --listen "local:$dir/link" sim:
[ "$(readlink "$dir/link")" = nowhere ] || fail 'the link is not what it was'
mkdir "$dir/folder.lock"
bridge 2 'folder.lock, a file while' --listen "local:$dir/folder" sim:
ln -s nowhere "$dir/loop.lock"
bridge 2 'loop.lock, a file while' --listen "local:$dir/loop" sim:
bridge 12 'create its folder' --stats "$dir/absent/file" --listen \
    "local:$dir/socket" sim:

run 5 -e 'cr4 msr:1' --deny cr4 sim:verdicts=emulate/step
says 'refused: deny; the producer allows emulate,step'
run 2 -e mem:w sim:; says 'no frames in'
# A sanitizer needs more than any limit below.
[ "$2" = sandboxed ] || exit $failed

# What the caller of this has left open is not to count: with a limit of five
# files the loader would be the one that complains.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-

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
limited --fsize=1024 '(ulimit -v, -f, -n)' sim:

# small_stack COMMAND...: as it may have inherited it.
small_stack()
{
    timeout -k 5 60 prlimit --stack=65536 "$@" >"$dir/out" 2>"$dir/err"
}
for workers in '' '--workers 2'; do
    # shellcheck disable=SC2086 # none, or two words
    small_stack "$agent" -q $workers sim:vcpus=2,count=20
    [ $? -eq 3 ] || fail "a small stack, the agent $workers: $(cat "$dir/err")"
done
timeout -k 5 60 prlimit --stack=65536 "$bridge" -q --ready-fd 3 --listen \
    "local:$dir/socket" sim:vcpus=2,count=20 3>"$dir/ready" 2>"$dir/bridge" &
pid=$!
await "$dir/ready"
small_stack "$agent" -q "local:$dir/socket"
[ $? -eq 3 ] || fail "a small stack, by a bridge: $(cat "$dir/err")"
wait $pid
got=$?
[ $got -eq 3 ] || fail "a small stack, the bridge: $got: $(cat "$dir/bridge")"
exit $failed
