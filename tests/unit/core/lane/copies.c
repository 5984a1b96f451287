/* SPDX-License-Identifier: MIT */
/*
 * Description: a body of any length is copied whole, from shared memory and to
 * it, and no word beside it is touched.
 *
 * Bodies of rings have few lengths, which are constants.  So this alone takes
 * each way through a copy.
 */
#include "core/atomic.h"
#include "rig.h"

#define MOST   48 /* words: of a record with registers, and more */
#define BESIDE UINT64_C(0x5e5e5e5e5e5e5e5e)

static uint64_t from[MOST], to[MOST + 2];

static void begin(void)
{
    for (unsigned int i = 0; i < MOST + 2; i++)
        to[i] = BESIDE;
}

static void check(unsigned int nr)
{
    CHECK_EQ(to[0], BESIDE);
    for (unsigned int i = 0; i < nr; i++)
        CHECK_EQ(to[1 + i], from[i]);
    for (unsigned int i = nr; i < MOST + 1; i++)
        CHECK_EQ(to[1 + i], BESIDE);
}

/* In one piece. */
static void check_whole(unsigned int nr)
{
    begin();
    vmr_copy_from_shared(to + 1, from, nr * sizeof(*from));
    check(nr);
    begin();
    vmr_copy_to_shared(to + 1, from, nr * sizeof(*from));
    check(nr);
}

/* In two pieces, as a record: its head, and its registers. */
static void check_pieces(unsigned int head, unsigned int nr)
{
    size_t rest = (nr - head) * sizeof(*from);

    begin();
    vmr_copy_from_shared(to + 1, from, head * sizeof(*from));
    vmr_copy_from_shared(to + 1 + head, from + head, rest);
    check(nr);
    begin();
    vmr_copy_to_shared(to + 1, from, head * sizeof(*from));
    vmr_copy_to_shared(to + 1 + head, from + head, rest);
    check(nr);
}

int main(void)
{
    for (unsigned int i = 0; i < MOST; i++)
        from[i] = i * UINT64_C(0x0123456789abcdef) + 1;
    for (unsigned int nr = 0; nr <= MOST; nr++) {
        check_whole(nr);
        for (unsigned int head = 0; head <= nr; head++)
            check_pieces(head, nr);
    }
    return 0;
}
