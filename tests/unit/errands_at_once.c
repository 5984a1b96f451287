/* SPDX-License-Identifier: MIT */
/*
 * errands_at_once.c: nothing is faster than an errand, so that a test in one
 * thread knows where both ends are.  Linked with --wrap=errands_post.
 */
#include "transport/errand.h"

#include <unistd.h>

void __real_errands_post(struct errands *errands, struct errand *errand);
void __wrap_errands_post(struct errands *errands, struct errand *errand);
void __wrap_errands_post(struct errands *errands, struct errand *errand)
{
    __real_errands_post(errands, errand);
    while (errands_late(errands))
        usleep(100);
}
