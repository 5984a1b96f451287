/* SPDX-License-Identifier: MIT */
/*
 * Description: a harness as a plain test: every input of its corpus, and each
 * cut short at some lengths, so that it ends anywhere.
 *
 * usage: fuzz_corpus_TARGET FILE-OR-FOLDER...
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static unsigned int nr_inputs;

static void run(const uint8_t *data, size_t len)
{
    /* A copy of its own, so that a read past its end is one past a block. */
    uint8_t *copy = malloc(len ? len : 1);

    ALWAYS(copy);
    memcpy(copy, data, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    nr_inputs++;
}

static int run_file(const char *path)
{
    static uint8_t data[1 << 16];
    FILE *file = fopen(path, "rb");
    size_t len;

    if (!file) {
        perror(path);
        return 1;
    }
    len = fread(data, 1, sizeof(data), file);
    fclose(file);
    run(data, len);
    for (size_t cut = len / 2; cut && cut < len; cut += 1 + len / 8)
        run(data, cut);
    return 0;
}

static int run_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char file[4096];
    int failed = 0;

    if (!folder) {
        perror(path);
        return 1;
    }
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        failed |= run_file(file);
    }
    closedir(folder);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        struct stat st;

        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            failed |= run_folder(argv[i]);
        else
            failed |= run_file(argv[i]);
    }
    printf("%u inputs\n", nr_inputs);
    return failed || !nr_inputs;
}
