/* SPDX-License-Identifier: MIT */
/*
 * Description: a connection is kept as long as its peer has not read what it
 * was handed, so that no user is handed more than has its limit.
 */
#include "transport/local/unread.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "transport/local/socket.h"

static struct unread unread;
static int peer[8];

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* Closed, with a message that is not read if `says`. */
static int closed(unsigned int i, bool says, uid_t uid)
{
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    peer[i] = ends[1];
    if (says)
        CHECK_EQ(socket_send(ends[0], 1, "text", 4, NULL, 0), 0);
    unread_close(&unread, ends[0], uid);
    return ends[0];
}

/* It is all there, and then the end. */
static void peer_reads(unsigned int i)
{
    char text[8];
    uint32_t type;
    unsigned int nr;

    CHECK_EQ(socket_recv(peer[i], &type, text, sizeof(text), NULL, 0, &nr), 4);
    CHECK_EQ(socket_recv(peer[i], &type, text, sizeof(text), NULL, 0, &nr),
             -ECONNRESET);
}

int main(void)
{
    int kept[8];

    CHECK(unread_allows(&unread, 5));
    CHECK(!is_open(closed(0, false, 5)));
    kept[1] = closed(1, true, 5);
    CHECK(is_open(kept[1]));
    CHECK(unread_allows(&unread, 5));
    kept[2] = closed(2, true, 5);
    CHECK(is_open(kept[2]));
    CHECK(!unread_allows(&unread, 5)); /* this user has enough */
    CHECK(unread_allows(&unread, 6));
    kept[3] = closed(3, true, 6);
    kept[4] = closed(4, true, 7);
    CHECK(is_open(kept[3]) && is_open(kept[4]));
    CHECK(!unread_allows(&unread, 8)); /* and now nobody has any room */
    CHECK(!is_open(closed(5, true, 8)));

    peer_reads(2);
    CHECK(unread_allows(&unread, 5));
    CHECK(!is_open(kept[2]));
    CHECK(is_open(kept[1]) && is_open(kept[3]) && is_open(kept[4]));
    close(peer[1]); /* or it goes without a look at it */
    CHECK(unread_allows(&unread, 8));
    CHECK(!is_open(kept[1]));
    unread_end(&unread);
    CHECK(!is_open(kept[3]) && !is_open(kept[4]));
    CHECK(unread_allows(&unread, 6));
    return 0;
}
