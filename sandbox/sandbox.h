/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h: what vmring-agent and vmring-bridge have in common to give up
 * what they do not need.
 *
 * Each function that can fail returns 0 or -errno, with one line in `error`:
 * what failed and, where there is one, the remedy.  None can be taken back.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where code that looks for faults is built in it needs more than we let. */
#ifndef SANDBOX_BY_DEFAULT
#define SANDBOX_BY_DEFAULT 1
#endif

/* ---------------------------------------------- identity.c: user, groups -- */

struct sandbox_user {
    uid_t uid;
    gid_t gid;
};

/*
 * Looks a user up, by name or number; NULL: "_vmring", "nobody" or, where
 * names are unknown, 65534.  -ENOENT; -EINVAL: that is root.
 */
int sandbox_find_user(const char *name, struct sandbox_user *user, char *error,
                      size_t error_len);

/* Becomes that user, with no other groups and no capabilities, and checks it.
 * All threads of the process do. */
int sandbox_become(const struct sandbox_user *user, char *error,
                   size_t error_len);

/*
 * Gives up the capabilities of this thread but for `kept` (1 << CAP_...), and
 * keeps its user.
 */
int sandbox_drop_capabilities(uint64_t kept, char *error, size_t error_len);

/* ---------------------------------------------- reach.c: what one sees -- */

/*
 * Loads, while files can be opened, what the C library would load when a
 * thread is cancelled, as libxenstore does at its end.
 */
void sandbox_load_code(void);

/*
 * Standard input, output and error that are closed become a file that can be
 * neither read nor written, so that nothing else gets their numbers.
 */
void sandbox_open_standard(void);

/* Descriptors above 2 that a program was started with. */
struct sandbox_inherited {
    int *fds;
    size_t nr;
};

/* Before anything is opened.  -ENOMEM. */
int sandbox_note_inherited(struct sandbox_inherited *inherited);

/* Closes them, all but `kept`, and forgets them. */
void sandbox_close_inherited(struct sandbox_inherited *inherited,
                             const int *kept, size_t nr_kept);

/*
 * No privileges by executing, no core dumps, no debugger, fewer files.  After
 * sandbox_become(), as the kernel forgets some of it for another user.
 */
int sandbox_close_doors(char *error, size_t error_len);

/* `folder` becomes the root; NULL: an empty folder that exists no more. */
int sandbox_change_root(const char *folder, char *error, size_t error_len);

/* ------------------------------------------- filter.c: what one can ask -- */

/*
 * A system call that remains, and why.  With `of`: only if its argument `arg`,
 * as far as `mask` has it, is `value`, or with SANDBOX_OF_SELF this process's
 * id.
 */
struct sandbox_call {
    const char *name;
    const char *why;
    enum { SANDBOX_OF_ANY, SANDBOX_OF_VALUE, SANDBOX_OF_SELF } of;
    unsigned int arg;
    uint64_t mask, value;
};

#define SANDBOX_ALWAYS   SANDBOX_OF_ANY, 0, 0, 0
#define SANDBOX_IF(n, v) SANDBOX_OF_VALUE, (n), UINT32_MAX, (v)
/* None of these bits. */
#define SANDBOX_WITHOUT(n, bits) SANDBOX_OF_VALUE, (n), (bits), 0
#define SANDBOX_SELF(n)          SANDBOX_OF_SELF, (n), UINT32_MAX, 0

/* Calls of every program: memory, time, threads, its signals, its end. */
extern const struct sandbox_call sandbox_basic[];
extern const size_t sandbox_nr_basic;

/*
 * From now on all threads of the process can only do that, and
 * sandbox_basic[].  Another call fails with EPERM; with `lethal`, one by which
 * only an attacker gets further (filter.c lists them) ends the process.
 */
int sandbox_filter(const struct sandbox_call *calls, size_t nr, bool lethal,
                   char *error, size_t error_len);

/* Formats `error`, and returns `err`. */
int sandbox_fail(int err, char *error, size_t error_len, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

#endif /* SANDBOX_SANDBOX_H */
