/* SPDX-License-Identifier: MIT */
/*
 * model.h: what the models have in common.
 *
 * A model is a class with a few threads over one ring or two.  Relacy makes a
 * new one for each iteration, runs before(), the threads, and after(), which
 * sees all that the threads did.  What a model counts for itself is plain
 * memory, which its threads share: it is an onlooker who sees everything at
 * once, and takes no part.
 */
#ifndef VMRING_TESTS_MODEL_MODEL_H
#define VMRING_TESTS_MODEL_MODEL_H

#include "relacy_only.h"

#include "shadow.h"

/* Ends the iteration, and the run, when `x` does not hold. */
#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x))                                                              \
            rl::ctx().fail_test(#x, rl::test_result_user_assert_failed, $);    \
    } while (0)

/* How to run, from the command line. */
struct search {
    rl::scheduler_type_e type;
    rl::iteration_t iterations; /* random only: the others end by themselves */
    unsigned context_bound;
    bool verbose; /* the history of an iteration that fails */
};

/* What came of it. */
struct outcome {
    bool passed;
    const char *why;
    rl::iteration_t iterations;
};

template <class Model> struct outcome run(const struct search &search)
{
    static std::ostringstream nowhere;
    struct outcome outcome;
    rl::test_params params;

    params.search_type = search.type;
    params.iteration_count = search.iterations;
    params.context_bound = search.context_bound;
    /* Two that both sleep for ever end here, as a livelock. */
    params.execution_depth_limit = 5000;
    params.progress_stream = &nowhere;
    if (!search.verbose) {
        params.output_stream = &nowhere;
        params.output_history = true; /* that is: no second run to have it */
    }
    outcome.passed = rl::simulate<Model>(params);
    outcome.why = rl::test_result_str(params.test_result);
    outcome.iterations = params.stop_iteration;
    return outcome;
}

/*
 * Bodies whose every word follows from one number, and back: it is a check
 * failure if those words that `mask` has do not all speak of the same number.
 */
struct xen_vm_ring_event event_make(uint64_t number, uint32_t vcpu,
                                    uint32_t length);
uint64_t event_number(const struct xen_vm_ring_event &event, uint64_t mask);
struct xen_vm_ring_response response_make(uint64_t number);
uint64_t response_number(const struct xen_vm_ring_response &response,
                         uint64_t mask);

/* Words of a body.  Of an event: time, the one with its length, u's last. */
#define EVENT_WORDS 0x8aU
/* Besides, the first and the last of the registers. */
#define EVENT_FULL   (EVENT_WORDS | 1ULL << 8 | 1ULL << 50)
#define RECORD_WORDS 0xffU
/* Of a response: flags, cr2 of inject, the first and the last of the tail. */
#define RESPONSE_WORDS (0x12U | 1ULL << 8 | 1ULL << 50)

/*
 * What a sleeper and those who ring it share.  A ring orders nothing here,
 * although the system call behind it would.
 */
struct rest {
    unsigned armings, rings, heard;
    unsigned busy; /* those who may still ring */

    void begin(unsigned nr_others)
    {
        armings = rings = heard = 0;
        busy = nr_others;
    }

    void ring()
    {
        rings++;
        CHECK(rings <= armings); /* one ring an arming */
    }

    /* false: nobody is left who could ring. */
    bool sleep()
    {
        while (rings == heard) {
            if (!busy)
                return false;
            rl::ctx().sched();
        }
        heard = rings;
        return true;
    }
};

/* In each model's own file. */
extern struct outcome slot(const struct search &);
extern struct outcome slot_registers(const struct search &);
extern struct outcome slot_small(const struct search &);
extern struct outcome lane_discard(const struct search &);
extern struct outcome lane_overwrite(const struct search &);
extern struct outcome lane_small(const struct search &);
extern struct outcome lane_foreign(const struct search &);
extern struct outcome lane_frozen(const struct search &);
extern struct outcome foreign(const struct search &);
extern struct outcome bell_publishes(const struct search &);
extern struct outcome bell_producers(const struct search &);
extern struct outcome bell_answers(const struct search &);
extern struct outcome bell_state(const struct search &);
extern struct outcome bell_small(const struct search &);
extern struct outcome own(const struct search &);
extern struct outcome vcpu(const struct search &);
extern struct outcome vcpu_apart(const struct search &);
extern struct outcome vcpu_small(const struct search &);
extern struct outcome vcpu_attach(const struct search &);
extern struct outcome whole(const struct search &);

#endif /* VMRING_TESTS_MODEL_MODEL_H */
