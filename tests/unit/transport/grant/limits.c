/* SPDX-License-Identifier: MIT */
/*
 * Description: what fails at a limit says which it was and how to raise it,
 * with the numbers of the module at fault.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grant_rig.h"
#include "transport/grant/limits.h"

static char modules[64];

static void write_limit(const char *module, const char *limit)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", modules, module);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/parameters", modules, module);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/parameters/limit", modules, module);
    file = fopen(path, "w");
    CHECK(file != NULL);
    fprintf(file, "%s\n", limit);
    fclose(file);
}

static void set_limit(const char *module, int limit)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", limit);
    write_limit(module, text);
}

static void remove_limit(const char *module)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s/parameters/limit", modules, module);
    CHECK_EQ(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/%s/parameters", modules, module);
    CHECK_EQ(rmdir(path), 0);
    snprintf(path, sizeof(path), "%s/%s", modules, module);
    CHECK_EQ(rmdir(path), 0);
}

static int share(struct grant_rig *rig, size_t pages)
{
    struct region region;
    int err = grant_share_make(rig->share, &region, pages * RIG_PAGE, true,
                               rig->error, sizeof(rig->error));

    region_drop(&region);
    return err;
}

static void sharing(void)
{
    struct grant_rig rig;

    rig_offer(&rig, 10, 2, 0);
    set_limit("xen_gntalloc", 100);
    fake_xen.limit = 100;
    CHECK_EQ(share(&rig, 86), 0);
    CHECK_EQ(share(&rig, 87), -ENOSPC);
    CHECK_HAS(rig.error, "cannot share 87 pages, with 14 shared");
    CHECK_HAS(rig.error, "gntalloc's limit is 100");
    CHECK_HAS(rig.error, "/xen_gntalloc/parameters/limit");
    /* That would have done: it is the grant table, or somebody else. */
    set_limit("xen_gntalloc", 101);
    CHECK_EQ(share(&rig, 87), -ENOSPC);
    CHECK_HAS(rig.error, "gnttab_max_frames=");
    CHECK_HAS(rig.error, "limit of 101");
    write_limit("xen_gntalloc", "many");
    CHECK_EQ(share(&rig, 87), -ENOSPC);
    CHECK_HAS(rig.error, "gnttab_max_frames=");
    remove_limit("xen_gntalloc");
    CHECK_EQ(share(&rig, 87), -ENOSPC);
    CHECK_HAS(rig.error, "gnttab_max_frames=");
    /* Whatever an errno of 0 means, it has not worked. */
    fake_xen.mute = true;
    CHECK_EQ(share(&rig, 87), -ENOMEM);
    fake_xen.mute = false;
    fake_xen.limit = 0;
    CHECK_EQ(share(&rig, 0), -EINVAL);
    CHECK_EQ(share(&rig, XEN_VM_RING_DIRECTORY_MAX + 1), -EINVAL);
    CHECK_EQ(grant_share_make(rig.share, &rig.before[0], RIG_PAGE + 1, true,
                              rig.error, sizeof(rig.error)),
             -EINVAL);
    rig_end(&rig);
}

/* A bridge in its sandbox cannot read it any more. */
static void sharing_out_of_reach(void)
{
    struct grant_rig rig;

    set_limit("xen_gntalloc", 100);
    rig_offer(&rig, 10, 2, 0);
    remove_limit("xen_gntalloc");
    fake_xen.limit = 100;
    CHECK_EQ(share(&rig, 87), -ENOSPC);
    CHECK_HAS(rig.error, "gntalloc's limit is 100");
    fake_xen.limit = 0;
    rig_end(&rig);
}

static int map_up_to(struct grant_rig *rig, int err, unsigned int from)
{
    fake_xen.mappings = 0;
    fake_xen.map_fails_from = from;
    fake_xen.map_errno = err;
    err = rig_attach(rig);
    fake_xen.map_errno = 0;
    rig_detach(rig);
    return err;
}

/* P, behind the directory and the life page. */
static int map(struct grant_rig *rig, int err)
{
    return map_up_to(rig, err, 2);
}

static void mapping(void)
{
    struct grant_rig rig;

    rig_offer(&rig, 10, 2, 0);
    set_limit("xen_gntdev", 9);
    CHECK_EQ(map(&rig, EINVAL), -EINVAL);
    CHECK_HAS(rig.error, "cannot map 10 pages of domain 0");
    CHECK_HAS(rig.error, "gntdev's limit is 9 at once");
    CHECK_HAS(rig.error, "/xen_gntdev/parameters/limit");
    set_limit("xen_gntdev", 10);
    CHECK_EQ(map(&rig, EINVAL), -EINVAL);
    CHECK_HAS(rig.error, "Xen refuses to map 10 pages");
    CHECK_HAS(rig.error, "max_maptrack_frames=");
    CHECK_EQ(map(&rig, ENOMEM), -ENOMEM);
    CHECK_HAS(rig.error, "no memory to map 10 pages");
    CHECK_EQ(map(&rig, EIO), -EIO);
    CHECK_HAS(rig.error, "cannot map 10 pages");
    fake_xen.mute = true;
    for (unsigned int i = 0; i < 3; i++)
        CHECK_EQ(map_up_to(&rig, EIO, i), -EINVAL);
    fake_xen.mute = false;
    rig_end(&rig);
    remove_limit("xen_gntdev");
}

/* No such devices, or no access to them. */
static void opening(void)
{
    struct grant_rig rig = {.error = ""};
    uint32_t port = 1;

    fake_xen.open_errno = ENOENT;
    CHECK_EQ(grant_share_open(1, &rig.share, rig.error, sizeof(rig.error)),
             -ENOENT);
    CHECK_HAS(rig.error, "/dev/xen/gntalloc; load the module xen-gntalloc");
    CHECK_EQ(grant_map_open(1, &rig.map, rig.error, sizeof(rig.error)),
             -ENOENT);
    CHECK_HAS(rig.error, "/dev/xen/gntdev");
    fake_xen.open_errno = ENODEV;
    CHECK_EQ(grant_map_open(1, &rig.map, rig.error, sizeof(rig.error)),
             -ENOENT);
    fake_xen.open_errno = ENXIO;
    CHECK_EQ(grant_map_open(1, &rig.map, rig.error, sizeof(rig.error)),
             -ENOENT);
    fake_xen.open_errno = EACCES;
    CHECK_EQ(evtchn_offer(1, 1, NULL, &rig.ours, rig.error, sizeof(rig.error)),
             -EACCES);
    CHECK_HAS(rig.error, "cannot open /dev/xen/evtchn: Permission denied");
    CHECK_EQ(
        evtchn_bind(1, &port, 1, &rig.theirs, rig.error, sizeof(rig.error)),
        -EACCES);
    fake_xen.open_errno = 0;
    fake_xen_check_empty();
}

int main(void)
{
    strcpy(modules, "/tmp/vmring-limits-XXXXXX");
    CHECK(mkdtemp(modules) != NULL);
    grant_limits_modules = modules;
    sharing();
    sharing_out_of_reach();
    mapping();
    opening();
    CHECK_EQ(rmdir(modules), 0);
    return 0;
}
