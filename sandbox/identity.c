/* SPDX-License-Identifier: MIT */
/* identity.c: another user, and no capabilities. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

/* "nobody" of Debian, where there is no list of users. */
#define NOBODY 65534

int sandbox_fail(int err, char *error, size_t error_len, const char *format,
                 ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error, error_len, format, args);
    va_end(args);
    return err;
}

static bool look_up(const char *name, struct sandbox_user *user)
{
    const struct passwd *found = getpwnam(name);

    if (found)
        *user = (struct sandbox_user){found->pw_uid, found->pw_gid};
    return found;
}

/* A number that may have no name. */
static bool read_number(const char *text, struct sandbox_user *user)
{
    const struct passwd *found;
    char *end;
    unsigned long id;

    errno = 0;
    id = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || id >= (uid_t)-1)
        return false;
    found = getpwuid((uid_t)id);
    *user = (struct sandbox_user){(uid_t)id, found ? found->pw_gid : (gid_t)id};
    return true;
}

int sandbox_find_user(const char *name, struct sandbox_user *user, char *error,
                      size_t error_len)
{
    if (!name) {
        if (!look_up("_vmring", user) && !look_up("nobody", user))
            *user = (struct sandbox_user){NOBODY, NOBODY};
        return 0;
    }
    if (!look_up(name, user) && !read_number(name, user))
        return sandbox_fail(-ENOENT, error, error_len,
                            "there is no user '%s'; give another, or none",
                            name);
    if (user->uid == 0 || user->gid == 0)
        return sandbox_fail(-EINVAL, error, error_len,
                            "user '%s' is root or of its group; give one "
                            "without rights",
                            name);
    return 0;
}

/* Has it any but those? */
static bool has_more_than(uint64_t kept)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, data) < 0)
        return true;
    for (unsigned int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        if ((data[i].effective | data[i].permitted | data[i].inheritable) &
            ~(uint32_t)(kept >> 32 * i))
            return true;
    return false;
}

int sandbox_drop_capabilities(uint64_t kept, char *error, size_t error_len)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = 0}};
    bool done = !syscall(SYS_capget, &header, data);

    for (unsigned int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].permitted &= (uint32_t)(kept >> 32 * i);
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    /* Without the right to it the bounding set stays; nothing is executed. */
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (!done || syscall(SYS_capset, &header, data) < 0 || has_more_than(kept))
        return sandbox_fail(-EPERM, error, error_len,
                            "cannot give up the capabilities: %s",
                            strerror(errno));
    return 0;
}

static bool is_only(const struct sandbox_user *user)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;

    return !getresuid(&r, &e, &s) && !getresgid(&rg, &eg, &sg) &&
           r == user->uid && e == user->uid && s == user->uid &&
           rg == user->gid && eg == user->gid && sg == user->gid &&
           getgroups(0, NULL) == 0;
}

int sandbox_become(const struct sandbox_user *user, char *error,
                   size_t error_len)
{
    if (setgroups(0, NULL) < 0 ||
        setresgid(user->gid, user->gid, user->gid) < 0 ||
        setresuid(user->uid, user->uid, user->uid) < 0)
        return sandbox_fail(-errno, error, error_len,
                            "cannot become user %u of group %u: %s", user->uid,
                            user->gid, strerror(errno));
    /* That there is no way back is seen by trying it. */
    if (!is_only(user) || has_more_than(0) || setresuid(0, 0, 0) == 0 ||
        setresgid(0, 0, 0) == 0)
        return sandbox_fail(-EPERM, error, error_len,
                            "user %u still has rights of root", user->uid);
    return 0;
}
