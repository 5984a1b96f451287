/* SPDX-License-Identifier: MIT */
/* unshared.c: see unshared.h. */
#include "unshared.h"

#include <xen/vm_ring.h>

#define PIECE  512U   /* pages: 2 MiB */
#define NOBODY 0x7ff0 /* DOMID_SELF: no domain maps pages as that */

static unsigned char *byte_of(struct grant_unshared *owed, uint32_t ref)
{
    return &owed->is[ref % GRANT_UNSHARED_REFS / 8];
}

static unsigned char bit_of(uint32_t ref)
{
    return (unsigned char)(1U << ref % 8);
}

void grant_unshared_took(struct grant_unshared *owed, const uint32_t *refs,
                         uint32_t nr)
{
    for (uint32_t i = 0; i < nr; i++) {
        unsigned char *byte = byte_of(owed, refs[i]);

        owed->nr -= (*byte & bit_of(refs[i])) != 0;
        *byte &= (unsigned char)~bit_of(refs[i]);
    }
}

void grant_unshared_gave(struct grant_unshared *owed, const uint32_t *refs,
                         uint32_t nr)
{
    for (uint32_t i = 0; i < nr; i++) {
        unsigned char *byte = byte_of(owed, refs[i]);

        owed->nr += (*byte & bit_of(refs[i])) == 0;
        *byte |= bit_of(refs[i]);
    }
}

/*
 * Piece by piece, as long as owed ones come: what the other domain still maps
 * is memory that is not there for this.
 */
void grant_unshared_ask(struct grant_unshared *owed, xengntshr_handle *gntshr,
                        uint32_t *refs, uint32_t nr)
{
    void *pieces[(XEN_VM_RING_DIRECTORY_MAX + PIECE - 1) / PIECE];
    unsigned int nr_pieces = 0;
    size_t before = owed->nr + 1;

    for (uint32_t from = 0; from < nr && owed->nr < before &&
                            nr_pieces < sizeof(pieces) / sizeof(*pieces);
         from += PIECE) {
        uint32_t here = nr - from < PIECE ? nr - from : PIECE;
        void *at =
            xengntshr_share_pages(gntshr, NOBODY, (int)here, refs + from, 0);

        if (!at)
            break;
        pieces[nr_pieces++] = at;
        before = owed->nr;
        grant_unshared_took(owed, refs + from, here);
    }
    /* The last first: they are given again in the order that they were. */
    while (nr_pieces--) {
        uint32_t from = nr_pieces * PIECE;

        xengntshr_unshare(gntshr, pieces[nr_pieces],
                          nr - from < PIECE ? nr - from : PIECE);
    }
}
