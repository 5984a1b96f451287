/* SPDX-License-Identifier: MIT */
/* rendezvous.c: what both ends do with nodes of xenstore. */
#include "rendezvous.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../text/word.h"
#include "xenstore.h"

int rendezvous_parse(const char *text, uint32_t *domid,
                     char target[RENDEZVOUS_NAME])
{
    struct word rest = {text, strlen(text)}, head;
    uint64_t number;

    if (!word_cut(&rest, '/', &head) || word_number(head, 0x7fef, &number) ||
        rest.len == 0 || rest.len >= RENDEZVOUS_NAME)
        return -EINVAL;
    for (size_t i = 0; i < rest.len; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                    "0123456789-_",
                    rest.at[i]))
            return -EINVAL;
    *domid = (uint32_t)number;
    memcpy(target, rest.at, rest.len);
    target[rest.len] = '\0';
    return 0;
}

struct xs_handle *xenstore_open(char *error, size_t error_len, int *err)
{
    struct xs_handle *xs = xs_open(0);

    *err = xs ? 0 : -errno;
    if (!xs)
        (void)fail(*err, error, error_len,
                   "cannot reach xenstore: %s; is this a domain of Xen, and "
                   "is /dev/xen/xenbus or xenstored's socket there?",
                   strerror(errno));
    return xs;
}

int xenstore_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
                  char text[XENSTORE_TEXT])
{
    unsigned int len;
    char *value = xs_read(xs, t, path, &len);
    int err = 0;

    if (!value)
        return -errno;
    if (len >= XENSTORE_TEXT - 1 || memchr(value, '\0', len))
        err = -EPROTO;
    text[0] = ' ';
    if (!err)
        memcpy(text + 1, value, len);
    text[err ? 0 : len + 1] = '\0';
    free(value);
    return err;
}

int xenstore_write(struct xs_handle *xs, const char *path, const char *text)
{
    return xs_write(xs, XBT_NULL, path, text, (unsigned int)strlen(text))
               ? 0
               : -errno;
}

bool xenstore_is_lost(int err)
{
    return err == -EIO || err == -EPIPE || err == -EBADF || err == -ENODEV ||
           err == -ECONNRESET || err == -ENOTCONN;
}

int xenstore_drain(struct xs_handle *xs, const char *token, bool *seen)
{
    int nr = 0;

    while (nr < XENSTORE_EVENTS) {
        char **event = xs_check_watch(xs);

        if (!event)
            return errno == EAGAIN ? nr : -EPIPE;
        if (!strcmp(event[XS_WATCH_TOKEN], token))
            *seen = true;
        free(event);
        nr++;
    }
    return nr; /* its descriptor stays readable */
}
