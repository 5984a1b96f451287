/* SPDX-License-Identifier: MIT */
/*
 * Description: one bridge a domain: the lock keeps another out and names who
 * has it, ends with its process, however that ends, and leaves no file.
 */
#include <signal.h>
#include <sys/wait.h>

#define RUN_DIRECTORY "bridge_lock.run"
#include "bridge/monitor_lock.c"
#include "bridge/run_directory.c"

#include "check.h"

#define NAME "dom5.lock"
#define LOCK RUN_DIRECTORY "/" NAME

static struct source_start start;
static struct monitor monitor = {
    .domid = 5, .name = "five", .lock = -1, .lock_folder = -1};

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
        struct monitor other = {
            .domid = 5, .name = "five", .lock = -1, .lock_folder = -1};

        if (monitor_lock(&other, &start) == 0 && write(ready[1], "", 1) == 1)
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
    struct monitor late = {
        .domid = 5, .name = "five", .lock = -1, .lock_folder = -1};

    monitor_serves(&monitor, "local:/run/somewhere.sock");
    CHECK_EQ(noted_pid(), getpid());
    CHECK_EQ(monitor_lock(&late, &start), EXIT_BUSY);
    start.shares = true;
    CHECK_EQ(monitor_lock(&late, &start), SOURCE_SHARED);
    CHECK_STR(start.other, "local:/run/somewhere.sock");
    /* One that serves by no socket cannot be shared. */
    monitor_serves(&monitor, "which serves the agents of domain 7");
    CHECK_EQ(monitor_lock(&late, &start), EXIT_BUSY);
    start.shares = false;
}

/* What one that was killed says it raised, and from what; is it believed? */
static bool taken_over(const char *note)
{
    struct monitor heir = {
        .domid = 5, .name = "five", .lock = -1, .lock_folder = -1};
    int fd = open(LOCK, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0);
    CHECK_EQ(write(fd, note, strlen(note)), strlen(note));
    close(fd);
    CHECK_EQ(monitor_lock(&heir, &start), 0);
    CHECK_EQ(heir.held, heir.raised_max_kb != 0);
    CHECK_EQ(heir.ring_gfn, heir.held ? 8 : 0);
    CHECK_EQ(heir.fresh_gfn, heir.held ? 7 : 0);
    /* What is noted of a frame stays until it is put back. */
    heir.fresh_gfn = 0;
    monitor_unlock(&heir);
    CHECK_EQ(heir.found_max_kb, heir.raised_max_kb ? 262144 : 0);
    CHECK_EQ(heir.raised_max_kb, heir.found_max_kb ? 262152 : 0);
    return heir.raised_max_kb;
}

static void heirs(void)
{
    CHECK(taken_over("71 262144 262152 1 8 7 local:/run/x.sock"));
    CHECK(taken_over("71 262144 262152 1 8 7 "));
    CHECK(!taken_over(""));
    CHECK(!taken_over("71 262144"));
    CHECK(!taken_over("71 262144 262152 1 8 7")); /* cut short */
    CHECK(!taken_over("71 262144 99999999999999999999999 1 8 7 "));
    CHECK(!taken_over("71 262144k 262152 1 8 7 "));
}

/* Killed while it holds its domain paused, or after that. */
static bool left_held(bool released)
{
    struct monitor heir = {
        .domid = 5, .name = "five", .lock = -1, .lock_folder = -1};
    int status;
    pid_t pid = fork();
    bool held;

    CHECK(pid >= 0);
    if (pid == 0) {
        struct monitor dying = {
            .domid = 5, .name = "five", .lock = -1, .lock_folder = -1};

        if (monitor_lock(&dying, &start) || !dying.note)
            _exit(1);
        monitor_serves(&dying, "local:/run/x.sock");
        dying.held = true;
        monitor_note_held(&dying);
        dying.held = !released;
        monitor_note_held(&dying);
        raise(SIGKILL);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(monitor_lock(&heir, &start), 0);
    held = heir.held;
    monitor_unlock(&heir);
    return held;
}

/* Nothing can be mapped: it is written, as it is before the sandbox. */
static void held_without_a_map(void)
{
    struct monitor heir = {
        .domid = 5, .name = "five", .lock = -1, .lock_folder = -1};

    CHECK_EQ(monitor_lock(&heir, &start), 0);
    munmap(heir.note, HELD_AT + 1);
    heir.note = NULL;
    heir.held = true;
    monitor_note_held(&heir);
    heir.held = false;
    take_over(&heir);
    CHECK(heir.held);
    monitor_unlock(&heir);
}

/* What is there is no file: it is left, and not waited for. */
static void something_else_is_there(void)
{
    CHECK_EQ(mkdir(LOCK, 0700), 0);
    CHECK_EQ(monitor_lock(&monitor, &start), EXIT_FAULT);
    CHECK_EQ(rmdir(LOCK), 0);
    CHECK_EQ(symlink("nowhere", LOCK), 0);
    CHECK_EQ(monitor_lock(&monitor, &start), EXIT_FAULT);
    CHECK_EQ(monitor.lock, -1);
    CHECK_EQ(unlink(LOCK), 0);
}

int main(void)
{
    struct monitor another = {
        .domid = 6, .name = "six", .lock = -1, .lock_folder = -1};
    struct stat st;
    pid_t pid;

    log_threshold(LOG_EMERG);
    (void)unlink(LOCK);
    CHECK(left_held(false));
    CHECK(!left_held(true));
    held_without_a_map();
    something_else_is_there();
    CHECK_EQ(monitor_lock(&monitor, &start), 0);
    CHECK_EQ(noted_pid(), getpid());
    CHECK_EQ(monitor_lock(&another, &start), 0); /* of another domain */
    monitor_unlock(&another);
    monitor_unlock(&another); /* once is enough */
    monitor_unlock(&monitor);
    CHECK(access(LOCK, F_OK) < 0);

    pid = start_another();
    CHECK_EQ(noted_pid(), pid);
    CHECK_EQ(monitor_lock(&monitor, &start), EXIT_BUSY);
    CHECK_EQ(monitor.lock, -1);
    CHECK_EQ(noted_pid(), pid);
    /* It does not say where it serves. */
    start.shares = true;
    CHECK_EQ(monitor_lock(&monitor, &start), EXIT_BUSY);
    start.shares = false;
    /* Killed, it leaves its file and no lock. */
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    CHECK_EQ(access(LOCK, F_OK), 0);
    CHECK_EQ(monitor_lock(&monitor, &start), 0);
    CHECK_EQ(noted_pid(), getpid());

    serves_elsewhere();
    monitor_unlock(&monitor);
    heirs();
    CHECK_EQ(monitor_lock(&monitor, &start), 0);

    /* A lock on a file that is no longer there is none. */
    CHECK(is_current(monitor.lock_folder, monitor.lock, NAME));
    CHECK_EQ(unlink(LOCK), 0);
    CHECK(!is_current(monitor.lock_folder, monitor.lock, NAME));
    pid = start_another();
    CHECK(!is_current(monitor.lock_folder, monitor.lock, NAME));
    monitor_unlock(&monitor); /* not the other's */
    CHECK_EQ(monitor_lock(&monitor, &start), EXIT_BUSY);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    CHECK_EQ(monitor_lock(&monitor, &start), 0);
    monitor_unlock(&monitor);

    /* Confined to another folder it leaves its file, and no lock. */
    CHECK_EQ(monitor_lock(&monitor, &start), 0);
    monitor_forget_place(&monitor);
    CHECK_EQ(monitor.lock_folder, -1);
    monitor_unlock(&monitor);
    CHECK_EQ(access(LOCK, F_OK), 0);
    CHECK_EQ(monitor_lock(&monitor, &start), 0);
    monitor_unlock(&monitor);

    /* Agents reach the folder whatever the umask of its maker. */
    CHECK_EQ(rmdir(RUN_DIRECTORY), 0);
    umask(077);
    CHECK_EQ(monitor_lock(&monitor, &start), 0);
    CHECK_EQ(stat(RUN_DIRECTORY, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0755);
    monitor_unlock(&monitor);
    CHECK_EQ(rmdir(RUN_DIRECTORY), 0);
    return 0;
}
