/* SPDX-License-Identifier: MIT */
/*
 * Description: the memory that a consumer's ring may take is what the machine,
 * each control group above the bridge and its own limits have left, but for the
 * reserve; what cannot be read is no limit.
 */
#include <ftw.h>
#include <sys/stat.h>

#define PROC_FOLDER   "bridge_room.proc"
#define GROUPS_FOLDER "bridge_room.groups"
#include "bridge/loop/memory.c"

#include "check.h"

#define MIB (UINT64_C(1) << 20)

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK_EQ(fclose(file), 0);
}

static void machine_has(uint64_t mib)
{
    char text[256];

    snprintf(text, sizeof(text),
             "MemTotal: 999999 kB\nMemFree: 1 kB\nMemAvailable: %llu kB\n",
             (unsigned long long)mib * 1024);
    put(PROC_FOLDER "/meminfo", text);
}

static uint64_t left(void)
{
    struct memory room;
    uint64_t bytes;

    memory_open(&room);
    bytes = memory_left(&room);
    memory_close(&room);
    return bytes;
}

static void in_groups(void)
{
    put(PROC_FOLDER "/self/cgroup", "1:cpu:/\n0::/above/ours\n");
    put(GROUPS_FOLDER "/above/ours/memory.max", "max\n");
    put(GROUPS_FOLDER "/above/ours/memory.current", "1048576\n");
    CHECK_EQ(left(), 68 * MIB);
    put(GROUPS_FOLDER "/above/memory.max", "83886080\n"); /* 80 MiB */
    put(GROUPS_FOLDER "/above/memory.current", "20971520\n");
    CHECK_EQ(left(), 28 * MIB);
    put(GROUPS_FOLDER "/above/memory.current", "83886081\n");
    CHECK_EQ(left(), 0);
    /* The nearer group has even less, or none. */
    put(GROUPS_FOLDER "/above/memory.current", "0\n");
    put(GROUPS_FOLDER "/above/ours/memory.max", "41943040\n");
    CHECK_EQ(left(), 7 * MIB);

    put(PROC_FOLDER "/self/cgroup", "4:memory:/one\n0::/\n");
    put(GROUPS_FOLDER "/memory/one/memory.limit_in_bytes", "52428800\n");
    put(GROUPS_FOLDER "/memory/one/memory.usage_in_bytes", "0\n");
    CHECK_EQ(left(), 18 * MIB);
}

static void with_limits(void)
{
    struct rlimit before, limit;

    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 5 * MIB;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK_EQ(left(), 5 * MIB);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);

    CHECK_EQ(getrlimit(RLIMIT_AS, &before), 0);
    limit = before;
    limit.rlim_cur = (UINT64_C(1) << 40) + 50 * MIB;
    put(PROC_FOLDER "/self/statm", "268435456 1 1\n"); /* 2^40 bytes */
    if (getpagesize() == 4096) {
        CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
        CHECK_EQ(left(), 18 * MIB);
        CHECK_EQ(setrlimit(RLIMIT_AS, &before), 0);
    }
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void clean_up(void)
{
    (void)nftw(PROC_FOLDER, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    (void)nftw(GROUPS_FOLDER, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    static const char *const folders[] = {PROC_FOLDER,
                                          PROC_FOLDER "/self",
                                          GROUPS_FOLDER,
                                          GROUPS_FOLDER "/above",
                                          GROUPS_FOLDER "/above/ours",
                                          GROUPS_FOLDER "/memory",
                                          GROUPS_FOLDER "/memory/one"};
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

    clean_up();
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        CHECK_EQ(mkdir(folders[i], 0755), 0);
    (void)setrlimit(RLIMIT_FSIZE, &none);
    (void)setrlimit(RLIMIT_AS, &none);
    CHECK_EQ(left(), UINT64_MAX);
    put(PROC_FOLDER "/meminfo", "nothing that is known\n");
    CHECK_EQ(left(), UINT64_MAX);
    machine_has(31);
    CHECK_EQ(left(), 0);
    machine_has(100);
    CHECK_EQ(left(), 68 * MIB);
    in_groups();
    put(PROC_FOLDER "/self/cgroup", "0::/not/there\n");
    CHECK_EQ(left(), 68 * MIB);
    with_limits();
    clean_up();
    return 0;
}
