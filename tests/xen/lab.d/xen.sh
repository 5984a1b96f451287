# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Hypervisors that are built here, from Debian's source package: `debug` checks
# itself, with its assertions and its sanitizer of undefined behaviour; `vmring`
# is the producer of the ring itself (hypervisor/), and `vmring-debug` is both;
# `vmring-second` is one without the legacy ring and waitqueues, and
# `vmring-second-debug` is that and `debug`; `plain` is as Debian's, to be
# compared with.
#
# Debian's own is built without either: what would fail an assertion goes on
# there, until it does harm. Each is kept in the cache, named after the source
# and this recipe, and boots with the tools of the base: source and tools are of
# the same release of Xen, whose interface of domctls does not change.

readonly built_xens='debug plain vmring vmring-debug vmring-second '\
'vmring-second-debug'

# hypervisor/hooks.patch is for this source: sha256 of xen_VERSION.orig.tar.xz.
readonly hooks_version=4.17.5+72-g01140da4e8
readonly hooks_sha256=53922f4d0a02c577f2ea9d63f65989cd88715779eebeed879ca1d314103ee06e

xen_options() { # WHICH
    case $1 in
    *debug) printf 'CONFIG_DEBUG=y\nCONFIG_UBSAN=y\n' ;;
    *) echo '# CONFIG_DEBUG is not set' ;;
    esac
    case $1 in
    vmring*) printf 'CONFIG_UNSUPPORTED=y\nCONFIG_VM_RING=y\n' ;;
    esac
    case $1 in
    vmring-second*) echo '# CONFIG_VM_EVENT_LEGACY is not set' ;;
    esac
    echo '# CONFIG_SHADOW_PAGING is not set'
}

# What the build takes besides a compiler. They are installed.
readonly xen_packages='gcc make flex bison dpkg-dev'

# The versions of this release of Xen, the newest first.
source_versions() {
    private_apt "$1" apt-cache showsrc --only-source xen 2>/dev/null |
        sed -n "s/^Version: \($2\..*\)/\1/p" | sort -rVu
}

# Leaves the source package in FOLDER: the one of the cache, if there is one.
fetch_source() { # FOLDER SERIES
    local kept=$cache/source-$2 new=$cache/source-$2.$$
    mkdir -p "$1" "$cache"
    if ! compgen -G "$kept/*.dsc" >/dev/null; then
        download_source "$new" "$2" || { rm -rf "$new"; return 1; }
        # Another run may have been first.
        mv -T "$new" "$kept" 2>/dev/null || rm -rf "$new"
    fi
    cp "$kept"/* "$1"
}

download_source() { # FOLDER SERIES
    local version versions state=$cache/sources-$release
    [ -s "$state/sources.list" ] ||
        write_sources deb-src "$state/sources.list" || return 1
    versions=$(source_versions "$state" "$2")
    if [ -z "$versions" ]; then
        private_apt "$state" apt-get -qq update || return 1
        versions=$(source_versions "$state" "$2")
    fi
    mkdir -p "$1"
    for version in $versions; do
        # It may be listed and not be there any more.
        if (cd "$1" && private_apt "$state" apt-get -qq --only-source --download-only \
            source "xen=$version" 2>/dev/null) &&
            compgen -G "$1/*.dsc" >/dev/null; then
            return 0
        fi
        rm -f "$1"/*
    done
    return 1
}

install_packages() { # PACKAGE...
    local package missing=()
    for package; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null |
            grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    as_root true || return 1
    update_lists || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        --no-install-recommends -y install "${missing[@]}"
}

# What makes one: this recipe, and what hypervisor/place puts into it.
xen_recipe() { # WHICH
    local hypervisor=$lab_dir/../../hypervisor tree=$lab_dir/../..
    {
        cat "$lab_dir/lab.d/xen.sh"
        xen_options "$1"
        case $1 in
        vmring*)
            cat "$hypervisor"/{place,hooks.patch,second.patch} \
                "$hypervisor"/include/xen/* \
                "$hypervisor"/common/vm_ring/* "$tree"/libvmring/core/* \
                "$tree"/libvmring/vm_event/* \
                "$tree"/include/xen/public/vm_ring*.h
            ;;
        esac
    } | sha256sum | cut -c1-12
}

# The source that the hooks are for, and no other.
check_source() { # FOLDER
    local found
    found=$(sha256sum "$1"/*.orig.tar.xz | cut -d' ' -f1) || return 1
    [ "$found" = "$hooks_sha256" ] && return 0
    note "hypervisor/hooks.patch is for Xen $hooks_version;" \
        "$(basename "$1"/*.orig.tar.xz) is another source (sha256 $found)"
    return 1
}

# Leaves in FOLDER the source that the hooks are for.
unpack_source() { # FOLDER
    local package
    command -v dpkg-source >/dev/null || unavailable "there is no dpkg-source"
    package=$(mktemp -d "${TMPDIR:-/tmp}/vmring-source.XXXXXX")
    fetch_source "$package" "${hooks_version%.*}" || {
        rm -rf "$package"
        unavailable "the source package of Xen $hooks_version cannot be had"
    }
    check_source "$package" &&
        dpkg-source --no-check -x "$package"/*.dsc "$1" >/dev/null 2>&1 || {
        rm -rf "$package"
        return 1
    }
    rm -rf "$package"
}

# GIT: Xen's version would name the repository that it is built in. Beside OUT
# comes OUT.livepatch, one of Xen's own tests: it fits this very build alone.
build_xen() { # WHICH SOURCE OUT LOG
    local make=(make -C "$2/xen" GIT=/bin/false) option
    ! command -v ccache >/dev/null || make+=(CC='ccache gcc')
    dpkg-source --no-check -x "${2%/*}"/*.dsc "$2" >"$4" 2>&1 || return 1
    case $1 in
    vmring*)
        check_source "${2%/*}" &&
            "$lab_dir/../../hypervisor/place" "$2" >>"$4" 2>&1 || return 1
        ;;
    esac
    xen_options "$1" >"$2/xen/.config" &&
        "${make[@]}" olddefconfig >>"$4" 2>&1 &&
        nice "${make[@]}" "-j$(nproc)" >>"$4" 2>&1 &&
        "${make[@]}" tests >>"$4" 2>&1 || return 1
    # Options that no version of Xen knows any more vanish in silence.
    while read -r option; do
        grep -qx "$option" "$2/xen/.config" || return 1
    done < <(xen_options "$1")
    cp "$2/xen/test/livepatch/xen_hello_world.livepatch" "$3.livepatch"
    cp "$2/xen/xen" "$3"
}

# Sets $xen to one that is built here, making it when there is none.
prepare_xen() { # WHICH
    local kept lock work=$cache/making-xen-$1 series=${xen_version%.*}
    kept=$cache/xen-$1-$series-$(xen_recipe "$1")
    exec {lock}>"$cache/lock-xen-$1"
    # One that is there is whole.
    [ -s "$kept" ] || flock -n "$lock" ||
        long_step "waiting for another run to build Xen" flock "$lock"
    if [ ! -s "$kept" ]; then
        rm -rf "$work"
        mkdir -p "$work/package"
        # shellcheck disable=SC2086 # a list of names
        long_step "installing what builds Xen" install_packages $xen_packages ||
            unavailable "these packages could not be installed:" \
                "$xen_packages"
        long_step "downloading Xen's source package" \
            fetch_source "$work/package" "$series" ||
            unavailable "the source package of Debian $release's Xen $series" \
                "cannot be had"
        long_step "building Xen ($1)" build_xen "$1" \
            "$work/package/xen" "$work/xen" "$cache/xen-$1-build.log" ||
            unavailable "Xen cannot be built; see $cache/xen-$1-build.log"
        mv "$work/xen.livepatch" "$kept.livepatch"
        mv "$work/xen" "$kept"
        rm -rf "$work"
    fi
    touch "$kept" "$kept.livepatch"
    xen=$kept
    exec {lock}>&-
}

# ----------------------------------- with the options at their defaults --

# A patch that makes of the tree BEFORE one that has the lines of AFTER and does
# what BEFORE does: what AFTER takes out is put back, and for each line that it
# has more there is an empty one. Numbers of lines are in the objects, in what
# BUG() and gdprintk() say.
empty_lines() { # BEFORE AFTER
    (cd "${1%/*}" && diff -ru "${1##*/}" "${2##*/}" || [ $? = 1 ]) | awk '
        function flush(   i) {
            for (i = 1; i <= removed; i++) print "-" old[i]
            for (i = 1; i <= removed; i++) print "+" old[i]
            for (; i <= added; i++) print "+"
            removed = added = 0
        }
        /^(---|\+\+\+) / || /^@@/ { flush(); print; next }
        /^(diff|Only in) / { flush(); next }
        /^-/ { old[++removed] = substr($0, 2); next }
        /^\+/ { added++; next }
        { flush(); print }
        END { flush() }'
}

# Leaves in TREE's xen/ the objects of it with the options of WHICH. The date
# would be in them.
build_objects() { # WHICH TREE LOG
    local make=(make -C "$2/xen" GIT=/bin/false)
    ! command -v ccache >/dev/null || make+=(CC='ccache gcc')
    xen_options "$1" >"$2/xen/.config" &&
        SOURCE_DATE_EPOCH=0 "${make[@]}" olddefconfig >>"$3" 2>&1 &&
        SOURCE_DATE_EPOCH=0 nice "${make[@]}" "-j$(nproc)" >>"$3" 2>&1
}

# Every object, of C or of assembler, but for those that others are linked to,
# and the configuration itself, which has the options by name.
objects_of() { # TREE
    (cd "$1/xen" && find . -name '*.o' ! -name 'built_in*' ! -name 'prelink*' \
        ! -name config_data.o | sort)
}

# Fails unless with the options of WHICH each object of the tree AFTER is that of
# the tree BEFORE, which gets its lines.
compare_objects() { # WHICH BEFORE AFTER LOG
    local tree object nr=0 bad=0
    empty_lines "$2" "$3" >"$2.patch"
    patch -s -f -p1 --no-backup-if-mismatch -d "$2" <"$2.patch" >>"$4" 2>&1 ||
        return 1
    for tree in "$2" "$3"; do
        long_step "building Xen ${tree##*/}" build_objects "$1" "$tree" "$4" ||
            return 1
    done
    for object in $(objects_of "$3"); do
        nr=$((nr + 1))
        cmp -s "$2/xen/$object" "$3/xen/$object" && continue
        echo "DIFFERS: $object"
        bad=1
    done
    echo "$nr objects of Xen ${3##*/}, with ${1}'s options:" \
        "$([ "$bad" != 0 ] || echo "the same as ")${2##*/}"
    [ "$nr" -gt 0 ] && return "$bad"
}

# hooks.patch without its option changes no object; nor does second.patch with
# the legacy ring left in, either way.
compare_off() {
    local work=$cache/xen-off log=$cache/xen-off.log status=0
    rm -rf "$work"
    mkdir -p "$work/package"
    # shellcheck disable=SC2086
    install_packages $xen_packages || unavailable "these packages could not be" \
        "installed: $xen_packages"
    long_step "downloading Xen's source package" \
        fetch_source "$work/package" "${hooks_version%.*}" ||
        unavailable "the source package of Xen $hooks_version cannot be had"
    check_source "$work/package" || return 1
    dpkg-source --no-check -x "$work/package"/*.dsc "$work/debian" >"$log" 2>&1
    cp -a "$work/debian" "$work/placed"
    "$lab_dir/../../hypervisor/place" "$work/placed" >>"$log" 2>&1 || return 1
    cp -a "$work/placed" "$work/first"
    patch -R -s -f -p1 --no-backup-if-mismatch -d "$work/first" \
        <"$lab_dir/../../hypervisor/second.patch" >>"$log" 2>&1 || return 1
    cp -a "$work/placed" "$work/second"
    compare_objects plain "$work/debian" "$work/placed" "$log" || status=1
    compare_objects vmring "$work/first" "$work/second" "$log" || status=1
    if [ "$status" = 0 ]; then
        rm -rf "$work"
    else
        note "see $log and $work"
    fi
    return "$status"
}
