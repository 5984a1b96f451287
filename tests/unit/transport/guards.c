/* SPDX-License-Identifier: MIT */
/*
 * Description: a bus error of a ring's page is survived, and told of that ring
 * alone; any other is what it would have been without us, and leaves the
 * guards as they were.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "transport/guard.h"
#include "vmring.h"

/* As many as there can be, and more. */
#define MANY 1000

static volatile sig_atomic_t plain, informed;
static size_t page;

static void handle_plain(int sig)
{
    CHECK_EQ(sig, SIGBUS);
    plain++;
}

static void handle_informed(int sig, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr & ~(page - 1);

    CHECK_EQ(sig, SIGBUS);
    CHECK(context);
    informed++;
    if (info->si_code > 0)
        CHECK(mmap((void *)at, page, PROT_READ, /* NOLINT */
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                   0) != MAP_FAILED);
}

/* Two pages of a file that has none: each is a bus error. */
static char *make_hollow(void)
{
    int fd = memfd_create("hollow", MFD_CLOEXEC);
    void *at;

    CHECK(fd >= 0);
    at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(at != MAP_FAILED);
    close(fd);
    return at;
}

static char peek(const volatile char *at)
{
    return *at;
}

static void touch_guarded(void)
{
    char *low = make_hollow(), *at = make_hollow();
    struct guard *other = guard_memory(low, 2 * page);
    struct guard *guard = guard_memory(at, 2 * page);

    CHECK(other && guard);
    CHECK_EQ(peek(&at[page + 7]), 0);
    CHECK(guard_is_broken(guard) && !guard_is_broken(other));
    at[page + 7] = 1;
    CHECK_EQ(peek(at), 0);
    guard_end(other);
    guard_end(guard);
    /* The next that has its place is whole. */
    guard = guard_memory(low, 2 * page);
    CHECK(guard && !guard_is_broken(guard));
    guard_end(guard);
    munmap(low, 2 * page);
    munmap(at, 2 * page);
}

static void before_us(void (*handler)(int))
{
    CHECK(signal(SIGBUS, handler) != SIG_ERR);
    CHECK_EQ(vmring_catch_sigbus(), 0);
    CHECK_EQ(vmring_catch_sigbus(), 0); /* it is not handed to itself */
}

/* One that was sent is handled as before, and no guard is lost by it. */
static void sent(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};

    before_us(SIG_IGN);
    CHECK_EQ(raise(SIGBUS), 0);
    touch_guarded();

    before_us(handle_plain);
    CHECK_EQ(raise(SIGBUS), 0);
    CHECK_EQ(plain, 1);
    touch_guarded();
    CHECK_EQ(plain, 1);

    action.sa_sigaction = handle_informed;
    sigemptyset(&action.sa_mask);
    CHECK_EQ(sigaction(SIGBUS, &action, NULL), 0);
    CHECK_EQ(vmring_catch_sigbus(), 0);
    CHECK_EQ(raise(SIGBUS), 0);
    CHECK_EQ(informed, 1);
    touch_guarded();
    CHECK_EQ(informed, 1);
}

/* Pages on both sides of a ring's are none of it. */
static void not_ours(void)
{
    char *at = make_hollow();
    struct guard *guard = guard_memory(at, page);

    CHECK_EQ(peek(at + page), 0);
    CHECK_EQ(informed, 2);
    guard_end(guard);
    guard = guard_memory(at + page, page);
    CHECK_EQ(peek(at), 0);
    CHECK_EQ(informed, 3);
    CHECK(!guard_is_broken(guard));
    guard_end(guard);
    munmap(at, 2 * page);
}

static int status_of(void (*handler)(int), bool touch)
{
    int status;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        before_us(handler);
        if (touch)
            (void)peek(make_hollow());
        else
            (void)raise(SIGBUS);
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

static void as_many_as_there_can_be(void)
{
    static struct guard *guard[MANY];
    static char memory[MANY];
    unsigned int nr = 0;

    while (nr < MANY && (guard[nr] = guard_memory(&memory[nr], 1)) != NULL)
        nr++;
    CHECK(nr >= 256 && nr < MANY);
    CHECK(!guard_is_broken(guard[nr])); /* none */
    guard_end(guard[nr]);
    guard_end(guard[3]);
    guard[3] = guard_memory(&memory[3], 1);
    CHECK(guard[3]);
    while (nr)
        guard_end(guard[--nr]);
}

int main(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    sent();
    not_ours();
    as_many_as_there_can_be();
    CHECK_EQ(WTERMSIG(status_of(SIG_DFL, false)), SIGBUS);
    CHECK_EQ(WTERMSIG(status_of(SIG_DFL, true)), SIGBUS);
    CHECK_EQ(status_of(SIG_IGN, false), 0);
    return 0;
}
