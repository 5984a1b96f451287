/* SPDX-License-Identifier: MIT */
/*
 * Description: a socket that is absent, stale, of another kind, served by
 * somebody else, or already served, each by its own error.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/local/socket.h"
#include "wired.h"

static char path[96], uri[128];

static void opens(int err, const char *needle)
{
    char error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts), .error = error, .error_len = sizeof(error)};
    struct vmring *ring;

    CHECK_EQ(vmring_open(uri, &opts, &ring), err);
    CHECK_HAS(error, needle);
}

static int serves(void)
{
    struct vmring_producer_opts opts = wired_opts();
    struct vmring_producer *producer;
    int ret;

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    ret = vmring_producer_serve(producer, uri, 0);
    vmring_producer_close(producer, NULL, NULL);
    return ret;
}

/* A socket of `type`, bound, and listening or not. */
static int bound(int type, int listening)
{
    struct sockaddr_un addr;
    int fd = socket(AF_UNIX, type, 0);

    CHECK_EQ(socket_address(path, &addr), 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    if (listening)
        CHECK_EQ(listen(fd, 1), 0);
    return fd;
}

/* Served by nobody's child: root would give its events to it. */
static void other_user(void)
{
    char folder[96];
    int ready[2];
    char byte;
    pid_t pid;

    if (geteuid() != 0)
        return;
    strcpy(folder, path);
    *strrchr(folder, '/') = '\0';
    CHECK_EQ(chown(folder, 65534, 65534), 0);
    CHECK_EQ(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(setgid(65534) | setuid(65534), 0);
        (void)bound(SOCK_SEQPACKET, 1);
        CHECK(write(ready[1], "", 1) == 1);
        close(ready[1]);
        (void)pause();
        exit(0);
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    opens(-EACCES, "neither root nor this user");
    kill(pid, 9);
    CHECK(waitpid(pid, NULL, 0) == pid);
    unlink(path);
    CHECK_EQ(chown(folder, 0, 0), 0);
}

/* A socket that nobody serves any more gives way. */
static void stale(void)
{
    struct stat st;
    int fd = bound(SOCK_SEQPACKET, 0);

    opens(-ECONNREFUSED, "nobody serves");
    close(fd);
    opens(-ECONNREFUSED, "nobody serves");
    CHECK_EQ(serves(), 0);
    CHECK(lstat(path, &st) < 0);
}

static void of_another_kind(void)
{
    int fd = bound(SOCK_STREAM, 1);

    opens(-ECONNREFUSED, "nobody serves");
    CHECK_EQ(serves(), -EADDRINUSE);
    close(fd);
    unlink(path);
}

/* What is no socket stays, and is not followed. */
static void no_socket(void)
{
    struct stat st;
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    CHECK(fd >= 0);
    close(fd);
    opens(-ECONNREFUSED, "is a file that is no socket");
    CHECK_EQ(serves(), -EEXIST);
    CHECK_EQ(lstat(path, &st), 0);
    CHECK(S_ISREG(st.st_mode));
    unlink(path);

    CHECK_EQ(symlink("nowhere", path), 0);
    CHECK_EQ(serves(), -EEXIST);
    CHECK_EQ(lstat(path, &st), 0);
    CHECK(S_ISLNK(st.st_mode));
    unlink(path);
}

static void served_already(void)
{
    struct vmring_producer_opts opts = wired_opts();
    pid_t producer = wired_serve(path, &opts, 1);
    struct stat st;

    CHECK_EQ(serves(), -EADDRINUSE);
    CHECK_EQ(lstat(path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    wired_check_alive(path, 1);
    wired_end(producer);
    opens(-ENOENT, path); /* it cleans up */
}

int main(void)
{
    wired_path(path);
    snprintf(uri, sizeof(uri), "local:%s", path);
    opens(-ENOENT, path);
    stale();
    of_another_kind();
    no_socket();
    other_user();
    served_already();
    memset(uri + 6, 'x', 110);
    uri[116] = '\0';
    opens(-ENAMETOOLONG, "too long");
    place_drop(path);
    return 0;
}
