/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

static __thread unsigned int countdown; /* 0: not armed */
static __thread struct fault fired;
static long blocks;

/* Is this the call that is to fail? */
static bool fails(const char *call, int err)
{
    if (!countdown || --countdown)
        return false;
    fired = (struct fault){call, err};
    errno = err;
    return true;
}

/*
 * One wrapper: its type, name and parameters as declared, the arguments that
 * go through, what a failure returns, and the errno that is likely there.
 */
#define WRAP(type, name, parameters, arguments, failure, err)                  \
    type __real_##name parameters;                                             \
    type __wrap_##name parameters;                                             \
    type __wrap_##name parameters                                              \
    {                                                                          \
        if (fails(#name, err))                                                 \
            return failure;                                                    \
        return __real_##name arguments;                                        \
    }

WRAP(int, memfd_create, (const char *name, unsigned int flags), (name, flags),
     -1, EMFILE)
WRAP(int, ftruncate, (int fd, off_t len), (fd, len), -1, EFBIG)
WRAP(int, posix_fallocate, (int fd, off_t at, off_t len), (fd, at, len), ENOSPC,
     ENOSPC)
WRAP(void *, mmap,
     (void *at, size_t len, int prot, int flags, int fd, off_t off),
     (at, len, prot, flags, fd, off), MAP_FAILED, ENOMEM)
WRAP(int, fcntl, (int fd, int cmd, long arg), (fd, cmd, arg), -1, EBUSY)
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), -1, EIO)
WRAP(int, lstat, (const char *path, struct stat *st), (path, st), -1, EACCES)
WRAP(int, socket, (int domain, int type, int proto), (domain, type, proto), -1,
     EMFILE)
WRAP(int, socketpair, (int domain, int type, int proto, int *ends),
     (domain, type, proto, ends), -1, EMFILE)
WRAP(int, connect, (int fd, const struct sockaddr *addr, socklen_t len),
     (fd, addr, len), -1, EACCES)
WRAP(int, bind, (int fd, const struct sockaddr *addr, socklen_t len),
     (fd, addr, len), -1, EACCES)
WRAP(int, listen, (int fd, int backlog), (fd, backlog), -1, EADDRINUSE)
WRAP(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags),
     (fd, addr, len, flags), -1, EMFILE)
WRAP(int, getsockopt, (int fd, int level, int name, void *at, socklen_t *len),
     (fd, level, name, at, len), -1, ENOBUFS)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), -1, EPERM)
WRAP(int, flock, (int fd, int operation), (fd, operation), -1, ENOLCK)
WRAP(int, unlink, (const char *path), (path), -1, EPERM)
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),
     (fd, msg, flags), -1, ENOBUFS)
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags),
     (fd, msg, flags), -1, ENOMEM)
WRAP(ssize_t, send, (int fd, const void *at, size_t len, int flags),
     (fd, at, len, flags), -1, ENOBUFS)
WRAP(ssize_t, recv, (int fd, void *at, size_t len, int flags),
     (fd, at, len, flags), -1, EINTR)
WRAP(ssize_t, read, (int fd, void *at, size_t len), (fd, at, len), -1, EINTR)
WRAP(ssize_t, write, (int fd, const void *at, size_t len), (fd, at, len), -1,
     EINTR)
WRAP(ssize_t, getrandom, (void *at, size_t len, unsigned int flags),
     (at, len, flags), -1, ENOSYS)
WRAP(int, epoll_create1, (int flags), (flags), -1, EMFILE)
WRAP(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event),
     (epoll, op, fd, event), -1, ENOSPC)
WRAP(int, timerfd_create, (int clock, int flags), (clock, flags), -1, EMFILE)
WRAP(int, eventfd, (unsigned int value, int flags), (value, flags), -1, EMFILE)
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attr, void *(*fn)(void *),
      void *ctx),
     (thread, attr, fn, ctx), EAGAIN, EAGAIN)

void (*faults_idle)(void);

int __real_poll(struct pollfd *fds, nfds_t nr, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t nr, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t nr, int ms)
{
    unsigned int left;

    if (fails("poll", EINTR))
        return -1;
    left = countdown;
    countdown = 0;
    if (faults_idle && ms)
        faults_idle();
    countdown = left;
    return __real_poll(fds, nr, ms);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode = 0;

    if (fails("open", EMFILE))
        return -1;
    va_start(args, flags);
    if (flags & O_CREAT)
        mode = va_arg(args, mode_t);
    va_end(args);
    return __real_open(path, flags, mode);
}

static void *counted(void *at)
{
    if (at)
        __atomic_fetch_add(&blocks, 1, __ATOMIC_RELAXED);
    return at;
}

#define WRAP_ALLOCATION(name, parameters, arguments)                           \
    void *__real_##name parameters;                                            \
    void *__wrap_##name parameters;                                            \
    void *__wrap_##name parameters                                             \
    {                                                                          \
        return fails(#name, ENOMEM) ? NULL : counted(__real_##name arguments); \
    }

WRAP_ALLOCATION(malloc, (size_t len), (len))
WRAP_ALLOCATION(calloc, (size_t nr, size_t len), (nr, len))
WRAP_ALLOCATION(aligned_alloc, (size_t line, size_t len), (line, len))
WRAP_ALLOCATION(strdup, (const char *text), (text))
WRAP_ALLOCATION(strndup, (const char *text, size_t len), (text, len))

void *__real_realloc(void *at, size_t len);
void *__wrap_realloc(void *at, size_t len);
void *__wrap_realloc(void *at, size_t len)
{
    if (fails("realloc", ENOMEM))
        return NULL;
    return at ? __real_realloc(at, len) : counted(__real_realloc(at, len));
}

void __real_free(void *at);
void __wrap_free(void *at);
void __wrap_free(void *at)
{
    if (at)
        __atomic_fetch_sub(&blocks, 1, __ATOMIC_RELAXED);
    __real_free(at);
}

void faults_arm(unsigned int nth)
{
    fired = (struct fault){"nothing", 0};
    countdown = nth;
}

bool faults_disarm(struct fault *fault)
{
    countdown = 0;
    *fault = fired;
    return fired.err != 0;
}

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int nr = 0;

    CHECK(dir);
    while (readdir(dir))
        nr++;
    closedir(dir);
    return nr;
}

static int count_mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "re");
    char line[512];
    int nr = 0;

    CHECK(f);
    while (fgets(line, sizeof(line), f))
        nr += strstr(line, "memfd:vmring") != NULL;
    fclose(f);
    return nr;
}

struct holding faults_holding(void)
{
    return (struct holding){
        .descriptors = count_descriptors(),
        .mappings = count_mappings(),
        .blocks = __atomic_load_n(&blocks, __ATOMIC_RELAXED),
    };
}

void faults_check_holding(const struct holding *before,
                          const struct fault *fault)
{
    struct holding now = faults_holding();

    if (!memcmp(&now, before, sizeof(now)))
        return;
    fprintf(stderr,
            "after a failing %s: %d descriptors, %d mappings, %ld blocks; "
            "before: %d, %d, %ld\n",
            fault->call, now.descriptors, now.mappings, now.blocks,
            before->descriptors, before->mappings, before->blocks);
    exit(1);
}

static int expected(const struct walk *walk, const struct fault *fault)
{
    const struct expectation *expect = walk->expect;

    for (; expect && expect->call; expect++)
        if (!strcmp(expect->call, fault->call))
            return expect->result;
    return -fault->err;
}

/* One step.  false: no call was left to fail. */
static bool step(const struct walk *walk, unsigned int nth)
{
    struct holding before = faults_holding();
    struct fault fault;
    bool failed;
    int ret, right;

    if (walk->prepare)
        walk->prepare();
    faults_arm(nth);
    ret = walk->op();
    failed = faults_disarm(&fault);
    right = failed ? expected(walk, &fault) : walk->success;
    if (ret != right) {
        fprintf(stderr, "call %u, %s, failing: %d is returned, not %d\n", nth,
                fault.call, ret, right);
        exit(1);
    }
    if (walk->settle)
        walk->settle();
    faults_check_holding(&before, &fault);
    return failed;
}

unsigned int faults_walk(const struct walk *walk)
{
    unsigned int nth = 1;

    while (step(walk, nth))
        nth++;
    return nth - 1;
}
