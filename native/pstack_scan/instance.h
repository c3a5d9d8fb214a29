/* A graph instance in columns, as it is being read. */
#ifndef PSTACK_INSTANCE_H
#define PSTACK_INSTANCE_H

#include "intern.h"
#include "layout.h"
#include "problems.h"
#include "scan_api.h"

enum { TYPE_UNKNOWN = UINT16_MAX, PS_EDGE_BATCH = 64, PS_BATCH_TEXT = 1 << 20 };

/* Rows of one layout, end to end. */
typedef struct {
    const ps_layout *layout;
    ps_buffer rows;
} ps_table;

typedef struct {
    uint32_t message;
    bool indexed;              /* outputs */
    ps_table properties, state; /* inputs */
    uint32_t edges;
} ps_pin;

typedef struct {
    intern_table names;
    ps_pin *pins; /* parallel to names */
    uint32_t capacity, last; /* `last` is the pin that the edge before used */
} ps_pins;

typedef struct {
    bool external;
    uint32_t devices;
    ps_table properties, state;
    ps_pins inputs, outputs;
} ps_type;

typedef struct {
    uint32_t dst, src;
    uint16_t dst_pin, src_pin;
} ps_endpoints;

/* A place in the text of the batch. */
typedef struct {
    size_t at, length;
} ps_slice;

typedef struct {
    ps_slice text;
    uint32_t line, column;
    bool exact;
} ps_pending_value;

/* An edge as it stood in the document.  Pairs are destination and source, P and S. */
typedef struct {
    uint32_t line, column;
    ps_slice path, send_index;
    size_t lengths[4]; /* of the parts of the path */
    intern_key keys[2];
    uint32_t devices[2];
    bool same[2]; /* the device is that of the edge before */
    bool has_send_index, has_value[2];
    ps_pending_value values[2];
} ps_pending_edge;

typedef struct {
    ps_pending_edge edges[PS_EDGE_BATCH];
    unsigned count;
    ps_buffer text;
} edge_batch;

/* What the reader knows of the element it is in. */
typedef struct {
    bool devices; /* in DeviceInstances, not EdgeInstances */
    enum { IN_SECTION, IN_ROW, IN_UNKNOWN } inside;
    const char *tag; /* "DevI", "ExtI" or "EdgeI" */
    char label[96];  /* its id or path, for sentences */
    uint32_t line, column;
    ps_type *device;       /* type of the device; NULL when the device is in error */
    ps_pending_edge *edge; /* likewise */
    bool has_properties, has_state;
    enum { CHILD_NONE, CHILD_PROPERTIES, CHILD_STATE, CHILD_METADATA, CHILD_IGNORED } child;
    ps_buffer text; /* of the child */
    uint32_t text_line, text_column;
    bool text_exact;       /* columns within the text can be told */
    size_t metadata_start; /* where the element's metadata begin */
    size_t metadata;       /* offset of the metadata record being written */
} ps_reader;

struct ps_instance {
    int syntax;
    bool strict, keep_metadata;
    uint64_t seed, memory, memory_limit;
    bool full; /* the memory limit is reached: nothing more is read */

    intern_table type_names, messages;
    ps_type *types;
    uint32_t type_capacity;

    intern_table ids;
    ps_buffer device_type, device_row, device_line;
    ps_buffer edge_dst, edge_dst_pin, edge_src, edge_src_pin, edge_send_index, edge_row, edge_line;
    uint32_t edges;

    uint64_t *edge_slots; /* hash table of edges by their ends: high half of the hash, index + 1 */
    size_t edge_mask;
    edge_batch batch;

    ps_buffer metadata;
    ps_problems problems;
    ps_problems value_problems; /* of the value being read */
    ps_reader reader;

    uint64_t supervisor_edges;
    uint32_t supervisor_line, supervisor_column;
    char warned[8][64]; /* unknown attributes already reported */
    unsigned warned_count;
};

static inline uint32_t column_u32(const ps_buffer *column, size_t index)
{
    uint32_t value;
    memcpy(&value, column->data + index * sizeof value, sizeof value);
    return value;
}

static inline uint16_t column_u16(const ps_buffer *column, size_t index)
{
    uint16_t value;
    memcpy(&value, column->data + index * sizeof value, sizeof value);
    return value;
}

/* Count `size` more bytes of memory; false, with `full` set, beyond the limit. */
bool instance_charge(ps_instance *instance, uint64_t size);
/* What a device (its name aside) and an edge cost. */
uint64_t instance_device_size(const ps_instance *instance, uint16_t type);
uint64_t instance_edge_size(const ps_instance *instance, const ps_endpoints *ends);

/* Append a device whose id is not there yet. */
bool instance_add_device(ps_instance *instance, uint16_t type, uint32_t line);

bool instance_add_edge(ps_instance *instance, const ps_endpoints *ends, int32_t send_index,
                       uint32_t line);

/* Index the edges from `begin` on and report those that are there already; `columns` are
   their places in the document.  At most PS_EDGE_BATCH edges. */
bool edge_index_add(ps_instance *instance, uint32_t begin, const uint32_t *columns);

/* The index of a pin by name, or INTERN_NONE. */
uint32_t pins_find(ps_pins *pins, ps_text name);

#endif
