# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Which Debian release's Xen, Linux and tools the lab boots, and how apt is
# asked about that release. The host's own release: as the host asks. Another
# one: with a state of apt's own, whose sources are the host's mirrors with the
# other release's name. It needs no root and changes nothing of the machine's.

# "RELEASE CODENAME" of each that the lab knows, the oldest first.
readonly known_releases='12 bookworm
13 trixie'

readonly debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

codename_of() { # RELEASE
    awk -v release="$1" '$1 "" == release { print $2; found = 1 }
        END { exit !found }' <<<"$known_releases"
}

# A value of /etc/os-release; empty where there is none.
os_release() { # KEY
    (
        unset "$1"
        # shellcheck source=/dev/null
        . "${LAB_OS_RELEASE:-/etc/os-release}" 2>/dev/null
        printf '%s' "${!1-}"
    )
}

# Sets $release to the WANTED one, or to the host's, or to the nearest one that
# is known; and $foreign, empty when that is the host's.
choose_release() { # WANTED|''
    local id version nearest name
    id=$(os_release ID)
    version=$(os_release VERSION_ID)
    release=$1
    if [ -z "$release" ]; then
        if [ "$id" = debian ] && codename_of "$version" >/dev/null; then
            release=$version
        else
            nearest=$(nearest_release "$id" "$version")
            name=$(os_release PRETTY_NAME)
            note "this is ${name:-a system without a name}, not Debian" \
                "$(known_list); the lab takes Debian $nearest's Xen and Linux"
            release=$nearest
        fi
    fi
    foreign=
    [ "$id" = debian ] && [ "$version" = "$release" ] || foreign=yes
}

known_list() {
    awk '{ printf "%s%s", sep, $1; sep = " or " }' <<<"$known_releases"
}

# Below the oldest it is the oldest. What has no number is newer than all.
nearest_release() { # ID VERSION_ID
    awk -v id="$1" -v version="$2" '
        NR == 1 || id != "debian" || version == "" || $1 <= version + 0 {
            nearest = $1
        }
        END { print nearest }' <<<"$known_releases"
}

# release_apt apt-get|apt-cache ARGUMENT...: asks about $release.
release_apt() {
    local command=$1
    shift
    if [ -z "$foreign" ]; then
        "$command" -o APT::Sandbox::User="$(id -un)" "$@"
    else
        private_apt "$cache/apt-$release" "$command" "$@"
    fi
}

# private_apt STATE COMMAND ARGUMENT...: by STATE/sources.list alone. Nothing is
# installed there, so that everything that a package needs is to be had.
private_apt() {
    local state=$1 command=$2
    shift 2
    mkdir -p "$state"/{lists/partial,archives/partial}
    "$command" -o "Dir::Etc::SourceList=$state/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Preferences=/dev/null \
        -o Dir::Etc::PreferencesParts=/dev/null \
        -o Dir::State::status=/dev/null -o "Dir::State::Lists=$state/lists" \
        -o "Dir::Cache=$state" -o APT::Sandbox::User="$(id -un)" \
        -o APT::Architecture=amd64 -o APT::Architectures=amd64 "$@"
}

# The mirrors that this machine takes Debian from, for $release: a TYPE is deb
# or deb-src. Fails when it takes Debian from nowhere.
write_sources() { # TYPE FILE
    local codename
    codename=$(codename_of "$release")
    [ -r "$debian_keyring" ] || return 1
    mkdir -p "${2%/*}"
    apt-get indextargets --format '$(ORIGIN)|$(SITE)|$(CODENAME)' \
        'Created-By: Packages' | sort -u | awk -F '|' -v type="$1" \
        -v key="$debian_keyring" -v codename="$codename" '
            # Not backports and the like.
            $1 == "Debian" && $3 ~ /^[a-z]+(-security|-updates)?$/ {
                sub(/^[a-z]+/, codename, $3)
                print type " [signed-by=" key "] " $2 " " $3 " main"
            }' >"$2.new"
    [ -s "$2.new" ] && mv "$2.new" "$2"
}

# The names of what the release's metapackages stand for just now.
depends_of() { # PACKAGE REGEX
    release_apt apt-cache depends --no-recommends --no-suggests "$1" \
        2>/dev/null | sed -nE "s/^ *Depends: ($2)\$/\1/p" | sort -u
}

# "name=version" of each that apt would take; fails unless it knows them all.
candidates() { # PACKAGE...
    local found
    found=$(release_apt apt-cache --no-all-versions show "$@" 2>/dev/null |
        awk '/^Package: / { name = $2 }
            /^Version: / { print name "=" $2 }' | sort -u)
    [ "$(printf '%s\n' "$found" | cut -d= -f1)" = \
        "$(printf '%s\n' "$@" | sort -u)" ] || return 1
    printf '%s\n' "$found"
}

# "name=version" of them and of all that they need.
closure() { # PACKAGE...
    local found
    found=$(release_apt apt-get -s --no-install-recommends \
        -o Dir::State::status=/dev/null -o Debug::NoLocking=1 install "$@" \
        2>/dev/null) || return 1
    sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*/\1=\2/p' <<<"$found"
}

# Packages of a release are unpacked into one tree in which /lib and the like
# are links into /usr, as on every Debian since 12: where a package still has
# a file in /lib, it is found below /usr all the same. (dpkg -x would put a
# folder in the link's place.)
merged_tree() { # TREE
    local name
    for name in bin sbin lib lib64; do
        mkdir -p "$1/usr/$name"
        ln -sfn "usr/$name" "$1/$name"
    done
}

unpack_into() { # TREE DEB
    dpkg-deb --fsys-tarfile "$2" |
        tar -x -C "$1" --keep-directory-symlink --no-same-owner
}

# Absolute links would lead out of the tree, to this machine's own files.
keep_links_inside() { # TREE
    local link up
    (cd "$1" && find . -type l -lname '/*' | while read -r link; do
        up=${link#./}
        up=$(sed -E 's#[^/]+/#../#g; s#[^/]+$##' <<<"$up")
        ln -sfn "$up$(readlink "$link" | sed 's#^/##')" "$link"
    done)
}
