/* SPDX-License-Identifier: MIT */
/* lttng_trace.c: reads a trace back, by LTTng's own reader, libbabeltrace2. */
#include "lttng.h"

#include <babeltrace2/babeltrace.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

/* What a sink is told; the numbers of all producers are in one stream. */
struct reading {
    bt_message_iterator *messages;
    struct lttng_counted *counted;
    size_t len;
    uint64_t last[QUEUE_MAX_PRODUCERS];
};

/* The word at `at` of a record. */
static void fetch(const bt_field *words, size_t at, unsigned char *record)
{
    uint64_t word = bt_field_integer_unsigned_get_value(
        bt_field_array_borrow_element_field_by_index_const(words, at / 8));

    memcpy(record + at, &word, sizeof(word));
}

static void look_at(struct reading *reading, const bt_event *event)
{
    const bt_field *words =
        bt_field_structure_borrow_member_field_by_index_const(
            bt_event_borrow_payload_field_const(event), 0);
    unsigned char record[QUEUE_WHOLE];

    reading->counted->delivered++;
    if (bt_field_array_get_length(words) * 8 != reading->len) {
        reading->counted->wrong++;
        return;
    }
    fetch(words, QUEUE_NUMBER_AT, record);
    fetch(words, reading->len - 8, record);
    reading->counted->wrong +=
        !queue_is_right(record, reading->len, reading->last);
}

static bt_graph_simple_sink_component_initialize_func_status
begin(bt_message_iterator *messages, void *data)
{
    struct reading *reading = data;

    reading->messages = messages;
    return BT_GRAPH_SIMPLE_SINK_COMPONENT_INITIALIZE_FUNC_STATUS_OK;
}

static bt_graph_simple_sink_component_consume_func_status
consume(bt_message_iterator *messages, void *data)
{
    bt_message_array_const array;
    uint64_t nr;
    int status = bt_message_iterator_next(messages, &array, &nr);

    if (status != BT_MESSAGE_ITERATOR_NEXT_STATUS_OK)
        return (bt_graph_simple_sink_component_consume_func_status)status;
    for (uint64_t i = 0; i < nr; i++) {
        if (bt_message_get_type(array[i]) == BT_MESSAGE_TYPE_EVENT)
            look_at(data, bt_message_event_borrow_event_const(array[i]));
        bt_message_put_ref(array[i]);
    }
    return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_OK;
}

/* A sink for each stream: there is one a CPU, and no order between them. */
static bool connect_all(bt_graph *graph, const bt_component_source *source,
                        struct reading *reading)
{
    uint64_t nr = bt_component_source_get_output_port_count(source);

    for (uint64_t i = 0; i < nr; i++) {
        const bt_component_sink *sink;
        char name[32];

        snprintf(name, sizeof(name), "sink %u", (unsigned)i);
        if (bt_graph_add_simple_sink_component(graph, name, begin, consume,
                                               NULL, reading, &sink) ||
            bt_graph_connect_ports(
                graph,
                bt_component_source_borrow_output_port_by_index_const(source,
                                                                      i),
                bt_component_sink_borrow_input_port_by_index_const(sink, 0),
                NULL))
            return false;
    }
    return nr > 0;
}

static bool read_all(bt_graph *graph, const bt_plugin *ctf, const char *folder,
                     struct reading *reading)
{
    const bt_component_source *source;
    bt_value *params = bt_value_map_create(), *inputs;
    bool good;

    if (!params)
        return false;
    good = !bt_value_map_insert_empty_array_entry(params, "inputs", &inputs) &&
           !bt_value_array_append_string_element(inputs, folder) &&
           !bt_graph_add_source_component(
               graph,
               bt_plugin_borrow_source_component_class_by_name_const(ctf, "fs"),
               "trace", params, BT_LOGGING_LEVEL_NONE, &source) &&
           connect_all(graph, source, reading) && !bt_graph_run(graph);
    bt_value_put_ref(params);
    return good;
}

/* The folder that has the file `metadata`. */
static char found[4096];

static int find_metadata(const char *path, const struct stat *is, int type,
                         struct FTW *at)
{
    (void)is;
    if (type == FTW_F && !strcmp(path + at->base, "metadata"))
        snprintf(found, sizeof(found), "%.*s", at->base, path);
    return 0;
}

bool lttng_trace_count(const char *folder, size_t len,
                       struct lttng_counted *counted)
{
    struct reading reading = {.counted = counted, .len = len};
    const bt_plugin *ctf = NULL;
    bt_graph *graph;
    bool good = false;

    *counted = (struct lttng_counted){0};
    found[0] = 0;
    if (nftw(folder, find_metadata, 16, FTW_PHYS) || !found[0] ||
        bt_plugin_find("ctf", BT_TRUE, BT_TRUE, BT_TRUE, BT_FALSE, BT_TRUE,
                       &ctf))
        return false;
    graph = bt_graph_create(0);
    if (graph) {
        good = read_all(graph, ctf, found, &reading);
        bt_graph_put_ref(graph);
    }
    bt_plugin_put_ref(ctf);
    return good;
}
