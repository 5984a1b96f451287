/* SPDX-License-Identifier: MIT */
/*
 * Description: one bridge a domain: the lock keeps another out and names who
 * has it, ends with its process, however that ends, and leaves no file.
 */
#include <signal.h>
#include <sys/wait.h>

#define RUN_DIRECTORY "bridge_lock.run"
#include "bridge/monitor/lock.c"
#include "bridge/run_directory.c"

#include "check.h"

#define NAME "dom5.lock"
#define LOCK RUN_DIRECTORY "/" NAME

static struct source_start start;
static const struct target five = {.domid = 5, .name = "five"};
static const struct target six = {.domid = 6, .name = "six"};
static struct lock lock;

/* Another bridge, which says by a byte that it has the lock. */
static pid_t start_another(void)
{
    int ready[2];
    char byte;
    pid_t pid;

    CHECK_EQ(pipe(ready), 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct lock other = LOCK_NONE;

        if (lock_take(&other, &five, &start) == 0 &&
            write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    CHECK_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

/* What the file says of its owner. */
static int noted_pid(void)
{
    char text[16] = "";
    int fd = open(LOCK, O_RDONLY);

    CHECK(fd >= 0);
    CHECK(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    return atoi(text);
}

/* Whoever shares learns where the other serves; nobody else does. */
static void serves_elsewhere(void)
{
    struct lock late = LOCK_NONE;

    lock_serves(&lock, "local:/run/somewhere.sock");
    CHECK_EQ(noted_pid(), getpid());
    CHECK_EQ(lock_take(&late, &five, &start), EXIT_BUSY);
    start.shares = true;
    CHECK_EQ(lock_take(&late, &five, &start), SOURCE_SHARED);
    CHECK_STR(start.other, "local:/run/somewhere.sock");
    /* One that serves by no socket cannot be shared. */
    lock_serves(&lock, "which serves the agents of domain 7");
    CHECK_EQ(lock_take(&late, &five, &start), EXIT_BUSY);
    start.shares = false;
}

/* What one that was killed says it raised, and from what; is it believed? */
static bool taken_over(const char *note)
{
    struct lock heir = LOCK_NONE;
    int fd = open(LOCK, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0);
    CHECK_EQ(write(fd, note, strlen(note)), strlen(note));
    close(fd);
    CHECK_EQ(lock_take(&heir, &five, &start), 0);
    CHECK_EQ(heir.held, heir.raised_max_kb != 0);
    CHECK_EQ(heir.ring_gfn, heir.held ? 8 : 0);
    CHECK_EQ(heir.fresh_gfn, heir.held ? 7 : 0);
    /* What is noted of a frame stays until it is put back. */
    heir.fresh_gfn = 0;
    lock_release(&heir);
    CHECK_EQ(heir.found_max_kb, heir.raised_max_kb ? 262144 : 0);
    CHECK_EQ(heir.raised_max_kb, heir.found_max_kb ? 262152 : 0);
    return heir.raised_max_kb;
}

static const struct {
    const char *note;
    bool believed;
} notes[] = {
    {"71 262144 262152 1 8 7 local:/run/x.sock", true},
    {"71 262144 262152 1 8 7 ", true},
    {"", false},
    {"71 262144", false},
    {"71 262144 262152 1 8 7", false}, /* cut short */
    {"71 262144 99999999999999999999999 1 8 7 ", false},
    {"71 262144k 262152 1 8 7 ", false},
};

static void heirs(void)
{
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        CHECK_ROW(notes[i].note);
        CHECK_EQ(taken_over(notes[i].note), notes[i].believed);
    }
    CHECK_ROW(NULL);
}

/* Killed while it holds its domain paused, or after that. */
static bool left_held(bool released)
{
    struct lock heir = LOCK_NONE;
    int status;
    pid_t pid = fork();
    bool held;

    CHECK(pid >= 0);
    if (pid == 0) {
        struct lock dying = LOCK_NONE;

        if (lock_take(&dying, &five, &start) || !dying.map)
            _exit(1);
        lock_serves(&dying, "local:/run/x.sock");
        dying.held = true;
        lock_note_held(&dying);
        dying.held = !released;
        lock_note_held(&dying);
        raise(SIGKILL);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(lock_take(&heir, &five, &start), 0);
    held = heir.held;
    lock_release(&heir);
    return held;
}

/* Nothing can be mapped: it is written, as it is before the sandbox. */
static void held_without_a_map(void)
{
    struct lock heir = LOCK_NONE;

    CHECK_EQ(lock_take(&heir, &five, &start), 0);
    munmap(heir.map, HELD_AT + 1);
    heir.map = NULL;
    heir.held = true;
    lock_note_held(&heir);
    heir.held = false;
    take_over(&heir);
    CHECK(heir.held);
    lock_release(&heir);
}

/* What is there is no file: it is left, and not waited for. */
static void something_else_is_there(void)
{
    CHECK_EQ(mkdir(LOCK, 0700), 0);
    CHECK_EQ(lock_take(&lock, &five, &start), EXIT_FAULT);
    CHECK_EQ(rmdir(LOCK), 0);
    CHECK_EQ(symlink("nowhere", LOCK), 0);
    CHECK_EQ(lock_take(&lock, &five, &start), EXIT_FAULT);
    CHECK_EQ(lock.fd, -1);
    CHECK_EQ(unlink(LOCK), 0);
}

/* Each domain has its own, which is gone with whoever had it. */
static void comes_and_goes(void)
{
    struct lock another = LOCK_NONE;

    CHECK_EQ(lock_take(&lock, &five, &start), 0);
    CHECK_EQ(noted_pid(), getpid());
    CHECK_EQ(lock_take(&another, &six, &start), 0);
    lock_release(&another);
    lock_release(&another); /* once is enough */
    lock_release(&lock);
    CHECK(access(LOCK, F_OK) < 0);
}

static void another_has_it(void)
{
    pid_t pid = start_another();

    CHECK_EQ(noted_pid(), pid);
    CHECK_EQ(lock_take(&lock, &five, &start), EXIT_BUSY);
    CHECK_EQ(lock.fd, -1);
    CHECK_EQ(noted_pid(), pid);
    /* It does not say where it serves. */
    start.shares = true;
    CHECK_EQ(lock_take(&lock, &five, &start), EXIT_BUSY);
    start.shares = false;
    /* Killed, it leaves its file and no lock. */
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    CHECK_EQ(access(LOCK, F_OK), 0);
    CHECK_EQ(lock_take(&lock, &five, &start), 0);
    CHECK_EQ(noted_pid(), getpid());
    serves_elsewhere();
    lock_release(&lock);
}

/* A lock on a file that is no longer there is none. */
static void file_taken_away(void)
{
    pid_t pid;

    CHECK_EQ(lock_take(&lock, &five, &start), 0);
    CHECK(is_current(lock.folder, lock.fd, NAME));
    CHECK_EQ(unlink(LOCK), 0);
    CHECK(!is_current(lock.folder, lock.fd, NAME));
    pid = start_another();
    CHECK(!is_current(lock.folder, lock.fd, NAME));
    lock_release(&lock); /* not the other's */
    CHECK_EQ(lock_take(&lock, &five, &start), EXIT_BUSY);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    CHECK_EQ(lock_take(&lock, &five, &start), 0);
    lock_release(&lock);
}

/* Confined to another folder it leaves its file, and no lock. */
static void confined_elsewhere(void)
{
    CHECK_EQ(lock_take(&lock, &five, &start), 0);
    lock_forget_place(&lock);
    CHECK_EQ(lock.folder, -1);
    lock_release(&lock);
    CHECK_EQ(access(LOCK, F_OK), 0);
    CHECK_EQ(lock_take(&lock, &five, &start), 0);
    lock_release(&lock);
}

/* Agents reach the folder whatever the umask of its maker. */
static void folder_is_open(void)
{
    struct stat st;

    CHECK_EQ(rmdir(RUN_DIRECTORY), 0);
    umask(077);
    CHECK_EQ(lock_take(&lock, &five, &start), 0);
    CHECK_EQ(stat(RUN_DIRECTORY, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0755);
    lock_release(&lock);
    CHECK_EQ(rmdir(RUN_DIRECTORY), 0);
}

int main(void)
{
    lock = LOCK_NONE;
    bridge_log_threshold(LOG_EMERG);
    (void)unlink(LOCK);
    CHECK(left_held(false));
    CHECK(!left_held(true));
    held_without_a_map();
    something_else_is_there();
    comes_and_goes();
    another_has_it();
    heirs();
    file_taken_away();
    confined_elsewhere();
    folder_is_open();
    return 0;
}
