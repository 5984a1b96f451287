#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: the library serves C and C++, shared and static, by pkg-config,
# from wherever it is; and the programs start there and find each other.
#
# usage: installed.sh SOURCE_DIR BUILD_DIR COMPILER SANITIZERS [PLACE...]
#
#   prefix  installed to a prefix that it was not configured for
#   stage   installed below DESTDIR, as into a package
#   plain   installed where it was configured for
#   build   not installed: the build tree
set -eu
source=$1 build=$2 cc=$3 sanitize=${4:+-fsanitize=$4}
shift 3
[ $# = 0 ] || shift
[ $# -gt 0 ] || set -- prefix stage build
command -v pkg-config >/dev/null || {
    echo 'no pkg-config'
    exit 77
}
case $cc in
*clang*) cxx=clang++ ;;
*) cxx=g++ ;;
esac
command -v "$cxx" >/dev/null || {
    echo "no $cxx: C alone"
    cxx=
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$source/tests/build/installed.c" "$dir/user.c"
cp "$source/tests/build/installed.c" "$dir/user.cc"
failed=0

# fail TEXT...
fail() {
    echo "failed: $place: $*"
    failed=1
}

# cached NAME: what the build has been configured with.
cached() {
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}

# user NAME COMPILER FILE OPTION...: builds it, runs it.
user() {
    name=$1 compiler=$2 file=$3
    shift 3
    # shellcheck disable=SC2086  # it may be empty
    if "$compiler" -Wall -Wextra -Wshadow -Werror $sanitize \
        -o "$dir/$name" "$dir/$file" "$@" &&
        LD_LIBRARY_PATH=$lib timeout -s KILL 60 "$dir/$name" >"$dir/said"; then
        return
    fi
    fail "$name"
}

# stands_on NAME YES-OR-NO: is it linked with the shared library?
stands_on() {
    found=no
    ! readelf -d "$dir/$1" 2>/dev/null | grep -q 'libvmring.so.0' || found=yes
    [ ! -e "$dir/$1" ] || [ $found = "$2" ] ||
        fail "$1 is linked with libvmring.so: $found"
}

# in_both NAME OPTION...: the user in C and in C++.
in_both() {
    form=$1
    shift
    user "c_$form" "$cc" user.c "$@"
    [ -z "$cxx" ] || user "cxx_$form" "$cxx" user.cc "$@"
}

# with_flags NAME OPTION...: in both, as pkg-config says with these options, in
# words that are a shell's.
with_flags() {
    form=$1
    shift
    flags=$(pkg-config --cflags --libs "$@" vmring)
    [ "$form" != archive ] || flags=$(echo "$flags" |
        sed 's/-lvmring/-Wl,-Bstatic -lvmring -Wl,-Bdynamic/')
    [ "$form" != static ] || flags="-static $flags"
    eval "in_both $form $flags"
}

# users: with the library in $lib.
users() {
    [ "$(pkg-config --modversion vmring)" ] || fail 'no version'
    if [ -e "$lib/libvmring.so" ]; then
        with_flags shared
        stands_on c_shared yes
    fi
    [ -e "$lib/libvmring.a" ] || return 0
    with_flags archive --static
    stands_on c_archive no
    # Everything from archives, where there are sanitizers' ones too.
    if [ -z "$sanitize" ]; then
        with_flags static --static
    fi
    # With the static library alone nobody need say so.
    if [ ! -e "$lib/libvmring.so" ]; then
        with_flags plain
    fi
}

# programs FOLDER: they start, and the agent finds its bridge.
programs() {
    agent=$1/vmring-agent
    [ -e "$agent" ] || return 0
    "$agent" --version >"$dir/said" 2>&1 || fail "$(cat "$dir/said")"
    # 3: the guest has ended, which is what it was to do.
    status=0
    timeout -s KILL 60 "$agent" -q -e cpuid sim:vcpus=1,count=3 \
        >"$dir/said" 2>&1 || status=$?
    [ $status = 3 ] || fail "sim: $status, $(cat "$dir/said")"
    # There is no such domain, whether there is a Xen here or not.
    PATH=/nowhere "$agent" -q -t 1 no.such.domain >"$dir/said" 2>&1 || :
    grep -q '^vmring-bridge: ' "$dir/said" ||
        fail "no bridge found: $(cat "$dir/said")"
}

# look ROOT: at what is installed below ROOT.
look() {
    pc=$(find "$1" -name vmring.pc)
    lib=$(dirname "$(dirname "$pc")")
    PKG_CONFIG_PATH=$lib/pkgconfig
    users
    sbin=$(dirname "$(find "$1" -path '*bin/vmring-agent')")
}

export PKG_CONFIG_PATH=
for place; do
    sbin=
    case $place in
    prefix)
        cmake --install "$build" --prefix "$dir/a prefix" >/dev/null
        look "$dir/a prefix"
        programs "$sbin"
        ! grep -rlI "$(cached CMAKE_INSTALL_PREFIX)/" "$dir/a prefix" \
            --include=*.pc --include=*.service || fail 'names another prefix'
        unit=$(find "$dir/a prefix" -name 'vmring@.service')
        [ -z "$unit" ] || grep -Fq "ExecStart=\"$sbin/vmring-bridge\" " "$unit" ||
            fail 'systemd would not find the bridge'
        ;;
    stage)
        DESTDIR=$dir/stage cmake --install "$build" --strip >/dev/null
        # Where it is by now, and what is the system's once it is unpacked.
        export PKG_CONFIG_SYSROOT_DIR="$dir/stage" \
            PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
        look "$dir/stage"
        unset PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_ALLOW_SYSTEM_CFLAGS \
            PKG_CONFIG_ALLOW_SYSTEM_LIBS
        # shellcheck disable=SC2030  # for these alone
        (export LD_LIBRARY_PATH="$lib" && programs "$sbin" && exit $failed) ||
            failed=1
        ;;
    plain)
        cmake --install "$build" >/dev/null
        look "$(cached CMAKE_INSTALL_PREFIX)"
        programs "$sbin"
        ;;
    build)
        lib=$build/libvmring
        PKG_CONFIG_PATH=$lib
        users
        programs "$build/agent"
        ;;
    esac
done
exit $failed
