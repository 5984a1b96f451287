#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: the installed library serves C and C++, shared and static.
#
# usage: installed.sh SOURCE_DIR BUILD_DIR COMPILER [SANITIZERS]
set -eu
source=$1 build=$2 cc=$3 sanitize=${4:+-fsanitize=$4}
command -v pkg-config >/dev/null || {
    echo 'no pkg-config'
    exit 77
}
case $cc in
*clang*) cxx=clang++ ;;
*) cxx=g++ ;;
esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cmake --install "$build" --prefix "$dir/usr" >/dev/null
pc=$(find "$dir/usr" -name vmring.pc)
lib=$(dirname "$(dirname "$pc")")
# The file says where it was configured for; this is where it is.
export PKG_CONFIG_PATH="$lib/pkgconfig" PKG_CONFIG_SYSTEM_LIBRARY_PATH=/none
query="pkg-config --define-variable=prefix=$dir/usr"
[ "$($query --modversion vmring)" ]
cp "$source/tests/build/installed.c" "$dir/user.c"
cp "$source/tests/build/installed.c" "$dir/user.cc"

failed=0
# user NAME COMPILER FILE FLAGS LIBS: builds it, runs it.
user() {
    # shellcheck disable=SC2086  # lists of words
    if "$2" -Wall -Wextra -Werror $sanitize -o "$dir/$1" "$dir/$3" $4 $5 &&
        LD_LIBRARY_PATH=$lib timeout -s KILL 60 "$dir/$1"; then
        return
    fi
    echo "failed: $1"
    failed=1
}

cflags=$($query --cflags vmring)
shared=$($query --libs vmring)
static=$($query --static --libs vmring |
    sed 's/-lvmring/-Wl,-Bstatic -lvmring -Wl,-Bdynamic/')
user c_shared "$cc" user.c "$cflags" "$shared"
user c_static "$cc" user.c "$cflags" "$static"
if command -v $cxx >/dev/null; then
    user cxx_shared $cxx user.cc "$cflags" "$shared"
    user cxx_static $cxx user.cc "$cflags" "$static"
else
    echo "no $cxx"
fi

# The shared ones stand on the library, the static ones on nothing of ours.
for name in c_shared cxx_shared; do
    [ ! -e "$dir/$name" ] || readelf -d "$dir/$name" | grep -q libvmring.so.0 ||
        failed=1
done
if readelf -d "$dir/c_static" | grep libvmring; then
    failed=1
fi
exit $failed
