/* SPDX-License-Identifier: MIT */
#include "witness.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process/place.h"

#define HANG (30ULL * 1000000000)

uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void sleep_ns(uint64_t ns)
{
    struct timespec ts = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

    while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
        ;
}

unsigned int roll(unsigned int *seed, unsigned int below)
{
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 8) % below;
}

bool wait_true(struct witness *w, volatile int *word, const char *what)
{
    uint64_t until = now_ns() + HANG;

    while (!*word) {
        if (now_ns() > until) {
            WITNESS(w, *word, "waited 30 s for %s", what);
            return false;
        }
        sleep_ns(50000);
    }
    return true;
}

int reap(struct witness *w, pid_t pid)
{
    uint64_t until = now_ns() + HANG;
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) != pid) {
        if (now_ns() > until) {
            WITNESS(w, now_ns() < until, "process %d does not end", (int)pid);
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            break;
        }
        sleep_ns(20000);
    }
    return status;
}

struct witness *witness_make(void)
{
    struct witness *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(w != MAP_FAILED);
    strcpy(w->folder, "/tmp/vmring-test-XXXXXX");
    CHECK(mkdtemp(w->folder));
    snprintf(w->path, sizeof(w->path), "%s/ring", w->folder);
    w->deadline = W_DEADLINE;
    return w;
}

void witness_drop(struct witness *w)
{
    place_drop(w->path);
    munmap(w, sizeof(*w));
}

int open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int nr = -3; /* ".", ".." and the folder's own */

    CHECK(dir);
    while (readdir(dir))
        nr++;
    closedir(dir);
    return nr;
}

int mapped_regions(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    int nr = 0;

    CHECK(maps);
    while (fgets(line, sizeof(line), maps))
        nr += strstr(line, "/memfd:vmring-") != NULL;
    fclose(maps);
    return nr;
}
