/* SPDX-License-Identifier: MIT */
/*
 * peer_bpf.c: the kernel's ring buffers, one for each direction.
 *
 * "BPF user ringbuf": a thread produces, and a program in the kernel takes as
 * many records a call as the batch, into memory that it shares with the
 * consumer, who copies them once more.  "BPF ringbuf": a program in the kernel
 * produces, 128 records a call, and a thread takes them.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "queue.h"
#include "ringbuf.h"
#include "tables.h"

_Static_assert(RINGBUF_BYTES == QUEUE_BYTES && RINGBUF_SMALL == QUEUE_SMALL &&
                   RINGBUF_WHOLE == QUEUE_WHOLE &&
                   RINGBUF_NUMBER_AT == QUEUE_NUMBER_AT &&
                   RINGBUF_BATCH == QUEUE_MAX_BATCH &&
                   RINGBUF_PRODUCERS == QUEUE_MAX_PRODUCERS,
               "ringbuf.h and queue.h differ");

struct kernel {
    struct bpf_object *object;
    int program;
    unsigned char *shared; /* with the program */
    size_t shared_len;
    struct user_ring_buffer *to_kernel;
    struct ring_buffer *to_user;
    /* For the callback: where records go, how many, how many at most. */
    unsigned char *records;
    size_t nr, most;
};

static void kernel_end(void *queue)
{
    struct kernel *kernel = queue;

    user_ring_buffer__free(kernel->to_kernel);
    ring_buffer__free(kernel->to_user);
    if (kernel->shared)
        munmap(kernel->shared, kernel->shared_len);
    bpf_object__close(kernel->object);
    free(kernel);
}

/* What libbpf says goes nowhere: the reason is in its errno. */
static int say_nothing(enum libbpf_print_level level, const char *format,
                       va_list args)
{
    (void)level;
    (void)format;
    (void)args;
    return 0;
}

static bool load(struct kernel *kernel, const char *program, const char *data)
{
    const struct bpf_program *is;
    const struct bpf_map *map;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *at;

    libbpf_set_print(say_nothing);
    kernel->object = bpf_object__open_file(BENCH_BPF, NULL);
    if (!kernel->object || bpf_object__load(kernel->object))
        return false;
    is = bpf_object__find_program_by_name(kernel->object, program);
    map = bpf_object__find_map_by_name(kernel->object, data);
    if (!is || !map) {
        errno = ENOENT;
        return false;
    }
    kernel->program = bpf_program__fd(is);
    kernel->shared_len = (bpf_map__value_size(map) + page - 1) / page * page;
    at = mmap(NULL, kernel->shared_len, PROT_READ | PROT_WRITE, MAP_SHARED,
              bpf_map__fd(map), 0);
    if (at == MAP_FAILED)
        return false;
    kernel->shared = at;
    return true;
}

static int map_fd(const struct kernel *kernel, const char *name)
{
    return bpf_object__find_map_fd_by_name(kernel->object, name);
}

/* Calls the program; what it returns. */
static uint32_t run_program(const struct kernel *kernel,
                            struct ringbuf_call *call)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = call,
                .ctx_size_in = sizeof(*call));

    return bpf_prog_test_run_opts(kernel->program, &opts) ? 0 : opts.retval;
}

static void *refuse(struct kernel *kernel, struct bench_sample *sample)
{
    (void)bench_skip(sample, "the kernel does not load the program: %s",
                     strerror(errno));
    if (kernel)
        kernel_end(kernel);
    return NULL;
}

static void *to_kernel_make(const struct queue_plan *plan,
                            struct bench_sample *sample)
{
    struct kernel *kernel = calloc(1, sizeof(*kernel));

    (void)plan;
    if (!kernel || !load(kernel, "drain", ".data.taken"))
        return refuse(kernel, sample);
    kernel->to_kernel =
        user_ring_buffer__new(map_fd(kernel, "to_kernel"), NULL);
    return kernel->to_kernel ? kernel : refuse(kernel, sample);
}

static size_t to_kernel_push(void *queue, uint32_t who,
                             const unsigned char *records, size_t nr,
                             size_t len)
{
    struct kernel *kernel = queue;

    (void)who;
    for (size_t i = 0; i < nr; i++) {
        void *at = user_ring_buffer__reserve(kernel->to_kernel, (uint32_t)len);

        if (!at)
            return i;
        memcpy(at, records + i * len, len);
        user_ring_buffer__submit(kernel->to_kernel, at);
    }
    return nr;
}

static size_t to_kernel_pull(void *queue, unsigned char *records, size_t nr,
                             size_t len)
{
    struct kernel *kernel = queue;
    struct ringbuf_call call = {.nr = (uint32_t)nr, .len = (uint32_t)len};
    size_t taken = run_program(kernel, &call);

    memcpy(records, kernel->shared, taken * len);
    return taken;
}

static const struct queue_ops to_kernel_ops = {
    .make = to_kernel_make,
    .end = kernel_end,
    .push = to_kernel_push,
    .pull = to_kernel_pull,
};
QUEUE_CONTESTANT(to_kernel);

/* Negative: no more. */
static int take(void *at, void *record, size_t len)
{
    struct kernel *kernel = at;

    memcpy(kernel->records + kernel->nr * len, record, len);
    return ++kernel->nr == kernel->most ? -1 : 0;
}

static void *to_user_make(const struct queue_plan *plan,
                          struct bench_sample *sample)
{
    struct kernel *kernel = calloc(1, sizeof(*kernel));

    (void)plan;
    if (!kernel || !load(kernel, "produce", ".data.given"))
        return refuse(kernel, sample);
    kernel->to_user =
        ring_buffer__new(map_fd(kernel, "to_user"), take, kernel, NULL);
    return kernel->to_user ? kernel : refuse(kernel, sample);
}

/* As queue_produce() does it, but that the kernel has the inner loop. */
static void to_user_produce(void *at)
{
    struct queue_side *side = at;
    struct queue_run *run = side->run;
    struct queue_producer *mine = &run->producers[side->who];
    const struct kernel *kernel = run->queue;
    struct ringbuf_call call = {.len = run->plan.len, .who = side->who};
    uint64_t first = (uint64_t)side->who << 48, accepted = 0, until;

    queue_fill(kernel->shared + (size_t)side->who * RINGBUF_WHOLE, 1,
               run->plan.len);
    call.number = first;
    bench_meet(&run->start);
    mine->began = bench_now();
    until = mine->began + run->run_ns;
    do {
        accepted += run_program(kernel, &call);
        call.number += RINGBUF_BURST;
    } while (bench_now() < until);
    mine->ended = bench_now();
    mine->attempted = call.number - first;
    mine->accepted = accepted;
    __atomic_add_fetch(&run->nr_done, 1, __ATOMIC_RELEASE);
}

static size_t to_user_pull(void *queue, unsigned char *records, size_t nr,
                           size_t len)
{
    struct kernel *kernel = queue;

    (void)len;
    kernel->records = records;
    kernel->nr = 0;
    kernel->most = nr;
    (void)ring_buffer__consume(kernel->to_user);
    return kernel->nr;
}

static const struct queue_ops to_user_ops = {
    .make = to_user_make,
    .end = kernel_end,
    .pull = to_user_pull,
};

static void to_user_consume(void *side)
{
    struct queue_side *mine = side;

    if (mine->run->plan.len == QUEUE_SMALL)
        queue_consume(mine, &to_user_ops, QUEUE_SMALL);
    else
        queue_consume(mine, &to_user_ops, QUEUE_WHOLE);
}

static const struct queue_contestant to_user = {&to_user_ops, to_user_produce,
                                                to_user_consume};

#define TO_KERNEL "a program in the kernel consumes, a call each batch"
#define TO_USER   "a program in the kernel produces, 128 records a call"

static const struct bench_case cases[] = {
    QUEUE_THREADS("BPF user ringbuf", TO_KERNEL, 0, to_kernel),
    QUEUE_THREADS("BPF ringbuf", TO_USER, 0, to_user),
    QUEUE_PRODUCERS("BPF ringbuf", TO_USER, 0, to_user),
};

const struct bench_table peer_bpf_cases = {cases,
                                           sizeof(cases) / sizeof(cases[0])};
