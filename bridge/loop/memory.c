/* SPDX-License-Identifier: MIT */
/* memory.c: how much memory a consumer's ring may take. */
#include "memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A test has its own. */
#ifndef PROC_FOLDER
#define PROC_FOLDER   "/proc"
#define GROUPS_FOLDER "/sys/fs/cgroup"
#endif

/* Version 2, and version 1's controller. */
static const struct tree {
    const char *line; /* of /proc/self/cgroup, what is before the path */
    const char *folder, *limit, *usage;
} trees[] = {
    {"0::", GROUPS_FOLDER, "memory.max", "memory.current"},
    {":memory:", GROUPS_FOLDER "/memory", "memory.limit_in_bytes",
     "memory.usage_in_bytes"},
};

static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* The beginning of a file as text; the kernel makes it anew. */
static bool read_text(int fd, char *text, size_t max)
{
    ssize_t len = fd < 0 ? -1 : pread(fd, text, max - 1, 0);

    text[len > 0 ? len : 0] = '\0';
    return len > 0;
}

/* Reads leading digits; without one there is no value. */
static bool parse(const char *text, uint64_t *value)
{
    char *end;

    while (*text == ' ')
        text++;
    if (*text < '0' || *text > '9')
        return false;
    *value = strtoull(text, &end, 10);
    return true;
}

/* "max", and what cannot be read, is no limit. */
static uint64_t number_of(int fd, uint64_t otherwise)
{
    char text[32];
    uint64_t value;

    return read_text(fd, text, sizeof(text)) && parse(text, &value) ? value
                                                                    : otherwise;
}

/* ------------------------------------------------------------- groups -- */

static void add_group(struct memory *room, const struct tree *tree,
                      const char *path)
{
    char file[512];
    int limit, usage;

    snprintf(file, sizeof(file), "%s%s/%s", tree->folder, path, tree->limit);
    limit = open_file(file);
    if (limit < 0)
        return; /* the root has none */
    snprintf(file, sizeof(file), "%s%s/%s", tree->folder, path, tree->usage);
    usage = open_file(file);
    room->groups[room->nr_groups].limit = limit;
    room->groups[room->nr_groups++].usage = usage;
}

/* A group and those above it: each may limit it. */
static void add_groups(struct memory *room, const struct tree *tree, char *path)
{
    while (*path && room->nr_groups < MEMORY_MAX_GROUPS) {
        char *slash = strrchr(path, '/');

        add_group(room, tree, path);
        if (!slash)
            break;
        *slash = '\0';
    }
    /* In a container that sees its own group as the root. */
    if (room->nr_groups < MEMORY_MAX_GROUPS)
        add_group(room, tree, "");
}

static void open_groups(struct memory *room)
{
    char line[512];
    FILE *list = fopen(PROC_FOLDER "/self/cgroup", "re");

    while (list && fgets(line, sizeof(line), list)) {
        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
            char *at = strstr(line, trees[i].line);

            if (at)
                add_groups(room, &trees[i], at + strlen(trees[i].line));
        }
    }
    if (list)
        fclose(list);
}

static uint64_t of_groups(const struct memory *room)
{
    uint64_t least = UINT64_MAX;

    for (unsigned int i = 0; i < room->nr_groups; i++) {
        uint64_t limit = number_of(room->groups[i].limit, UINT64_MAX);
        uint64_t usage = number_of(room->groups[i].usage, 0);
        uint64_t left = limit > usage ? limit - usage : 0;

        if (limit != UINT64_MAX && left < least)
            least = left;
    }
    return least;
}

/* ------------------------------------------------ machine and process -- */

static uint64_t of_machine(const struct memory *room)
{
    static const char name[] = "MemAvailable:";
    char text[1024];
    const char *at;
    uint64_t kib;

    if (!read_text(room->meminfo, text, sizeof(text)))
        return UINT64_MAX;
    at = strstr(text, name);
    if (!at || !parse(at + strlen(name), &kib))
        return UINT64_MAX;
    return kib * 1024;
}

static uint64_t of_process(const struct memory *room)
{
    uint64_t used = number_of(room->statm, 0) * (uint64_t)getpagesize();

    if (room->space == UINT64_MAX)
        return UINT64_MAX;
    return room->space > used ? room->space - used : 0;
}

static uint64_t limit_of(int what)
{
    struct rlimit limit;

    if (getrlimit(what, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

/* ---------------------------------------------------------------------- */

void memory_open(struct memory *room)
{
    room->nr_groups = 0;
    room->space = limit_of(RLIMIT_AS);
    room->file = limit_of(RLIMIT_FSIZE);
    room->meminfo = open_file(PROC_FOLDER "/meminfo");
    room->statm = open_file(PROC_FOLDER "/self/statm");
    open_groups(room);
}

static void close_file(int fd)
{
    if (fd >= 0)
        close(fd);
}

void memory_close(struct memory *room)
{
    close_file(room->meminfo);
    close_file(room->statm);
    for (unsigned int i = 0; i < room->nr_groups; i++) {
        close_file(room->groups[i].limit);
        close_file(room->groups[i].usage);
    }
    room->meminfo = room->statm = -1;
    room->nr_groups = 0;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t memory_left(const struct memory *room)
{
    uint64_t left = less(of_machine(room), of_groups(room));

    left = less(left, of_process(room));
    if (left != UINT64_MAX)
        left = left > ROOM_RESERVE ? left - ROOM_RESERVE : 0;
    return less(left, room->file);
}
