/* SPDX-License-Identifier: MIT */
#include "print.h"

#include "machine.h"

#define DEBUG_PORT 0xe9 /* XEN_HVM_DEBUGCONS_IOPORT, xen/arch-x86/xen.h */
#define LOCK_TRIES 1000000

static uint32_t lock;

/* Bounded: a vCPU that dies must get its last words out in any case. */
static bool take_lock(void)
{
    for (unsigned int i = 0; i < LOCK_TRIES; i++) {
        if (!__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
            return true;
    }
    return false;
}

static void put(struct line *l, char c)
{
    if (l->len < LINE_LEN)
        l->text[l->len++] = c;
}

void line_text(struct line *l, const char *text)
{
    while (*text)
        put(l, *text++);
}

void line_begin(struct line *l, const char *text)
{
    l->len = 0;
    l->prefix_len = 0;
    line_text(l, "vmring-guest: ");
    line_text(l, text);
}

static unsigned int decimal(uint64_t value, char digits[20])
{
    unsigned int n = 0;

    do {
        digits[n++] = (char)('0' + divide(&value, 10));
    } while (value);
    return n;
}

void line_number(struct line *l, uint64_t value)
{
    char digits[20];
    unsigned int n = decimal(value, digits);

    while (n)
        put(l, digits[--n]);
}

void line_hex(struct line *l, uint32_t value)
{
    line_text(l, "0x");
    for (int shift = 28; shift >= 0; shift -= 4)
        put(l, "0123456789abcdef"[(value >> shift) & 15]);
}

/* Who has the lock writes a line by one instruction, and so in one exit. */
static char out[128] __attribute__((aligned(128)));

static void write_at_once(const struct line *l)
{
    for (unsigned int i = 0; i < l->len; i++)
        out[i] = l->text[i];
    out[l->len] = '\n';
    write_ports(DEBUG_PORT, out, l->len + 1);
}

void line_end(struct line *l)
{
    if (take_lock()) {
        write_at_once(l);
        __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
        return;
    }
    for (unsigned int i = 0; i < l->len; i++)
        write_port(DEBUG_PORT, (uint8_t)l->text[i]);
    write_port(DEBUG_PORT, '\n');
}

void line_prefix(struct line *l)
{
    l->prefix_len = l->len;
}

static unsigned int length(const char *text)
{
    unsigned int n = 0;

    while (text[n])
        n++;
    return n;
}

void line_pair(struct line *l, const char *key, const char *suffix,
               uint64_t value)
{
    char digits[20];
    unsigned int need = 2 + length(key) + decimal(value, digits);

    if (suffix)
        need += 1 + length(suffix);
    if (l->len + need > LINE_LEN) {
        line_end(l);
        l->len = l->prefix_len;
    }
    put(l, ' ');
    line_text(l, key);
    if (suffix) {
        put(l, '_');
        line_text(l, suffix);
    }
    put(l, '=');
    line_number(l, value);
}

void print(const char *text)
{
    struct line l;

    line_begin(&l, text);
    line_end(&l);
}
