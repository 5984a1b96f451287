#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: scripts/packages.sh installs what is missing and no more, gets
# by without root where nothing is, leaves out alone what cannot be had, and
# says what a person is to run. Below it, apt and sudo are stand-ins.
#
# usage: packages.sh SOURCE_DIR
set -u
root=$(cd "$1" && pwd) || exit 1
export root
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export dir
failed=0

# Only these programs are there: no sudo of this machine, no apt.
mkdir "$dir/bin" "$dir/sudo"
for name in bash cat cp dirname env grep head mktemp rm sed setsid tail; do
    ln -s "$(command -v $name)" "$dir/bin/$name"
done
ln -s /bin/true "$dir/bin"
# stand_in PATH: a program out of standard input.
stand_in() {
    { echo '#!/bin/bash' && cat; } >"$1"
    chmod +x "$1"
}
stand_in "$dir/bin/id" <<'END'
echo "$user"
END
stand_in "$dir/bin/dpkg-query" <<'END'
[ "$3" = '${Depends}\n' ] && { grep -qx gcc "$dir/installed" || exit 1
    echo 'cpp (= 4:12), cpp-x86-64-linux-gnu, gcc-12 (>= 12)'; exit; }
grep -qx -- "$4" "$dir/installed" && echo installed
END
stand_in "$dir/bin/apt-cache" <<'END'
[ "$1" = depends ] && { grep -qx gcc "$dir/lists" || exit 1
    printf 'gcc\n  Depends: cpp-x86-64-linux-gnu\n  Depends: gcc-12\n'; exit; }
grep -qx -- "$2" "$dir/lists"
END
# Gone is what the server has no more, unless the lists are new; broken is what
# depends on something that there is not.
stand_in "$dir/bin/apt-get" <<'END'
simulate= names=
for word; do
    case $word in
    -s) simulate=1 ;;
    update) cp "$dir/new" "$dir/lists"; : >"$dir/gone"
        echo update >>"$dir/calls"; exit ;;
    -*|*::*|install) ;;
    *) names+=" $word" ;;
    esac
done
for name in $names; do
    grep -qx -- "$name" "$dir/lists" || exit 100
    grep -qx -- "$name" "$dir/broken" && exit 100
done
[ "$(grep -cxFf <(printf '%s\n' $names) "$dir/enemies")" -lt 2 ] || exit 100
[ -z "$simulate" ] || exit 0
[ "$user" = 0 ] || exit 100
echo "install$names" >>"$dir/calls"
for name in $names; do grep -qx -- "$name" "$dir/gone" && exit 100; done
for name in $names; do echo "$name" >>"$dir/installed"; done
END
# Asks for a password, unless $password is "no"; never where nobody can see.
stand_in "$dir/sudo/sudo" <<'END'
if [ "$1" = -n ]; then
    [ "$password" = no ] || exit 1
    shift
elif [ "$password" != no ]; then
    echo asked >>"$dir/calls"
    exit 1
fi
user=0 exec "$@"
END

# given INSTALLED LISTS [NEW [GONE [BROKEN [ENEMIES]]]]: what there is.
given() {
    printf '%s\n' $1 >"$dir/installed"
    printf '%s\n' $2 >"$dir/lists"
    printf '%s\n' ${3-$2} >"$dir/new"
    printf '%s\n' ${4-} >"$dir/gone"
    printf '%s\n' ${5-} >"$dir/broken"
    printf '%s\n' ${6-} >"$dir/enemies"
    : >"$dir/calls"
    path=$dir/bin user=0 password=no
}

# ends STATUS CALLS COMMAND...: the command ends so and has called that.
ends() {
    status=$1 calls=$2
    shift 2
    PATH=$path user=$user password=$password setsid -w bash -c \
        '. "$root/scripts/packages.sh"; "$@"' - "$@" >"$dir/said" 2>&1 </dev/null
    got=$?
    [ $got = "$status" ] && [ "$(tr '\n' ';' <"$dir/calls")" = "$calls" ] &&
        return
    echo "failed: $*: status $got, not $status; called:"
    cat "$dir/calls"
    echo "not $calls; said:"
    cat "$dir/said"
    failed=1
}

# said TEXT: among what it said, as it stands.
said() {
    grep -qF -- "$1" "$dir/said" && return
    echo "not said: $1; but:"
    cat "$dir/said"
    failed=1
}

command='apt-get update && apt-get install --no-install-recommends'
given 'gcc file' ''
user=1000
ends 0 '' need gcc file
given 'gcc' 'gcc-12-multilib file'
user=1000
ends 1 '' need gcc gcc-@-multilib file
said 'needed: gcc-12-multilib file'
said "as root: $command gcc-12-multilib file"
ends 0 '' want 'no tests of it' gcc file
said 'not installed: file; no tests of it'
# The version that nobody knows yet is looked up by the command itself.
given '' '' 'gcc gcc-12-multilib'
user=1000
ends 1 '' need gcc-@-multilib
line=$(sed -n 's/.*as root: //p' "$dir/said")
(PATH=$dir/bin user=0 && export PATH user && eval "$line")
grep -qx 'install gcc-12-multilib' "$dir/calls" || {
    echo "not what is meant: $line"
    failed=1
}

# As root: the lists are brought up to date once, and only if need be.
given '' 'gcc gcc-12-multilib'
ends 0 'install gcc-12-multilib gcc;' need gcc-@-multilib gcc
given '' '' 'gcc gcc-12-multilib'
ends 0 'update;install gcc-12-multilib;' need gcc-@-multilib
given 'gcc' 'file' 'file' 'file'
ends 0 'install file;update;install file;' need gcc file
given '' 'file'
ends 1 'update;install file;' need file nonesuch
said 'needed: nonesuch'
# One that cannot be had is left out alone.
given '' 'file spin gcovr' 'file spin gcovr' '' spin
ends 0 'update;install file gcovr;' want 'no tests' file nonesuch spin gcovr
said 'not installed: nonesuch spin; no tests'
given '' 'spin' 'spin' '' spin
ends 0 'update;' want 'no tests' spin
said 'not installed: spin; no tests'
# Of two that conflict the one, and all others.
given '' 'file spin gcovr' 'file spin gcovr' '' '' 'file spin'
ends 0 'update;install gcovr file;' want 'no tests' gcovr file spin
said 'not installed: spin; no tests'
# One run, one update.
given '' 'file'
ends 0 'update;' eval 'want a spin; want b gcovr; want c spin'

# By sudo; where it would ask and nobody is there, it is not asked.
given '' 'file'
user=1000 path=$dir/sudo:$dir/bin
ends 0 'install file;' need file
given '' 'file'
user=1000 path=$dir/sudo:$dir/bin password=yes
ends 1 '' need file
said "as root: $command file"
exit $failed
