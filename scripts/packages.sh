# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What demo and check need of Debian, and how they get it. Sourced, with
# $root, the top of the tree.
#
# shellcheck disable=SC2034,SC2154

# No name has a version of its own: @ is the release's version of gcc.
packages_build=(gcc cmake ninja-build pkg-config libc6-dev libxen-dev
    libevent-dev libjson-c-dev libseccomp-dev libbsd-dev)
# To build the tests: the micro-guest is 32-bit. Not gcc-multilib, which
# conflicts with every cross compiler, and which other.sh does without.
packages_tests=(gcc-@-multilib python3 binutils)
# What there are tests for, which are skipped without it.
packages_check=(make g++ g++-@-multilib clang libclang-rt-dev gcc-aarch64-linux-gnu
    libc6-dev-arm64-cross mandoc clang-format shellcheck file)
# The lab's; the rest of it is only unpacked, by itself.
packages_lab=(qemu-system-x86 seabios)
# The proofs of docs/VERIFICATION.md.
packages_proof=(relacy-dev spin gcovr afl++ cppcheck clang-tidy valgrind
    qemu-user libc6-arm64-cross)
# What the benchmark measures beside the ring.
packages_bench=(libqb-dev libck-dev libdpdk-dev libboost-dev
    libreaderwriterqueue-dev libconcurrentqueue-dev liblttng-ust-dev
    liblttng-ctl-dev libbabeltrace2-dev lttng-tools libbpf-dev clang)

begun=$SECONDS
# The package lists, by this run.
updated=no

# say TEXT...: one line of progress, with the seconds so far.
say() {
    printf '%s[%4d s]%s %s\n' "${bold-}" $((SECONDS - begun)) "${plain-}" "$*"
}

if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\e[1m' plain=$'\e[0m'
fi

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# gcc_version: which gcc-N the package gcc stands for; nothing if neither is it
# installed nor are there package lists.
gcc_version() {
    {
        dpkg-query -W -f '${Depends}\n' gcc
        LC_ALL=C apt-cache depends gcc
    } 2>/dev/null | grep -o 'gcc-[0-9]\+' | head -n 1 | sed 's/gcc-//'
}

# look PACKAGE...: which are not installed, in $missing; and in $unknown those
# of them that the package lists, as they are, do not have.
look() {
    local package version

    missing=() unknown=()
    version=$(gcc_version)
    for package; do
        package=${package//@/${version:-@}}
        is_installed "$package" && continue
        missing+=("$package")
        apt-cache show "$package" >/dev/null 2>&1 || unknown+=("$package")
    done
}

# by_hand PACKAGE...: what to run as root, for a person to read or to copy.
by_hand() {
    # shellcheck disable=SC2016 # for the shell that it is copied to
    local version='$(apt-cache depends gcc | grep -om1 "[0-9]\+$")'

    echo "apt-get update && apt-get install --no-install-recommends" \
        "${*//@/$version}"
}

# find_root: $as_root, words to run a command as root; 1: there are none. With
# a password only where a person is: in the foreground of a terminal.
find_root() {
    local group terminal

    as_root=()
    [ "$(id -u)" != 0 ] || return 0
    command -v sudo >/dev/null || return 1
    as_root=(sudo -n)
    ! sudo -n true 2>/dev/null || return 0
    as_root=(sudo)
    read -r _ _ _ _ group _ _ terminal _ <"/proc/$$/stat" &&
        [ "$group" = "$terminal" ]
}

# run_apt COMMAND...: what it says is in $log. Where another one is at work, two
# minutes are enough for that.
run_apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
        apt-get -q -y -o DPkg::Lock::Timeout=120 \
        -o Acquire::http::Timeout=30 --no-install-recommends "$@" \
        >>"$log" 2>&1
}

# get PACKAGE...: installs them; the lists are brought up to date if they do not
# have one or have it no more, once in all.
get() {
    look "$@"
    if [ ${#unknown[@]} = 0 ] && run_apt install "${missing[@]}"; then
        return 0
    fi
    if [ "$updated" = no ]; then
        # If a part fails, what is needed may be in another.
        run_apt update
        updated=yes
        get "$@"
        return
    fi
    return 1
}

# drop_bad: leaves in $missing those that can be had together; the others, which
# cannot be had or not beside those before them, are in $bad.
drop_bad() {
    local package good=()

    bad=()
    for package in "${missing[@]}"; do
        if LC_ALL=C apt-get -q -s --no-install-recommends install \
            "${good[@]}" "$package" >/dev/null 2>&1; then
            good+=("$package")
        else
            bad+=("$package")
        fi
    done
    missing=("${good[@]}")
}

# obtain PACKAGE...: what is missing of them. 1: not all of it is there now;
# $absent has what, and $reason why, in a line.
obtain() {
    local log as_root bad=() missing unknown

    look "$@"
    [ ${#missing[@]} -gt 0 ] || return 0
    reason='they are packages of Debian, and this has no apt-get'
    absent=("${missing[@]}")
    command -v apt-get >/dev/null || return 1
    reason="as root: $(by_hand "${missing[@]}")"
    find_root || return 1
    if [ "${as_root[*]}" = sudo ]; then
        say "sudo may ask for a password, to run: $(by_hand "${missing[@]}")"
        sudo true || return 1
    fi
    say "installing ${missing[*]}"
    log=$(mktemp) || return 1
    if ! get "$@"; then
        drop_bad
        if [ ${#bad[@]} -gt 0 ] && [ ${#missing[@]} -gt 0 ]; then
            run_apt install "${missing[@]}"
        fi
    fi
    look "$@"
    absent=("${missing[@]}")
    if [ ${#absent[@]} = ${#unknown[@]} ]; then
        reason="apt-get does not know them, on $(release) with its lists of now"
    else
        tail -n 20 "$log"
        reason="above is what apt-get says, on $(release)"
    fi
    rm -f "$log"
    [ ${#absent[@]} = 0 ]
}

# release: what this is, in a word or two.
release() {
    # shellcheck source=/dev/null
    (. /etc/os-release && echo "$PRETTY_NAME") 2>/dev/null ||
        echo 'this system'
}

# say_found: what this is made with, and whether it has been tried with that.
say_found() {
    local id

    say "$(release): gcc $(gcc -dumpfullversion)," \
        "Xen's libraries $(pkg-config --modversion xencontrol)"
    # shellcheck source=/dev/null
    id=$(. /etc/os-release && echo "$ID $VERSION_ID")
    case $id in
    'debian 12' | 'debian 13') ;;
    *) say "this has been tried on Debian 12 and 13; here it may differ" ;;
    esac
}

# need PACKAGE...: 1: one cannot be had; it has been said which and why.
need() {
    local absent reason

    obtain "$@" && return 0
    say "not installed, and needed: ${absent[*]}"
    say "$reason"
    return 1
}

# want TEXT PACKAGE...: each that cannot be had is left out alone; TEXT says
# what that comes to.
want() {
    local text=$1 absent reason

    shift
    obtain "$@" && return 0
    say "not installed: ${absent[*]}; $text"
    say "$reason"
}

# build FOLDER [CMAKE OPTION...]: configures and builds; shows what fails.
build() {
    local folder=$1 log

    shift
    log=$folder/build.log
    if ! mkdir -p "$folder" || ! : >"$log"; then
        say "cannot write to $folder: remove it if another user built there"
        return 1
    fi
    if cmake -G Ninja -S "$root" -B "$folder" "$@" >"$log" 2>&1 &&
        cmake --build "$folder" >>"$log" 2>&1; then
        return 0
    fi
    tail -n 60 "$log"
    say "the build in $folder failed; all of it is in $log"
    return 1
}
