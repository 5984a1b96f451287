/* SPDX-License-Identifier: MIT */
/* Description: sim: endpoints; the ledger of the ring is the guest's own. */
#include "check.h"
#include "vmring.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

static char folder[] = "/tmp/vmring-sim-XXXXXX", truth[64];

static const struct {
    const char *params, *events;
    uint32_t policy, record_len;
    uint64_t async_len;
    unsigned int expect; /* events in all */
} runs[] = {
    {"vcpus=1,count=2000", "cpuid cr3 msr:0xc0000080-0xc0000102", 0, 0, 0,
     2000},
    {"vcpus=4,count=5000", "cr3:async cpuid breakpoint guest_request:async", 0,
     0, 0, 20000},
    {"vcpus=4,count=5000", "cr3:async cpuid breakpoint guest_request:async",
     XEN_VM_RING_POLICY_OVERWRITE, 64, 0, 20000},
    {"vcpus=64,count=200", "cr3:async cpuid", 0, 64, 8192, 12800},
    {"vcpus=64,count=200", "cr3:async cpuid", XEN_VM_RING_POLICY_OVERWRITE, 64,
     8192, 12800},
    {"vcpus=1024,count=20", "cr3:async cpuid", 0, 64, 131072, 20480},
    {"vcpus=1024,count=20", "cr3:async cpuid", XEN_VM_RING_POLICY_OVERWRITE, 64,
     131072, 20480},
};

static struct vmring *open_run(unsigned int r)
{
    char uri[256], error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts),
        .loss_policy = runs[r].policy,
        .record_len = runs[r].record_len,
        .async_len = runs[r].async_len,
        .error = error,
        .error_len = sizeof(error),
    };
    struct vmring *ring;
    int err;

    snprintf(uri, sizeof(uri), "sim:%s,deadline=60000,truth=%s", runs[r].params,
             truth);
    err = vmring_open(uri, &opts, &ring);
    CHECK_STR(error, "");
    CHECK_EQ(err, 0);
    CHECK(vmring_subscribe(ring, runs[r].events, NULL, error, 256) > 0);
    return ring;
}

/* Consumes until the guest is off; counts what came. */
static void consume(struct vmring *ring, uint64_t *requests, uint64_t *records)
{
    struct vmring_event event;
    int ret;

    *requests = *records = 0;
    while ((ret = vmring_next(ring, &event)) >= 0) {
        struct xen_vm_ring_response neutral;
        struct pollfd wait = {vmring_fd(ring), POLLIN, 0};

        if (ret != VMRING_NEXT_EVENT) {
            vmring_flush(ring);
            CHECK(poll(&wait, 1, 30000) == 1);
            continue;
        }
        if (!event.seq) {
            ++*records;
            continue;
        }
        ++*requests;
        vmring_neutral(&event, &neutral);
        CHECK_EQ(vmring_respond(ring, &event, &neutral), 0);
    }
    CHECK_EQ(ret, -ESRCH);
}

/* The row of the truth in this line, if it is one. */
static int read_row(const char *line, struct vmring_count *row)
{
    char reason[32];

    memset(row, 0, sizeof(*row));
    if (sscanf(line,
               "{\"vcpu\":%" SCNu32 ",\"reason\":\"%31[^\"]\",\"requests\":"
               "%" SCNu64 ",\"answered\":%" SCNu64 ",\"defaulted\":%" SCNu64
               ",\"records\":%" SCNu64,
               &row->vcpu, reason, &row->requests, &row->answered,
               &row->defaulted, &row->records) != 6)
        return 0;
    while (strcmp(reason, vmring_reason_name(row->reason)))
        row->reason++;
    return 1;
}

static void compare(const struct vmring_count *rows, int nr)
{
    char line[512];
    FILE *f = fopen(truth, "r");
    int at = 0;

    CHECK(f);
    while (fgets(line, sizeof(line), f)) {
        struct vmring_count row;

        if (strstr(line, "passed"))
            CHECK_HAS(line, "\"cpuid_wrong\":0,\"stray\":0,\"refused\":0}");
        if (!read_row(line, &row))
            continue;
        CHECK(at < nr);
        CHECK_EQ(rows[at].vcpu, row.vcpu);
        CHECK_EQ(rows[at].reason, row.reason);
        CHECK_EQ(rows[at].requests, row.requests);
        CHECK_EQ(rows[at].answered, row.answered);
        CHECK_EQ(rows[at].defaulted, row.defaulted);
        CHECK_EQ(rows[at].records, row.records);
        at++;
    }
    CHECK_EQ(at, nr);
    fclose(f);
    CHECK_EQ(unlink(truth), 0);
}

static void run(unsigned int r)
{
    uint64_t requests, records, raised = 0, answered = 0, lost = 0;
    struct vmring_lane_count *lanes;
    struct vmring_count *rows;
    struct vmring *ring = open_run(r);
    int nr, nr_lanes;

    consume(ring, &requests, &records);
    nr = vmring_counts(ring, &rows);
    CHECK(nr > 0);
    nr_lanes = vmring_lane_counts(ring, &lanes);
    CHECK(nr_lanes > 0);
    vmring_close(ring);
    for (int i = 0; i < nr; i++) {
        raised += rows[i].requests + rows[i].records;
        answered += rows[i].answered;
    }
    for (int i = 0; i < nr_lanes; i++) {
        CHECK_EQ(lanes[i].attempted, lanes[i].taken + lanes[i].lost);
        CHECK_EQ(lanes[i].pending, 0);
        lost += lanes[i].lost;
    }
    CHECK_EQ(raised, runs[r].expect);
    CHECK_EQ(answered, requests);
    CHECK_EQ(requests + records + lost, raised);
    compare(rows, nr);
    free(rows);
    free(lanes);
}

int main(void)
{
    CHECK(mkdtemp(folder));
    snprintf(truth, sizeof(truth), "%s/truth", folder);
    for (unsigned int r = 0; r < sizeof(runs) / sizeof(*runs); r++)
        run(r);
    CHECK_EQ(rmdir(folder), 0);
    return 0;
}
