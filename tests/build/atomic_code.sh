#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: each primitive of atomic.h compiles to the instruction that
# orders as its name says, for arm64 with and without LSE and for x86-64. On
# x86 alone running cannot tell: it orders more than was asked for.
#
# usage: atomic_code.sh SOURCE_DIR
set -u
source=$1
arm=aarch64-linux-gnu-gcc
command -v $arm >/dev/null || {
    echo "$arm is not here"
    exit 77
}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

cat >"$dir/all.c" <<'END'
#include "core/atomic.h"
typedef xen_vm_ring_u64 word;
uint64_t load_relaxed(word *p) { return vmr_load_relaxed(p); }
uint64_t load_acquire(word *p) { return vmr_load_acquire(p); }
void store_relaxed(word *p, uint64_t v) { vmr_store_relaxed(p, v); }
void store_release(word *p, uint64_t v) { vmr_store_release(p, v); }
uint32_t load_relaxed32(uint32_t *p) { return vmr_load_relaxed32(p); }
uint32_t load_acquire32(uint32_t *p) { return vmr_load_acquire32(p); }
void store_relaxed32(uint32_t *p, uint32_t v) { vmr_store_relaxed32(p, v); }
void store_release32(uint32_t *p, uint32_t v) { vmr_store_release32(p, v); }
void fence_acquire(void) { vmr_fence_acquire(); }
void fence_release(void) { vmr_fence_release(); }
void fence_full(void) { vmr_fence_full(); }
void add_relaxed(word *p, uint64_t v) { vmr_add_relaxed(p, v); }
bool trylock(uint32_t *p) { return vmr_trylock(p); }
void unlock(uint32_t *p) { vmr_unlock(p); }
bool or_bits(word *p, uint64_t bits) { return vmr_or(p, bits); }
bool exchange(word *p, uint64_t v, uint64_t *old)
{
    return vmr_exchange(p, v, old);
}
END

# compile COMPILER...: $dir/code has the instructions of all functions.
compile() {
    what=$*
    "$@" -std=gnu11 -O2 -S -fno-asynchronous-unwind-tables \
        -fcf-protection=none -fno-stack-protector -U_FORTIFY_SOURCE \
        -I"$source/libvmring" -I"$source/include" \
        -o "$dir/code" "$dir/all.c" 2>"$dir/log" && return
    cat "$dir/log"
    exit 1
}

# has FUNCTION PATTERN...: its code has a line like each of them.
# has FUNCTION !PATTERN...: and none like these.
has() {
    function=$1
    shift
    awk -v name="$function:" '$1 == name { on = 1 }
        on && $1 == ".size" { exit } on { print }' "$dir/code" >"$dir/one"
    for pattern; do
        case $pattern in
        !*) ! grep -Eq "^[[:space:]]+(${pattern#!})" "$dir/one" ;;
        *) grep -Eq "^[[:space:]]+($pattern)" "$dir/one" ;;
        esac && continue
        echo "$what: $function: not so: $pattern"
        cat "$dir/one"
        failed=1
    done
}

# What is the same with and without LSE.
arm64() {
    has load_relaxed 'ldr[[:space:]]' '!lda|dmb'
    has load_acquire 'lda(p)?r[[:space:]]'
    has store_relaxed 'str[[:space:]]' '!stl|dmb'
    has store_release 'stlr[[:space:]]'
    has load_relaxed32 'ldr[[:space:]]+w' '!lda|dmb'
    has load_acquire32 'lda(p)?r[[:space:]]+w'
    has store_relaxed32 'str[[:space:]]+w' '!stl|dmb'
    has store_release32 'stlr[[:space:]]+w'
    # For loads alone ishld is enough; a release has to wait for stores too.
    has fence_acquire 'dmb[[:space:]]+ish'
    has fence_release 'dmb[[:space:]]+ish$'
    has fence_full 'dmb[[:space:]]+ish$'
    has unlock 'stlr[[:space:]]+w'
}

compile $arm -mno-outline-atomics
arm64
has add_relaxed 'ldxr' 'stxr'
has trylock 'ldaxr'
# Bounded by a count of ours: not for ever while the peer writes the line.
has or_bits 'ldxr' 'stxr' '(subs|cmp)'
has exchange 'ldxr' 'stxr' '(subs|cmp)'

compile $arm -march=armv8.1-a
arm64
has add_relaxed '(ldadd|stadd)[[:space:]]'
has trylock 'swpa(l)?[[:space:]]'
has or_bits '(ldset|stset)[[:space:]]' '!ldxr|ldaxr'
has exchange 'swp(a|l|al)?[[:space:]]' '!ldxr|ldaxr'

[ "$(uname -m)" = x86_64 ] || exit $failed
compile gcc -m64
has load_relaxed 'movq' '!lock|xchg|mfence'
has load_acquire 'movq' '!lock|xchg|mfence'
has store_relaxed 'movq' '!lock|xchg|mfence'
has store_release 'movq' '!lock|xchg|mfence'
has fence_acquire '!lock|mfence'
has fence_release '!lock|mfence'
# The only one that x86 has to be told of: a store before a later load.
has fence_full '(lock|mfence)'
has add_relaxed 'lock'
has trylock 'xchg'
# One instruction, no loop.
has or_bits 'lock[[:space:]]+or' '!j'
has exchange 'xchg' '!j'
exit $failed
