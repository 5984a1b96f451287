/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <string.h>

/* No such structure will be longer: a greater one was never set. */
#define MAX_SIZE 4096

static int check_size(size_t size)
{
    return size < sizeof(size_t) || size > MAX_SIZE ? -EINVAL : 0;
}

int options_copy(void *ours, size_t size, const void *theirs)
{
    size_t theirs_size, common;

    memcpy(&theirs_size, theirs, sizeof(theirs_size));
    if (check_size(theirs_size))
        return -EINVAL;
    for (size_t i = size; i < theirs_size; i++)
        if (((const unsigned char *)theirs)[i])
            return -E2BIG;
    common = theirs_size < size ? theirs_size : size;
    memset(ours, 0, size);
    memcpy(ours, theirs, common);
    return 0;
}

int options_fill(void *theirs, const void *ours, size_t size)
{
    size_t theirs_size;

    memcpy(&theirs_size, theirs, sizeof(theirs_size));
    if (check_size(theirs_size))
        return -EINVAL;
    memset(theirs, 0, theirs_size);
    memcpy(theirs, ours, theirs_size < size ? theirs_size : size);
    memcpy(theirs, &theirs_size, sizeof(theirs_size));
    return 0;
}
