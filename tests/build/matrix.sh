#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: what can be asked for when vmring is built and installed, built
# without a warning, installed and used.
#
# usage: matrix.sh SOURCE_DIR WORK_DIR quick|here|all [CELL-PATTERN]
#
#   quick  a cell of each kind: under a minute of one core
#   here   each compiler with each build type, flags of distributions, forms of
#          the library, places, machines
#   all    that, and then, by a root who has debootstrap, all of it in the other
#          release of Debian
#
# A cell that fails is named, with what its compiler or its user said.
set -eu
source=$(cd "$1" && pwd)
mkdir -p "$2"
work=$(cd "$2" && pwd)
what=$3 only=${4-}
failed=0 passed=0 left_out=0
for tool in cmake make ninja pkg-config; do
    command -v $tool >/dev/null || {
        echo "no $tool"
        exit 77
    }
done
# Each cell has its own.
unset CFLAGS CPPFLAGS LDFLAGS CC CMAKE_BUILD_TYPE CMAKE_GENERATOR || :

# lacking TEXT: the cell is left out.
lacking() {
    echo "left out: $name: $1"
    left_out=$((left_out + 1))
}

# wanted NAME: is it to be done?
wanted() {
    name=$1
    case $name in *"$only"*) ;; *) return 1 ;; esac
}

# cell COMPILER CFLAGS LDFLAGS [CMAKE OPTION...]: $name, built. Its folder is
# $build then.
cell() {
    cc=$1 cflags=$2 ldflags=$3
    shift 3
    build=$work/$name
    rm -rf "$build" && mkdir -p "$build"
    command -v "$cc" >/dev/null || {
        lacking "no $cc"
        return 1
    }
    if CFLAGS=$cflags LDFLAGS=$ldflags cmake -G "${generator-Ninja}" -S "$source" \
        -B "$build" "-DCMAKE_C_COMPILER=$cc" "$@" >"$build/log" 2>&1 &&
        cmake --build "$build" --parallel 2 >>"$build/log" 2>&1 &&
        ! grep -q 'warning:' "$build/log"; then
        echo "built: $name"
        passed=$((passed + 1))
        return 0
    fi
    echo "FAILED: $name: CFLAGS='$cflags' LDFLAGS='$ldflags' $cc $*"
    grep -A 8 'warning:\|error:\|Error' "$build/log" || tail -n 20 "$build/log"
    failed=$((failed + 1))
    return 1
}

# used [PLACE...]: what the cell has built serves its users; see installed.sh.
used() {
    status=0
    sh "$source/tests/build/installed.sh" "$source" "$build" "$cc" '' "$@" \
        >"$build/used" 2>&1 || status=$?
    case $status in
    0) echo "used: $name: $*" ;;
    77) lacking "not used: $(cat "$build/used")" ;;
    *)
        echo "FAILED: $name: installed and used: $*"
        cat "$build/used"
        failed=$((failed + 1))
        ;;
    esac
}

# done_with: what is left of a cell is its log.
done_with() {
    find "$build" -mindepth 1 -maxdepth 1 ! -name log ! -name used \
        -exec rm -rf {} +
}

# exports FILE...: each has the names of vmring.h, whole, and no others.
exports() {
    for file; do
        sh "$source/tests/build/symbols.sh" "$source" "$file" \
            >"$build/exports" 2>&1 && continue
        echo "FAILED: $name: the names in $file"
        cat "$build/exports"
        failed=$((failed + 1))
    done
}

# installs NAME...: these files, and no others.
installs() {
    DESTDIR=$build/root cmake --install "$build" >/dev/null
    echo "$*" | tr ' ' '\n' | sort >"$build/wanted"
    find "$build/root" ! -type d -printf '%f\n' | sort >"$build/installed"
    diff -u "$build/wanted" "$build/installed" && return
    echo "FAILED: $name: the files that are installed"
    failed=$((failed + 1))
}

# Flags that a package of Debian is built with, in $cflags and $ldflags.
debian_flags() {
    cflags='-g -O2 -Wformat -Werror=format-security -D_FORTIFY_SOURCE=3'
    ldflags='-Wl,-z,relro -Wl,-z,now'
    if command -v dpkg-buildflags >/dev/null; then
        DEB_BUILD_MAINT_OPTIONS=hardening=+all
        [ "$what" = quick ] || DEB_BUILD_MAINT_OPTIONS="$DEB_BUILD_MAINT_OPTIONS
            optimize=+lto"
        export DEB_BUILD_MAINT_OPTIONS
        cflags="$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags \
            --get CPPFLAGS)"
        ldflags=$(dpkg-buildflags --get LDFLAGS)
    fi
}

# A package: both libraries, for /usr, in the folder of its machine, by make(1),
# which CMake and so debhelper take if nothing else is asked for.
package() {
    wanted package || return 0
    debian_flags
    generator='Unix Makefiles'
    status=0
    cell gcc "$cflags" "$ldflags" -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_INSTALL_PREFIX=/usr || status=$?
    unset generator
    [ $status = 0 ] || return 0
    exports "$build/libvmring/libvmring.so" "$build/libvmring/libvmring.a"
    used stage
    # The system's loader finds the library.
    DESTDIR=$build/root cmake --install "$build" >/dev/null
    if readelf -d "$build"/root/usr/sbin/vmring-* | grep RUNPATH; then
        echo "FAILED: $name: a RUNPATH in /usr"
        failed=$((failed + 1))
    fi
    done_with
}

# The static library alone, and places that are no relative folders.
places() {
    wanted "places-$1" || return 0
    to=$work/places-$1/to
    shift
    cell gcc '' '' -DCMAKE_BUILD_TYPE=Release "$@" \
        -DCMAKE_INSTALL_PREFIX="$to" -DCMAKE_INSTALL_LIBDIR="$to/a/lib" \
        -DCMAKE_INSTALL_INCLUDEDIR="$to/b/include" \
        -DCMAKE_INSTALL_SBINDIR="$to/c/sbin" \
        -DCMAKE_INSTALL_MANDIR="$to/d/man" || return 0
    used plain
    done_with
}

# Without what the programs need, and without tests.
library() {
    machine=$1 cc=$2 flags=$3
    shift 3
    wanted "library-$machine" || return 0
    echo 'int main(void) { return 0; }' >"$work/probe.c"
    # shellcheck disable=SC2086  # lists of words
    "$cc" ${probe-$flags} -o "$work/probe" "$work/probe.c" 2>"$work/why" || {
        lacking "$(head -n 1 "$work/why")"
        return 0
    }
    cell "$cc" "$flags" '' -DVMRING_LIBRARY_ONLY=ON \
        -DCMAKE_BUILD_TYPE=MinSizeRel "$@" || return 0
    exports "$build/libvmring/libvmring.a"
    installs 'libvmring.a libvmring.so libvmring.so.0 libvmring.so.0.1.0' \
        'libvmring.3 vm_ring.7 vm_ring.h vm_ring_control.h vmring.h' \
        'vmring.pc vmring_local.h'
    done_with
}

i386='-m32'
! command -v gcc >/dev/null ||
    i386="-m32 -idirafter /usr/include/$(gcc -print-multiarch)"

quick() {
    package
    places static -DBUILD_SHARED_LIBS=OFF
    library i386 gcc "$i386"
    wanted clang-Debug &&
        cell clang '' '' -DCMAKE_BUILD_TYPE=Debug -DBUILD_SHARED_LIBS=ON &&
        done_with
}

# Every compiler of either kind that is here.
compilers() {
    for cc in gcc clang gcc-11 gcc-12 gcc-13 gcc-14 gcc-15 clang-13 clang-14 \
        clang-15 clang-16 clang-17 clang-18 clang-19 clang-20; do
        path=$(readlink -f "$(command -v $cc)") || continue
        case " ${seen-} " in *" $path "*) continue ;; esac
        seen="${seen-} $path"
        echo $cc
    done
}

types() {
    for compiler in $(compilers); do
        for type in '' None Debug Release RelWithDebInfo MinSizeRel; do
            wanted "$compiler-${type:-none-given}" || continue
            cell "$compiler" '' '' -DCMAKE_BUILD_TYPE=$type && used prefix
            done_with
        done
    done
}

# given NAME COMPILER CFLAGS LDFLAGS [CMAKE OPTION...]
given() {
    wanted "$1" || return 0
    shift
    cell "$@" && exports "$build/libvmring/libvmring.so" \
        "$build/libvmring/libvmring.a" && used prefix stage build
    done_with
}

flags() {
    for level in 0 1 2 3; do
        given fortify-$level gcc "-O2 -D_FORTIFY_SOURCE=$level" '' \
            -DCMAKE_BUILD_TYPE=None
    done
    for level in -O0 -Og -O1 -Os -O3; do
        given gcc$level gcc "$level" '' -DCMAKE_BUILD_TYPE=None
        given clang$level clang "$level" '' -DCMAKE_BUILD_TYPE=None
    done
    given lto-flag gcc '-O2 -flto=auto' '' -DCMAKE_BUILD_TYPE=None
    given lto-gcc gcc '' '' -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON \
        -DCMAKE_BUILD_TYPE=Release
    # Without them clang has no linker for that, and CMake no ar.
    if ! command -v ld.lld >/dev/null || ! command -v llvm-ar >/dev/null; then
        ! wanted lto-clang || lacking 'no ld.lld, or no llvm-ar'
    else
        given lto-clang clang '' -fuse-ld=lld \
            -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON -DCMAKE_BUILD_TYPE=Release
    fi
    for standard in 17 23; do
        given gcc-c$standard gcc '' '' -DCMAKE_C_STANDARD=$standard
    done
    wanted sanitizers-given &&
        cell gcc '-g -O1 -fsanitize=address,undefined' '' && done_with
    for cc in gcc clang; do
        wanted sanitizers-some-$cc && cell $cc "-g -O1 \
            -fsanitize=signed-integer-overflow -fsanitize=bounds,address" '' &&
            done_with
    done
}

forms() {
    for libs in ON OFF; do
        wanted "shared-$libs" || continue
        cell gcc '' '' -DBUILD_SHARED_LIBS=$libs && used prefix stage build
        done_with
    done
    places both
    places shared -DBUILD_SHARED_LIBS=ON
    wanted lib64 && cell gcc '' '' -DCMAKE_INSTALL_LIBDIR=lib64/vmring \
        -DCMAKE_INSTALL_SBINDIR=libexec/vmring/bin && used prefix stage
    library here gcc ''
    library arm64 aarch64-linux-gnu-gcc '' -DCMAKE_SYSTEM_NAME=Linux \
        -DCMAKE_SYSTEM_PROCESSOR=aarch64
    probe=--target=aarch64-linux-gnu
    library arm64-clang clang '' -DCMAKE_SYSTEM_NAME=Linux \
        -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
        -DCMAKE_C_COMPILER_TARGET=aarch64-linux-gnu
    unset probe
    # What -O3 sees, in the tests, too.
    wanted tests-Release &&
        cell gcc '' '' -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON &&
        done_with
}

# The other release: this very matrix, as it is there.
other_release() {
    case $only in
    other-release/*) inside=${only#other-release/} ;;
    other-release) inside= ;;
    '') inside= ;;
    *) return 0 ;;
    esac
    name='other-release'
    # shellcheck source=debian.sh
    . "$source/tests/build/debian.sh"
    own_folder "$work" || {
        failed=$((failed + 1))
        return 0
    }
    # shellcheck source=/dev/null
    case $(. /etc/os-release && echo "${VERSION_CODENAME-}") in
    bookworm) other=trixie ;;
    *) other=bookworm ;;
    esac
    status=0
    sh "$source/tests/build/release.sh" "$source" "$work/$other" $other \
        "$inside" >"$work/$other.log" 2>&1 || status=$?
    sed "s/^/$other: /" "$work/$other.log"
    case $status in
    0) passed=$((passed + 1)) ;;
    77) left_out=$((left_out + 1)) ;;
    *)
        echo "FAILED: $other"
        failed=$((failed + 1))
        ;;
    esac
}

case $what in
quick) quick || : ;;
all | here)
    package
    places static -DBUILD_SHARED_LIBS=OFF
    library i386 gcc "$i386"
    types || :
    flags || :
    forms || :
    [ "$what" = here ] || other_release
    ;;
*) exit 2 ;;
esac
echo "$passed built, $failed failed, $left_out left out"
[ $failed = 0 ]
