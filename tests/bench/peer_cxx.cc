/* SPDX-License-Identifier: MIT */
/*
 * peer_cxx.cc: queues that are C++ templates.  None allocates while it is
 * measured: what has no room is refused.
 */
#include <boost/lockfree/spsc_queue.hpp>
#include <concurrentqueue/concurrentqueue.h>
#include <readerwriterqueue/readerwriterqueue.h>

#include <memory>
#include <vector>

#include "queue.h"
#include "tables.h"

namespace
{

template <size_t len> struct record {
    unsigned char bytes[len];
};

template <size_t len> size_t capacity()
{
    return QUEUE_BYTES / len;
}

/* Each has push and pull of up to nr records. */
template <size_t len> struct boost_queue {
    boost::lockfree::spsc_queue<record<len>> queue{capacity<len>()};

    explicit boost_queue(unsigned)
    {
    }
    size_t push(uint32_t, const record<len> *records, size_t nr)
    {
        return queue.push(records, nr);
    }
    size_t pull(record<len> *records, size_t nr)
    {
        return queue.pop(records, nr);
    }
};

template <size_t len> struct rw_queue {
    moodycamel::ReaderWriterQueue<record<len>> queue{capacity<len>()};

    explicit rw_queue(unsigned)
    {
    }
    size_t push(uint32_t, const record<len> *records, size_t nr)
    {
        size_t accepted = 0;

        for (size_t i = 0; i < nr; i++)
            accepted += queue.try_enqueue(records[i]);
        return accepted;
    }
    size_t pull(record<len> *records, size_t nr)
    {
        size_t taken = 0;

        while (taken < nr && queue.try_dequeue(records[taken]))
            taken++;
        return taken;
    }
};

template <size_t len> struct mp_queue {
    moodycamel::ConcurrentQueue<record<len>> queue;
    std::vector<std::unique_ptr<moodycamel::ProducerToken>> tokens;
    std::unique_ptr<moodycamel::ConsumerToken> token;

    explicit mp_queue(unsigned producers)
        : queue(capacity<len>() / producers, producers, 0)
    {
        for (unsigned i = 0; i < producers; i++)
            tokens.emplace_back(new moodycamel::ProducerToken(queue));
        token.reset(new moodycamel::ConsumerToken(queue));
    }
    size_t push(uint32_t who, const record<len> *records, size_t nr)
    {
        if (nr > 1 && queue.try_enqueue_bulk(*tokens[who], records, nr))
            return nr;
        return nr == 1 && queue.try_enqueue(*tokens[who], records[0]);
    }
    size_t pull(record<len> *records, size_t nr)
    {
        return queue.try_dequeue_bulk(*token, records, nr);
    }
};

/* One of each length, of which a run has one. */
template <template <size_t> class queue> struct either {
    std::unique_ptr<queue<QUEUE_SMALL>> small;
    std::unique_ptr<queue<QUEUE_WHOLE>> whole;
};

template <template <size_t> class queue>
void *make(const struct queue_plan *plan, struct bench_sample *)
{
    auto *one = new either<queue>;

    if (plan->len == QUEUE_SMALL)
        one->small.reset(new queue<QUEUE_SMALL>(plan->producers));
    else
        one->whole.reset(new queue<QUEUE_WHOLE>(plan->producers));
    return one;
}

template <template <size_t> class queue> void end(void *at)
{
    delete static_cast<either<queue> *>(at);
}

template <template <size_t> class queue>
inline size_t push(void *at, uint32_t who, const unsigned char *records,
                   size_t nr, size_t len)
{
    auto *one = static_cast<either<queue> *>(at);

    if (len == QUEUE_SMALL)
        return one->small->push(
            who, reinterpret_cast<const record<QUEUE_SMALL> *>(records), nr);
    return one->whole->push(
        who, reinterpret_cast<const record<QUEUE_WHOLE> *>(records), nr);
}

template <template <size_t> class queue>
inline size_t pull(void *at, unsigned char *records, size_t nr, size_t len)
{
    auto *one = static_cast<either<queue> *>(at);

    if (len == QUEUE_SMALL)
        return one->small->pull(
            reinterpret_cast<record<QUEUE_SMALL> *>(records), nr);
    return one->whole->pull(reinterpret_cast<record<QUEUE_WHOLE> *>(records),
                            nr);
}

#define CXX_CONTESTANT(name, queue)                                            \
    const struct queue_ops name##_ops = {make<queue>, end<queue>, push<queue>, \
                                         pull<queue>, nullptr,    false,       \
                                         false};                               \
    QUEUE_CONTESTANT(name)

CXX_CONTESTANT(boost_spsc, boost_queue);
CXX_CONTESTANT(moody_spsc, rw_queue);
CXX_CONTESTANT(moody_mpmc, mp_queue);

const struct bench_case cases[] = {
    QUEUE_THREADS("boost spsc_queue", "boost::lockfree, its bulk calls", 0,
                  boost_spsc),
    QUEUE_THREADS("readerwriterqueue", "try_enqueue, one by one", 0,
                  moody_spsc),
    QUEUE_PRODUCERS("concurrentqueue", "tokens, its bulk calls", 0, moody_mpmc),
};

} // namespace

extern "C" const struct bench_table peer_cxx_cases = {
    cases, sizeof(cases) / sizeof(cases[0])};
