/* SPDX-License-Identifier: MIT */
/*
 * filter.c: the system calls that remain, by seccomp.
 *
 * Refused calls fail with EPERM: the C library tries some that it can do
 * without, and a program that is refused a file has an error to tell of.  It
 * never executes, forks or traces of its own accord, so those end it.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sandbox.h"

const struct sandbox_call sandbox_basic[] = {
    {"brk", "memory", SANDBOX_ALWAYS},
    {"mmap", "memory, but no code", SANDBOX_WITHOUT(2, PROT_EXEC)},
    {"mprotect", "a thread's stack", SANDBOX_WITHOUT(2, PROT_EXEC)},
    {"mremap", "memory", SANDBOX_ALWAYS},
    {"munmap", "memory", SANDBOX_ALWAYS},
    {"madvise", "memory that is not needed now", SANDBOX_ALWAYS},
    {"futex", "locks between threads", SANDBOX_ALWAYS},
    {"sched_yield", "locks between threads", SANDBOX_ALWAYS},
    {"sched_getaffinity", "malloc() counts the CPUs", SANDBOX_ALWAYS},
    {"membarrier", "unloading of code, by the C library", SANDBOX_ALWAYS},
    {"clone", "threads, not processes", SANDBOX_OF_VALUE, 0,
     CLONE_VM | CLONE_THREAD | CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID |
         CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
     CLONE_VM | CLONE_THREAD},
    {"set_robust_list", "threads", SANDBOX_ALWAYS},
    {"rseq", "threads", SANDBOX_ALWAYS},
    {"set_tid_address", "threads", SANDBOX_ALWAYS},
    {"prctl", "names of threads", SANDBOX_IF(0, PR_SET_NAME)},
    {"clock_gettime", "time", SANDBOX_ALWAYS},
    {"clock_getres", "time", SANDBOX_ALWAYS},
    {"gettimeofday", "time", SANDBOX_ALWAYS},
    {"time", "time", SANDBOX_ALWAYS},
    {"nanosleep", "time", SANDBOX_ALWAYS},
    {"clock_nanosleep", "time", SANDBOX_ALWAYS},
    {"restart_syscall", "sleeping on after SIGSTOP", SANDBOX_ALWAYS},
    {"getrandom", "keys of hash tables", SANDBOX_ALWAYS},
    {"getpid", "its own ids", SANDBOX_ALWAYS},
    {"gettid", "its own ids", SANDBOX_ALWAYS},
    {"getuid", "its own ids", SANDBOX_ALWAYS},
    {"geteuid", "its own ids", SANDBOX_ALWAYS},
    {"getgid", "its own ids", SANDBOX_ALWAYS},
    {"getegid", "its own ids", SANDBOX_ALWAYS},
    {"rt_sigaction", "its signals", SANDBOX_ALWAYS},
    {"rt_sigprocmask", "its signals", SANDBOX_ALWAYS},
    {"rt_sigreturn", "its signals", SANDBOX_ALWAYS},
    {"sigaltstack", "its signals", SANDBOX_ALWAYS},
    {"tgkill", "abort(), and ending its own threads", SANDBOX_SELF(0)},
    {"exit", "its end", SANDBOX_ALWAYS},
    {"exit_group", "its end", SANDBOX_ALWAYS},
    {"read", "what is open", SANDBOX_ALWAYS},
    {"readv", "what is open", SANDBOX_ALWAYS},
    {"write", "what is open", SANDBOX_ALWAYS},
    {"writev", "what is open", SANDBOX_ALWAYS},
    {"lseek", "what is open, by stdio", SANDBOX_ALWAYS},
    {"fstat", "what is open, by stdio", SANDBOX_ALWAYS},
    {"newfstatat", "fstat() of the C library", SANDBOX_ALWAYS},
    {"close", "what is open", SANDBOX_ALWAYS},
    {"poll", "waiting", SANDBOX_ALWAYS},
    {"ppoll", "waiting", SANDBOX_ALWAYS},
    {"epoll_create1", "waiting", SANDBOX_ALWAYS},
    {"epoll_ctl", "waiting", SANDBOX_ALWAYS},
    {"epoll_wait", "waiting", SANDBOX_ALWAYS},
    {"epoll_pwait", "waiting", SANDBOX_ALWAYS},
    {"epoll_pwait2", "waiting", SANDBOX_ALWAYS},
    {"eventfd2", "waking a thread", SANDBOX_ALWAYS},
    {"pipe2", "libevent's signals", SANDBOX_ALWAYS},
    {"timerfd_create", "doorbells that ring too often", SANDBOX_ALWAYS},
    {"timerfd_settime", "doorbells that ring too often", SANDBOX_ALWAYS},
    {"sendmsg", "the control channel", SANDBOX_ALWAYS},
    {"recvmsg", "the control channel", SANDBOX_ALWAYS},
    {"sendto", "the control channel", SANDBOX_ALWAYS},
    {"recvfrom", "the control channel", SANDBOX_ALWAYS},
    {"fcntl", "flags of what is open", SANDBOX_IF(1, 1 /* F_GETFD */)},
    {"fcntl", "flags of what is open", SANDBOX_IF(1, 2 /* F_SETFD */)},
    {"fcntl", "flags of what is open", SANDBOX_IF(1, 3 /* F_GETFL */)},
    {"fcntl", "flags of what is open", SANDBOX_IF(1, 4 /* F_SETFL */)},
    {"ioctl", "isatty()", SANDBOX_IF(1, 0x5401 /* TCGETS */)},
};
const size_t sandbox_nr_basic =
    sizeof(sandbox_basic) / sizeof(sandbox_basic[0]);

/* No program of ours, nor its libraries, tries these by itself. */
static const char *const hostile[] = {
    /* Other programs. */
    "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv",
    "process_vm_writev", "process_madvise", "pidfd_open", "pidfd_getfd",
    "pidfd_send_signal", "kcmp",
    /* Another identity. */
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid",
    "setgroups", "setfsuid", "setfsgid", "capset", "personality", "keyctl",
    "add_key", "request_key",
    /* Another view of files. */
    "chroot", "pivot_root", "mount", "umount2", "move_mount", "fsopen",
    "fsconfig", "fsmount", "open_tree", "unshare", "setns", "mknod", "mknodat",
    "open_by_handle_at", "name_to_handle_at", "fanotify_init",
    /* Connections. */
    "socket", "connect", "bind", "listen",
    /* The kernel. */
    "init_module", "finit_module", "delete_module", "kexec_load",
    "kexec_file_load", "bpf", "perf_event_open", "userfaultfd",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "iopl", "ioperm",
    "modify_ldt", "reboot", "swapon", "swapoff", "acct", "quotactl",
    "sethostname", "setdomainname", "settimeofday", "clock_settime",
    "clock_adjtime", "adjtimex", "syslog", "vhangup", "nfsservctl"};

struct building {
    scmp_filter_ctx filter;
    char *error;
    size_t error_len;
};

/* Its number; -ENOSYS: this architecture has no such call, it is left out. */
static int resolve(const char *name)
{
    int nr = seccomp_syscall_resolve_name(name);

    return nr < 0 ? -ENOSYS : nr;
}

static int add(struct building *to, const struct sandbox_call *call)
{
    uint64_t value =
        call->of == SANDBOX_OF_SELF ? (uint64_t)getpid() : call->value;
    struct scmp_arg_cmp arg =
        SCMP_CMP64(call->arg, SCMP_CMP_MASKED_EQ, call->mask, value);
    int nr = resolve(call->name);
    int err = 0;

    if (nr >= 0)
        err = seccomp_rule_add_array(to->filter, SCMP_ACT_ALLOW, nr,
                                     call->of == SANDBOX_OF_ANY ? 0 : 1, &arg);
    return err ? sandbox_fail(err, to->error, to->error_len,
                              "cannot allow '%s': %s", call->name,
                              strerror(-err))
               : 0;
}

static int add_all(struct building *to, const struct sandbox_call *calls,
                   size_t nr)
{
    int err = 0;

    for (size_t i = 0; !err && i < nr; i++)
        err = add(to, &calls[i]);
    return err;
}

static int forbid(struct building *to, bool lethal)
{
    struct scmp_arg_cmp process =
        SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
    size_t nr = lethal ? sizeof(hostile) / sizeof(hostile[0]) : 0;
    int err = 0;

    if (lethal)
        err = seccomp_rule_add_array(to->filter, SCMP_ACT_KILL_PROCESS,
                                     SCMP_SYS(clone), 1, &process);

    for (size_t i = 0; !err && i < nr; i++) {
        int call = resolve(hostile[i]);

        if (call >= 0)
            err = seccomp_rule_add(to->filter, SCMP_ACT_KILL_PROCESS, call, 0);
    }
    /* Its flags are in memory, where no filter sees them: clone() instead. */
    if (!err)
        err = seccomp_rule_add(to->filter, SCMP_ACT_ERRNO(ENOSYS),
                               SCMP_SYS(clone3), 0);
    return err ? sandbox_fail(err, to->error, to->error_len,
                              "cannot make the filter: %s", strerror(-err))
               : 0;
}

static int load(struct building *to, bool lethal)
{
    int err = seccomp_attr_set(to->filter, SCMP_FLTATR_CTL_TSYNC, 1);

    if (!err)
        err = seccomp_attr_set(to->filter, SCMP_FLTATR_ACT_BADARCH,
                               lethal ? SCMP_ACT_KILL_PROCESS
                                      : SCMP_ACT_ERRNO(EPERM));
    if (!err)
        err = seccomp_attr_set(to->filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    if (!err)
        err = seccomp_load(to->filter);
    return err ? sandbox_fail(err, to->error, to->error_len,
                              "the kernel takes no filter of system calls: "
                              "%s; it needs CONFIG_SECCOMP_FILTER",
                              strerror(err < 0 ? -err : EIO))
               : 0;
}

int sandbox_filter(const struct sandbox_call *calls, size_t nr, bool lethal,
                   char *error, size_t error_len)
{
    struct building to = {seccomp_init(SCMP_ACT_ERRNO(EPERM)), error,
                          error_len};
    int err;

    if (!to.filter)
        return sandbox_fail(-ENOMEM, error, error_len,
                            "no memory for the filter");
    err = forbid(&to, lethal);
    if (!err)
        err = add_all(&to, sandbox_basic, sandbox_nr_basic);
    if (!err)
        err = add_all(&to, calls, nr);
    if (!err)
        err = load(&to, lethal);
    seccomp_release(to.filter);
    return err;
}
