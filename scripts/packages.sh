# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What demo and check need of Debian, and how they get it. Sourced, with
# $root, the top of the tree.
#
# shellcheck disable=SC2034,SC2154

packages_build=(gcc cmake ninja-build pkg-config libc6-dev libxen-dev
    libevent-dev libjson-c-dev libseccomp-dev libbsd-dev)
# The micro-guest is 32-bit. gcc-12-multilib, because gcc-multilib itself
# conflicts with the cross compiler.
packages_check=(clang libclang-rt-14-dev gcc-12-multilib g++ g++-12-multilib
    gcc-aarch64-linux-gnu libc6-dev-arm64-cross mandoc clang-format shellcheck
    python3 binutils file)
# The proofs of docs/VERIFICATION.md.
packages_proof=(relacy-dev spin gcovr afl++ cppcheck clang-tidy valgrind
    qemu-user libc6-arm64-cross)
# What the benchmark measures beside the ring; a peer that cannot be had is
# left out.
packages_bench=(libqb-dev libck-dev libdpdk-dev libboost1.74-dev
    libreaderwriterqueue-dev libconcurrentqueue-dev liblttng-ust-dev
    liblttng-ctl-dev libbabeltrace2-dev lttng-tools libbpf-dev clang)

begun=$SECONDS

# say TEXT...: one line of progress, with the seconds so far.
say() {
    printf '%s[%4d s]%s %s\n' "${bold-}" $((SECONDS - begun)) "${plain-}" "$*"
}

if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\e[1m' plain=$'\e[0m'
fi

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need PACKAGE...: installs what is missing. 1: it cannot be had; one line
# has said why.
need() {
    local package log missing=()

    for package; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "these Debian packages are needed: ${missing[*]}"
        return 1
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        say "to install ${missing[*]}, run this as root, or install sudo"
        return 1
    fi
    say "installing ${missing[*]}"
    log=$(mktemp)
    if as_root apt-get update -q >"$log" 2>&1 &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
            --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    tail -n 20 "$log"
    rm -f "$log"
    say "these packages could not be installed: ${missing[*]}"
    return 1
}

# build FOLDER [CMAKE OPTION...]: configures and builds; shows what fails.
build() {
    local folder=$1 log

    shift
    mkdir -p "$folder"
    log=$folder/build.log
    if cmake -G Ninja -S "$root" -B "$folder" "$@" >"$log" 2>&1 &&
        cmake --build "$folder" >>"$log" 2>&1; then
        return 0
    fi
    tail -n 60 "$log"
    say "the build in $folder failed; all of it is in $log"
    return 1
}
