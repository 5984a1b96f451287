#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: an output that fails is told, and ends it detached in order.
. "$(dirname "$0")/setup.sh"

[ -w /dev/full ] || exit 77
endless=sim:vcpus=4,count=1000000000

run 12 -o /dev/full $endless
says 'No space left on device'
grep -q 'The ledger adds up' "$dir/out" || fail 'not detached in order'
# A limit of file sizes, which the pages of the ring keep within.
(ulimit -f 2000; run 12 -o "$dir/limited" $endless; exit $failed) || failed=1
grep -q 'The ledger adds up' "$dir/out" || fail 'not detached in order'
run 12 -o "$dir/absent/file" $endless; says 'its folder is not there'
run 12 -o "$dir" $endless; says 'Is a directory'
run 12 --ledger-json "$dir" $endless; says 'Is a directory'
# The simulated guest's truth is an output, too.
run 12 "sim:truth=$dir/absent/file"; says 'create its folder'
run 12 "sim:truth=$dir"; says 'name a file that can be written'
run 12 -q sim:vcpus=1,count=1,truth=/dev/full
grep -q 'cannot write the file of truth=: No space' "$dir/err" ||
    fail "a truth that is lost: $(cat "$dir/err")"

timeout -k 5 60 "$agent" $endless >/dev/full 2>"$dir/err"
[ $? -eq 12 ] || fail 'a full disk has no status'
says 'standard output: No space left on device'
timeout -k 5 60 "$agent" $endless >&- 2>"$dir/err"
[ $? -eq 12 ] || fail 'a closed output has no status'
says 'standard output is closed'
# Whoever has read enough is not told of an error.
{
    timeout -k 5 60 "$agent" $endless 2>"$dir/err"
    echo $? >"$dir/status"
} | head -n 1 >"$dir/out"
[ "$(cat "$dir/status")" -eq 0 ] ||
    fail "a reader that went: status $(cat "$dir/status")"
[ -s "$dir/err" ] && fail "a reader that went: $(cat "$dir/err")"
timeout -k 5 60 "$agent" --help >/dev/full 2>"$dir/err"
[ $? -eq 12 ] || fail '--help to a full disk has no status'

# A reader that has stopped reading does not keep a signal from ending it.
mkfifo "$dir/fifo"
# shellcheck disable=SC2217 # it holds the fifo open
sleep 30 <"$dir/fifo" &
reader=$!
"$agent" -o "$dir/fifo" $endless >/dev/null 2>"$dir/err" &
pid=$!
sleep 1
kill -INT $pid
sleep 0.5
kill -INT $pid 2>/dev/null
sleep 0.5
kill $reader
wait $pid
got=$?
[ $got -eq 13 ] || [ $got -eq 12 ] || [ $got -eq 0 ] ||
    fail "stalled reader: status $got"
exit $failed
