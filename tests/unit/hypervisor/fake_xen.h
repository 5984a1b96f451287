/* SPDX-License-Identifier: MIT */
/*
 * fake_xen.h: as much of Xen as hypervisor/common/vm_ring/ needs to run in a
 * test, on one CPU and as if it were ARM.  Each header of Xen's that these
 * files include is this one (tests.cmake); locks and pauses are nothing, as one
 * turn of a domctl is never amid another's.
 */
#ifndef VMRING_TESTS_FAKE_XEN_H
#define VMRING_TESTS_FAKE_XEN_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The public one, in which tools see the rings' records. */
#undef __XEN__
#define __XEN_TOOLS__ 1
#include SYSTEM_VM_EVENT_H
#define __XEN__ 1

#include <public/vm_ring_control.h>

/* -------------------------------------------------------- language -- */

#define likely(x)   (x)
#define unlikely(x) (x)
#define cf_check
#define __cacheline_aligned     __attribute__((__aligned__(64)))
#define ARRAY_SIZE(a)           (sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON(x)         _Static_assert(!(x), #x)
#define ASSERT(x)               ((x) ? (void)0 : abort())
#define ASSERT_UNREACHABLE()    abort()
#define container_of(p, t, m)   ((t *)((char *)(p)-offsetof(t, m)))
#define min(a, b)               ((a) < (b) ? (a) : (b))
#define max(a, b)               ((a) > (b) ? (a) : (b))
#define min_t(type, a, b)       min((type)(a), (type)(b))
#define max_t(type, a, b)       ((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define KB(n)                   ((uint64_t)(n) << 10)
#define MB(n)                   ((uint64_t)(n) << 20)
#define smp_mb()                ((void)0)
#define smp_rmb()               ((void)0)
#define smp_wmb()               ((void)0)
#define read_atomic(p)          (*(p))
#define write_atomic(p, x)      (*(p) = (x))
#define DECLARE_BITMAP(name, n) unsigned long name[((n) + 63) / 64]

static inline bool set_one(int nr, unsigned long *word)
{
    unsigned long was = word[nr / 64];

    word[nr / 64] = was | 1ul << nr % 64;
    return was >> nr % 64 & 1;
}

static inline bool clear_one(int nr, unsigned long *word)
{
    unsigned long was = word[nr / 64];

    word[nr / 64] = was & ~(1ul << nr % 64);
    return was >> nr % 64 & 1;
}

#define set_bit(nr, at)            ((void)set_one((int)(nr), at))
#define test_and_set_bit(nr, at)   set_one((int)(nr), at)
#define test_and_clear_bit(nr, at) clear_one((int)(nr), at)

/* ---------------------------------------------------------- memory -- */

#define xzalloc(type)           ((type *)calloc(1, sizeof(type)))
#define xzalloc_array(type, nr) ((type *)calloc(nr, sizeof(type)))
#define xfree(p)                free(p)
#define XFREE(p)                (free(p), (p) = NULL)
#define vzalloc(len)            calloc(1, len)
#define vfree(p)                free(p)

#define PAGE_SHIFT        12
#define PAGE_HYPERVISOR   3
#define PFN_DOWN(len)     ((len) >> PAGE_SHIFT)
#define PFN_UP(len)       PFN_DOWN((len) + 4095)
#define MEMF_no_refcount  1
#define PGT_writable_page 1

typedef struct {
    unsigned long at;
} mfn_t;

struct domain;
struct page_info {
    int references;
};

extern unsigned int fake_pages; /* of domains, that there are */

#define _mfn(n)                ((mfn_t){n})
#define mfn_x(mfn)             ((mfn).at)
#define page_to_mfn(pg)        _mfn((unsigned long)(pg))
#define mfn_to_page(mfn)       ((struct page_info *)(mfn).at)
#define clear_domain_page(mfn) ((void)(mfn))

static inline struct page_info *alloc_domheap_page(struct domain *d, int flags)
{
    struct page_info *pg = calloc(1, sizeof(*pg));

    (void)d, (void)flags;
    pg->references = 1;
    fake_pages++;
    return pg;
}

void put_page(struct page_info *pg);

static inline bool get_page(struct page_info *pg, struct domain *d)
{
    (void)d;
    pg->references++;
    return true;
}

#define get_page_and_type(pg, d, type) get_page(pg, d)
#define put_page_alloc_ref(pg)         put_page(pg)
#define put_page_and_type(pg)          put_page(pg)

/* Addresses alone, and what Xen has there. */
void *vmap_reserve(unsigned int nr);
void vmap_release(const void *at);
int map_pages_to_xen(unsigned long at, mfn_t mfn, unsigned long nr, int flags);
int destroy_xen_mappings(unsigned long from, unsigned long end);

typedef struct {
    unsigned long at;
} gfn_t;

typedef enum { XENMEM_access_n, XENMEM_access_rwx } xenmem_access_t;
typedef enum { p2m_access_n, p2m_access_rwx } p2m_access_t;
typedef enum { p2m_invalid, p2m_ram_rw } p2m_type_t;
struct p2m_domain {
    int locked;
};

#define _gfn(n)              ((gfn_t){n})
#define gfn_x(gfn)           ((gfn).at)
#define INVALID_MFN          _mfn(~0ul)
#define mfn_eq(a, b)         (mfn_x(a) == mfn_x(b))
#define p2m_get_hostp2m(d)   (&(d)->p2m)
#define p2m_read_lock(p2m)   ((void)(p2m)->locked++)
#define p2m_read_unlock(p2m) ((void)(p2m)->locked--)

mfn_t p2m_get_entry(struct p2m_domain *p2m, gfn_t gfn, p2m_type_t *type,
                    p2m_access_t *access, unsigned int *order, bool *valid);
long p2m_set_mem_access(struct domain *d, gfn_t gfn, uint32_t nr,
                        uint32_t start, uint32_t mask, xenmem_access_t access,
                        unsigned int view);

/* ------------------------------------------------ locks and timers -- */

typedef int spinlock_t;
typedef int64_t s_time_t;

#define STIME_MAX    INT64_MAX
#define SECONDS(n)   ((s_time_t)(n)*1000000000)
#define MILLISECS(n) ((s_time_t)(n)*1000000)
#define MICROSECS(n) ((s_time_t)(n)*1000)
#define NOW()        ((s_time_t)1)
#define get_random() fake_random()

#define spin_lock_init(lock) (*(lock) = 0)
#define spin_lock(lock)      ((void)++*(lock))
#define spin_unlock(lock)    ((void)--*(lock))

#define DEFINE_RCU_READ_LOCK(name) int name __attribute__((__unused__))
#define rcu_read_lock(lock)        ((void)(lock))
#define rcu_read_unlock(lock)      ((void)(lock))
#define rcu_dereference(p)         (p)
#define rcu_assign_pointer(p, v)   ((p) = (v))

struct timer {
    unsigned int cpu;
};

#define init_timer(timer, call, data, of) ((timer)->cpu = (of))
#define kill_timer(timer)                 ((void)(timer))
#define set_timer(timer, at)              ((void)(timer), (void)(at))
#define migrate_timer(timer, to)          ((timer)->cpu = (to))

unsigned int fake_random(void);

/* --------------------------------------------------------- domains -- */

struct vcpu {
    struct domain *domain;
    unsigned int vcpu_id, processor;
};

struct domain {
    struct vcpu **vcpu;
    unsigned int max_vcpus, extra_pages, shutdown_code;
    int controller_pause_count;
    bool is_dying;
    void *vm_event_monitor; /* the legacy ring; NULL: none */
    struct {
        int armed;
    } monitor;
    struct p2m_domain p2m;
    struct vm_ring *vm_ring;
};

extern struct vcpu *current;

#define SHUTDOWN_CODE_INVALID          (~0u)
#define domain_shutting_down(d)        ((void)(d), false)
#define is_hvm_domain(d)               ((void)(d), true)
#define domain_pause(d)                ((void)(d))
#define domain_unpause(d)              ((void)(d))
#define vm_event_check_ring(legacy)    ((legacy) != NULL)
#define vm_event_init_domain(d)        ((void)(d), 0)
#define arch_monitor_init_domain(d)    ((void)(d), 0)
#define arch_monitor_cleanup_domain(d) ((void)(d))
#define vm_event_vcpu_pause(v)         ((void)(v))
#define vm_event_vcpu_unpause(v)       ((void)(v))
#define vm_event_sync_event(v, on)     ((void)(v))
#define vm_event_fill_regs(req)        ((void)(req))
#define altp2m_active(d)               ((void)(d), false)
#define altp2m_vcpu_idx(v)             ((void)(v), 0)

/* ------------------------------------------------------ hypercalls -- */

#undef XEN_GUEST_HANDLE_PARAM /* a tool's */
#define XEN_GUEST_HANDLE_PARAM(type)                type *
#define guest_handle_from_ptr(at, type)             ((type *)(at))
#define copy_from_guest(to, from, len)              (memcpy(to, from, len), 0)
#define copy_to_guest(to, from, len)                (memcpy(to, from, len), 0)
#define __copy_to_guest(to, from, nr)               (*(to) = *(from), 0)
#define __HYPERVISOR_domctl                         36
#define hypercall_preempt_check()                   true
#define hypercall_create_continuation(op, form, at) (-ERESTART)

typedef struct xen_domctl {
    union {
        _Alignas(uint64_t) uint8_t pad[128]; /* as beside Xen's own forms */
    } u;
} xen_domctl_t;

#endif /* VMRING_TESTS_FAKE_XEN_H */
