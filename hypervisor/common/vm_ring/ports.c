/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ports.c: a doorbell a group, each an event channel of which both ends are in
 * the agent's domain: one is Xen's, to the other the agent binds.
 *
 * The target's own table is not touched, so that a guest which has used up its
 * ports keeps nobody out.  What Xen is told when such a channel is notified is
 * the domain and the port, from which a table finds the ring: read without a
 * lock, under the RCU lock that evtchn_send() holds.
 */
#include <xen/event.h>

#include "ring.h"

#define BUCKETS 64

struct port {
    struct hlist_node node;
    struct ring_ports *of;
    evtchn_port_t number;
};

struct ring_ports {
    struct rcu_head rcu;
    struct vm_ring *ring;
    struct domain *agent;
    bool heard;
    unsigned int nr;
    struct port port[XEN_VM_RING_MAX_GROUPS];
};

static struct hlist_head table[BUCKETS];
static DEFINE_SPINLOCK(table_lock); /* of writers */

static struct hlist_head *bucket_of(evtchn_port_t number)
{
    return &table[number % BUCKETS];
}

static void cf_check heard(struct vcpu *v, unsigned int number)
{
    struct hlist_node *at;
    struct port *port;

    hlist_for_each_entry_rcu ( port, at, bucket_of(number), node )
    {
        if ( port->number == number && port->of->agent == v->domain )
        {
            port->of->heard = true;
            ring_doorbell(port->of->ring, port - port->of->port);
            return;
        }
    }
}

int ring_ports_open(struct vm_ring *ring, struct domain *agent, unsigned int nr,
                    struct ring_ports **out)
{
    struct ring_ports *ports = xzalloc(struct ring_ports);
    int rc = 0;

    if ( !ports )
        return -ENOMEM;
    get_knownalive_domain(agent);
    ports->ring = ring;
    ports->agent = agent;
    while ( ports->nr < nr )
    {
        struct port *port = &ports->port[ports->nr];

        rc = alloc_unbound_xen_event_channel(agent, 0, agent->domain_id, heard);
        if ( rc < 0 )
            break;
        port->of = ports;
        port->number = rc;
        spin_lock(&table_lock);
        hlist_add_head_rcu(&port->node, bucket_of(port->number));
        spin_unlock(&table_lock);
        ports->nr++;
        rc = 0;
    }
    if ( rc )
    {
        ring_ports_close(ports);
        return rc;
    }
    *out = ports;
    return 0;
}

void ring_ports_tell(const struct ring_ports *ports, uint32_t *numbers)
{
    unsigned int i;

    for ( i = 0; i < ports->nr; i++ )
        numbers[i] = ports->port[i].number;
}

bool ring_ports_bound(const struct ring_ports *ports)
{
    unsigned int i;

    if ( !ports )
        return false;
    for ( i = 0; i < ports->nr; i++ )
    {
        evtchn_port_t number = ports->port[i].number;

        if ( port_is_valid(ports->agent, number) &&
             evtchn_from_port(ports->agent, number)->state ==
                 ECS_INTERDOMAIN )
            return true;
    }
    return false;
}

bool ring_ports_heard(const struct ring_ports *ports)
{
    return !ports || ports->heard;
}

bool ring_ports_are_of(const struct ring_ports *ports, const struct domain *d)
{
    return ports && ports->agent == d;
}

static void cf_check free_ports(struct rcu_head *head)
{
    xfree(container_of(head, struct ring_ports, rcu));
}

void ring_ports_close(struct ring_ports *ports)
{
    unsigned int i;

    if ( !ports )
        return;
    for ( i = 0; i < ports->nr; i++ )
    {
        spin_lock(&table_lock);
        hlist_del_rcu(&ports->port[i].node);
        spin_unlock(&table_lock);
        free_xen_event_channel(ports->agent, ports->port[i].number);
    }
    put_domain(ports->agent);
    call_rcu(&ports->rcu, free_ports);
}

/* Under the domctl lock, as all that change the table are. */
static struct vm_ring *ring_of(const struct domain *agent)
{
    struct hlist_node *at;
    struct port *port;
    unsigned int i;

    for ( i = 0; i < BUCKETS; i++ )
        hlist_for_each_entry ( port, at, &table[i], node )
            if ( port->of->agent == agent )
                return port->of->ring;
    return NULL;
}

int ring_ports_forget(const struct domain *agent)
{
    struct vm_ring *ring;

    while ( (ring = ring_of(agent)) != NULL )
    {
        ring_lose_agent(ring);
        if ( hypercall_preempt_check() )
            return -ERESTART;
    }
    return 0;
}

unsigned int ring_ports_ring(const struct ring_ports *ports, uint64_t groups)
{
    unsigned int nr = 0;

    if ( !ports )
        return 0;
    for ( ; groups; groups &= groups - 1 )
    {
        unsigned int group = __builtin_ctzll(groups);

        if ( group >= ports->nr )
            break;
        notify_via_xen_event_channel(ports->agent, ports->port[group].number);
        nr++;
    }
    return nr;
}
