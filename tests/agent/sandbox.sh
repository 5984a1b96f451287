#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: a running agent has no rights, no capabilities and a filter, by
# whatever endpoint it has attached, unless it is told not to.
. "$(dirname "$0")/setup.sh"

bridge=$1/bridge/vmring-bridge
run 0 --help
[ "$2" = sandboxed ] || {
    echo 'built with a sanitizer, which opens files: no sandbox'
    exit 77
}

# is FIELD VALUE...: of each of its threads, in /proc.
is()
{
    field=$1
    shift
    for status in /proc/$pid/task/*/status; do
        got=$(sed -n "s/^$field:[[:space:]]*//p" "$status" |
            tr -s '[:blank:]' ' ')
        [ "$got" = "$*" ] || fail "$field of $status is '$got', not '$*'"
    done
}

is_inside()
{
    uid=$1 gid=$2
    is Uid "$uid $uid $uid $uid"
    is Gid "$gid $gid $gid $gid"
    for set in CapEff CapPrm CapInh CapAmb; do
        is $set 0000000000000000
    done
    is NoNewPrivs 1
    is Seccomp 2
    grep -q 'Max core file size *0 *0' /proc/$pid/limits ||
        fail 'it may dump core'
    for fd in /proc/$pid/fd/*; do
        case $(readlink "$fd") in
        /dev/xen/* | /proc/xen/*) fail "it has $(readlink "$fd") open" ;;
        esac
    done
}

endless=sim:vcpus=2,count=0,rate=2000
nobody=65534 nogroup=65534
if getent passwd _vmring >/dev/null; then
    nobody=$(id -u _vmring) nogroup=$(id -g _vmring)
fi
if [ "$(id -u)" = 0 ]; then
    watch "$agent" $endless
    is_inside $nobody $nogroup
    is Groups ''
    case $(readlink /proc/$pid/root) in
    *' (deleted)') ;;
    *) fail "its root is $(readlink /proc/$pid/root)" ;;
    esac
    end 0 TERM

    watch "$agent" --user 12345 $endless
    is_inside 12345 12345
    end 0 TERM

    watch "$agent" --no-sandbox $endless
    is Uid '0 0 0 0'
    is Seccomp "$(sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status)"
    end 0 TERM

    run 2 --user root $endless; says 'is root or of its group'
    run 2 --user 0 $endless; says 'is root or of its group'
    run 2 --user no-such-user $endless; says "there is no user 'no-such-user'"

    # Not root: it stays who it is, and the rest is done.
    if command -v setpriv >/dev/null && chmod 755 "$dir"; then
        cp "$agent" "$dir/agent"
        LD_LIBRARY_PATH=$1/libvmring
        export LD_LIBRARY_PATH
        cp "$1"/libvmring/libvmring.so* "$dir/" && LD_LIBRARY_PATH=$dir
        watch setpriv --reuid 54321 --regid 54321 --clear-groups \
            "$dir/agent" $endless
        is_inside 54321 54321
        end 0 TERM
        # Nor has any thread of it what it was given on the way.
        watch setpriv --reuid 54321 --regid 54321 --clear-groups \
            --inh-caps +net_raw --ambient-caps +net_raw "$dir/agent" $endless
        is_inside 54321 54321
        end 0 TERM
    fi
else
    watch "$agent" $endless
    is_inside "$(id -u)" "$(id -g)"
    end 0 TERM
    run 2 --user nobody $endless; says 'only root can become another user'
fi
# What it happened to be started with is none of its business.
echo secret >"$dir/secret"
exec 7<"$dir/secret"
watch "$agent" $endless
exec 7<&-
for fd in /proc/$pid/fd/*; do
    case $fd:$(readlink "$fd") in
    */7:"$dir/secret") fail 'it has a file that it was started with' ;;
    esac
done
end 0 TERM
run 2 --user nobody --no-sandbox $endless; says 'leave it or --no-sandbox out'

# By the socket of a bridge that runs as the user of this.
"$bridge" --quiet --listen "local:$dir/socket" $endless 2>"$dir/bridge" &
other=$!
await "$dir/socket"
watch "$agent" "local:$dir/socket"
if [ "$(id -u)" = 0 ]; then
    is_inside $nobody $nogroup
else
    is_inside "$(id -u)" "$(id -g)"
fi
end 0 TERM
# The bridge itself: it keeps its user, in its socket's folder.
pid=$other
is Seccomp 2
is NoNewPrivs 1
is CapEff 0000000000000000
if [ "$(id -u)" = 0 ]; then
    root=$(readlink /proc/$pid/root)
    [ "$root" = "$dir" ] || fail "the bridge's root is $root, not $dir"
fi
kill -TERM $other
wait $other
[ -e "$dir/socket" ] && fail 'the bridge has left its socket'
exit $failed
