/* SPDX-License-Identifier: MIT */
/* memory.c: bytes a vCPU and an event; the largest ring and the smallest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "tables.h"
#include "worker.h"

#include "core/consumer.h"
#include "core/producer.h"

static struct vmr_geometry geometry_of(uint32_t vcpus, uint32_t record_len)
{
    return (struct vmr_geometry){
        .epoch = 1,
        .nr_vcpus = vcpus,
        .nr_lanes = vcpus,
        .nr_groups = 1,
        .arch = XEN_VM_RING_ARCH_X86,
        .clock = XEN_VM_RING_CLOCK_MONOTONIC,
        .record_len = record_len,
    };
}

/* 64 KiB of records a vCPU: what both regions take. */
static enum bench_result run_bytes(const struct bench_case *self,
                                   const struct bench_env *env,
                                   struct bench_sample *sample)
{
    uint32_t vcpus = self->producers;
    struct vmr_geometry geo = geometry_of(vcpus, self->len);
    uint64_t records;

    (void)env;
    if (!vmr_geometry_lay_out(&geo, (uint64_t)vcpus * 65536))
        return bench_failed(sample, "no such geometry");
    records = geo.nr_records * vcpus;
    sample->value = (double)(geo.p_len + geo.c_len) / vcpus;
    bench_extra(sample, "without_records",
                (double)(geo.p_len + geo.c_len - records * self->len) / vcpus);
    bench_extra(sample, "per_event", self->len);
    bench_extra(sample, "records_per_vcpu", (double)geo.nr_records);
    return BENCH_OK;
}

static uint64_t available(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    unsigned long long kib = 0;
    char line[128];

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib * 1024;
}

/* Fills each lane until it refuses, then takes all; twice. */
static enum bench_result fill_and_drain(struct vmr_producer *tx,
                                        struct vmr_consumer *rx,
                                        struct bench_sample *sample)
{
    struct xen_vm_ring_event event, got;
    uint64_t pushed = 0, taken = 0;
    uint32_t where;

    memset(&event, 0, sizeof(event));
    event.reason = XEN_VM_RING_REASON_CPUID;
    event.length = 64;
    for (int round = 0; round < 2; round++) {
        for (uint32_t lane = 0; lane < rx->geo.nr_lanes; lane++)
            while (vmr_producer_push(tx, lane, &event))
                pushed++;
        (void)vmr_producer_flush(tx);
        for (;;) {
            enum vmr_next next = vmr_consumer_next(rx, 0, &got, &where);

            if (next == VMR_NEXT_NONE)
                break;
            taken += next == VMR_NEXT_RECORD;
        }
    }
    if (taken != pushed || pushed != 2 * rx->geo.nr_records * rx->geo.nr_lanes)
        return bench_failed(sample, "%llu pushed, %llu taken",
                            (unsigned long long)pushed,
                            (unsigned long long)taken);
    bench_extra(sample, "records", (double)taken);
    return BENCH_OK;
}

/* A ring of that many bytes of records, whole. */
static enum bench_result run_ring(const struct vmr_geometry *geo,
                                  struct bench_sample *sample)
{
    struct vmr_consumer *rx = calloc(1, sizeof(*rx));
    void *tx_memory =
        calloc(1, vmr_producer_size(geo->nr_vcpus, geo->nr_lanes));
    void *rx_memory = calloc(1, vmr_consumer_size(geo));
    void *p = bench_map(geo->p_len), *c = bench_map(geo->c_len);
    enum bench_result result = BENCH_SKIP;
    struct vmr_producer tx;

    if (!p || !c || !tx_memory || !rx_memory || !rx) {
        result = bench_skip(sample, "no memory");
    } else {
        vmr_geometry_publish(geo, p);
        vmr_producer_init(&tx, tx_memory, geo->nr_vcpus, geo->nr_lanes);
        vmr_producer_attach(&tx, geo, p, c);
        vmr_consumer_init(rx, geo, rx_memory, p, c);
        result = fill_and_drain(&tx, rx, sample);
    }
    bench_unmap(p, geo->p_len);
    bench_unmap(c, geo->c_len);
    free(tx_memory);
    free(rx_memory);
    free(rx);
    sample->value = (double)(geo->p_len + geo->c_len);
    return result;
}

static enum bench_result run_large(const struct bench_case *self,
                                   const struct bench_env *env,
                                   struct bench_sample *sample)
{
    struct vmr_geometry geo = geometry_of(self->producers, 64);

    (void)env;
    if (available() < 3ULL << 29)
        return bench_skip(sample, "less than 1.5 GiB of memory to be had");
    if (!vmr_geometry_lay_out(&geo, 1ULL << 30))
        return bench_failed(sample, "1 GiB is refused");
    return run_ring(&geo, sample);
}

/* Two records a lane; with one less it is refused. */
static enum bench_result run_small(const struct bench_case *self,
                                   const struct bench_env *env,
                                   struct bench_sample *sample)
{
    struct vmr_geometry geo = geometry_of(self->producers, 64), less = geo;
    uint64_t len = vmr_min_async_len(geo.nr_lanes, geo.record_len);

    (void)env;
    if (!vmr_geometry_lay_out(&geo, len))
        return bench_failed(sample, "the smallest ring is refused");
    if (vmr_geometry_lay_out(&less, len - 64))
        return bench_failed(sample, "a slot less than the smallest is granted");
    return run_ring(&geo, sample);
}

#define BYTES(name, vcpus, len)                                                \
    {                                                                          \
        "memory", name, "bytes/vCPU",                                          \
            "both regions, 64 KiB of records a vCPU", run_bytes,               \
            BENCH_LESS | BENCH_ONCE, len, 1, vcpus, false, NULL                \
    }
#define SIZE(name, what, fn, vcpus)                                            \
    {                                                                          \
        "sizes", name, "bytes", what, fn, BENCH_ONCE, 64, 1, vcpus, false,     \
            NULL                                                               \
    }
#define SMALLEST "2 records a lane: filled and drained; one less is refused"

static const struct bench_case cases[] = {
    BYTES("1 vCPU, 64 bytes", 1, 64),
    BYTES("16 vCPUs, 64 bytes", 16, 64),
    BYTES("128 vCPUs, 64 bytes", 128, 64),
    BYTES("1 vCPU, 448 bytes", 1, 448),
    BYTES("16 vCPUs, 448 bytes", 16, 448),
    BYTES("128 vCPUs, 448 bytes", 128, 448),
    SIZE("smallest, 1 vCPU", SMALLEST, run_small, 1),
    SIZE("smallest, 16 vCPUs", SMALLEST, run_small, 16),
    SIZE("smallest, 128 vCPUs", SMALLEST, run_small, 128),
    SIZE("1 GiB, 4 vCPUs", "filled and drained, twice", run_large, 4),
};

const struct bench_table memory_cases = {cases,
                                         sizeof(cases) / sizeof(cases[0])};
