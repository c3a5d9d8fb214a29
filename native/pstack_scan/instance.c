#include "instance.h"

#include <stdlib.h>

enum { DEVICE_BYTES = 40, EDGE_BYTES = 36 };

/* ------------------------------------------------------------------- types */

ps_instance *ps_instance_new(int syntax, bool strict, bool keep_metadata, uint64_t memory_limit,
                             uint64_t seed)
{
    ps_instance *instance = calloc(1, sizeof *instance);
    if (!instance)
        return NULL;
    instance->syntax = syntax;
    instance->strict = strict;
    instance->keep_metadata = keep_metadata;
    instance->memory_limit = memory_limit;
    instance->seed = seed;
    instance->edge_mask = 63;
    instance->edge_slots = calloc(64, sizeof *instance->edge_slots);
    if (!instance->edge_slots || !intern_init(&instance->ids, seed) ||
        !intern_init(&instance->messages, seed) || !intern_init(&instance->type_names, seed)) {
        ps_instance_free(instance);
        return NULL;
    }
    return instance;
}

static void pins_free(ps_pins *pins)
{
    for (uint32_t i = 0; i < pins->names.count; i++) {
        buffer_free(&pins->pins[i].properties.rows);
        buffer_free(&pins->pins[i].state.rows);
    }
    intern_free(&pins->names);
    free(pins->pins);
}

void ps_instance_free(ps_instance *instance)
{
    if (!instance)
        return;
    for (uint32_t i = 0; i < instance->type_names.count; i++) {
        ps_type *type = &instance->types[i];
        buffer_free(&type->properties.rows);
        buffer_free(&type->state.rows);
        pins_free(&type->inputs);
        pins_free(&type->outputs);
    }
    free(instance->types);
    intern_free(&instance->type_names);
    intern_free(&instance->messages);
    intern_free(&instance->ids);
    ps_buffer *columns[] = {&instance->device_type,  &instance->device_row,
                            &instance->device_line,  &instance->edge_dst,
                            &instance->edge_dst_pin, &instance->edge_src,
                            &instance->edge_src_pin, &instance->edge_send_index,
                            &instance->edge_row,     &instance->edge_line,
                            &instance->metadata,     &instance->reader.text,
                            &instance->batch.text};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        buffer_free(columns[i]);
    free(instance->edge_slots);
    problems_clear(&instance->problems);
    problems_clear(&instance->value_problems);
    free(instance);
}

bool ps_instance_add_message(ps_instance *instance, const char *id, size_t length)
{
    uint32_t index;
    bool added;
    return intern_add(&instance->messages, (ps_text){id, length}, &index, &added);
}

bool ps_instance_add_type(ps_instance *instance, const char *id, size_t length, bool external,
                          const ps_layout *properties, const ps_layout *state)
{
    uint32_t index = instance->type_names.count;
    bool added;
    if (index == instance->type_capacity) {
        uint32_t capacity = index ? index * 2 : 8;
        ps_type *types = realloc(instance->types, capacity * sizeof *types);
        if (!types)
            return false;
        instance->types = types;
        instance->type_capacity = capacity;
    }
    ps_type *type = &instance->types[index];
    memset(type, 0, sizeof *type);
    type->external = external;
    type->properties.layout = properties;
    type->state.layout = state;
    if (!intern_init(&type->inputs.names, instance->seed) ||
        !intern_init(&type->outputs.names, instance->seed) ||
        !intern_add(&instance->type_names, (ps_text){id, length}, &index, &added) || !added) {
        pins_free(&type->inputs);
        pins_free(&type->outputs);
        return false;
    }
    return true;
}

static ps_pin *add_pin(ps_pins *pins, const char *name, size_t length)
{
    uint32_t index = pins->names.count;
    bool added;
    if (index == pins->capacity) {
        uint32_t capacity = index ? index * 2 : 4;
        ps_pin *grown = realloc(pins->pins, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        pins->pins = grown;
        pins->capacity = capacity;
    }
    memset(&pins->pins[index], 0, sizeof *pins->pins);
    if (!intern_add(&pins->names, (ps_text){name, length}, &index, &added) || !added)
        return NULL;
    return &pins->pins[index];
}

static ps_type *last_type(ps_instance *instance)
{
    return &instance->types[instance->type_names.count - 1];
}

bool ps_instance_add_input(ps_instance *instance, const char *name, size_t length,
                           uint32_t message, const ps_layout *properties, const ps_layout *state)
{
    ps_pin *pin = add_pin(&last_type(instance)->inputs, name, length);
    if (!pin)
        return false;
    pin->message = message;
    pin->properties.layout = properties;
    pin->state.layout = state;
    return true;
}

bool ps_instance_add_output(ps_instance *instance, const char *name, size_t length,
                            uint32_t message, bool indexed)
{
    ps_pin *pin = add_pin(&last_type(instance)->outputs, name, length);
    if (!pin)
        return false;
    pin->message = message;
    pin->indexed = indexed;
    return true;
}

uint32_t pins_find(ps_pins *pins, ps_text name)
{
    if (pins->last < pins->names.count) {
        ps_text last = intern_name(&pins->names, pins->last);
        if (text_is(name, last.data, last.length))
            return pins->last;
    }
    uint32_t index = intern_find(&pins->names, name);
    if (index != INTERN_NONE)
        pins->last = index;
    return index;
}

/* -------------------------------------------------------------------- rows */

bool instance_charge(ps_instance *instance, uint64_t size)
{
    instance->memory += size;
    instance->full |= instance->memory > instance->memory_limit;
    return !instance->full;
}

static uint64_t row_size(const ps_table *table)
{
    return table->layout ? table->layout->size : 0;
}

uint64_t instance_device_size(const ps_instance *instance, uint16_t type)
{
    if (type == TYPE_UNKNOWN)
        return DEVICE_BYTES;
    return DEVICE_BYTES + row_size(&instance->types[type].properties) +
           row_size(&instance->types[type].state);
}

static ps_pin *input_of(const ps_instance *instance, const ps_endpoints *ends)
{
    ps_type *type = &instance->types[column_u16(&instance->device_type, ends->dst)];
    return &type->inputs.pins[ends->dst_pin];
}

uint64_t instance_edge_size(const ps_instance *instance, const ps_endpoints *ends)
{
    const ps_pin *pin = input_of(instance, ends);
    return EDGE_BYTES + row_size(&pin->properties) + row_size(&pin->state);
}

static bool add_row(ps_table *table)
{
    return !table->layout ||
           buffer_append(&table->rows, table->layout->defaults, table->layout->size);
}

bool instance_add_device(ps_instance *instance, uint16_t type_index, uint32_t line)
{
    uint32_t row = 0;
    if (type_index != TYPE_UNKNOWN) {
        ps_type *type = &instance->types[type_index];
        if (!add_row(&type->properties) || !add_row(&type->state))
            return false;
        row = type->devices++;
    }
    return buffer_push_u16(&instance->device_type, type_index) &&
           buffer_push_u32(&instance->device_row, row) &&
           buffer_push_u32(&instance->device_line, line);
}

bool instance_add_edge(ps_instance *instance, const ps_endpoints *ends, int32_t send_index,
                       uint32_t line)
{
    ps_pin *pin = input_of(instance, ends);
    if (instance->edges == UINT32_MAX - 1)
        return false;
    if (!add_row(&pin->properties) || !add_row(&pin->state) ||
        !buffer_push_u32(&instance->edge_dst, ends->dst) ||
        !buffer_push_u16(&instance->edge_dst_pin, ends->dst_pin) ||
        !buffer_push_u32(&instance->edge_src, ends->src) ||
        !buffer_push_u16(&instance->edge_src_pin, ends->src_pin) ||
        !buffer_push_u32(&instance->edge_send_index, (uint32_t)send_index) ||
        !buffer_push_u32(&instance->edge_row, pin->edges) ||
        !buffer_push_u32(&instance->edge_line, line))
        return false;
    pin->edges++;
    instance->edges++;
    return true;
}

/* ----------------------------------------------------------------- results */

static void seal_table(ps_table *table)
{
    buffer_shrink(&table->rows);
}

void ps_instance_seal(ps_instance *instance)
{
    /* A section may be open still: what comes of it is dropped. */
    instance->full = true;
    instance->batch.count = 0;
    instance->reader.device = NULL;
    instance->reader.edge = NULL;
    instance->reader.child = CHILD_IGNORED;
    intern_seal(&instance->ids);
    free(instance->edge_slots);
    instance->edge_slots = NULL;
    buffer_free(&instance->reader.text);
    buffer_free(&instance->batch.text);
    for (int column = PS_DEVICE_TYPE; column <= PS_METADATA; column++) {
        ps_buffer *buffers[] = {&instance->device_type,  &instance->device_row,
                                &instance->device_line,  &instance->edge_dst,
                                &instance->edge_dst_pin, &instance->edge_src,
                                &instance->edge_src_pin, &instance->edge_send_index,
                                &instance->edge_row,     &instance->edge_line,
                                &instance->metadata};
        buffer_shrink(buffers[column - PS_DEVICE_TYPE]);
    }
    for (uint32_t i = 0; i < instance->type_names.count; i++) {
        ps_type *type = &instance->types[i];
        seal_table(&type->properties);
        seal_table(&type->state);
        for (uint32_t pin = 0; pin < type->inputs.names.count; pin++) {
            seal_table(&type->inputs.pins[pin].properties);
            seal_table(&type->inputs.pins[pin].state);
        }
    }
}

uint64_t ps_instance_devices(const ps_instance *instance)
{
    return instance->ids.count;
}

uint64_t ps_instance_edges(const ps_instance *instance)
{
    return instance->edges;
}

static char *whole(ps_buffer *buffer, size_t *bytes)
{
    *bytes = buffer->length;
    return buffer->data;
}

char *ps_instance_column(ps_instance *instance, int column, size_t *bytes)
{
    switch (column) {
    case PS_NAMES_ARENA:
        return whole(&instance->ids.arena, bytes);
    case PS_NAMES_OFFSETS:
        return whole(&instance->ids.offsets, bytes);
    case PS_DEVICE_TYPE:
        return whole(&instance->device_type, bytes);
    case PS_DEVICE_ROW:
        return whole(&instance->device_row, bytes);
    case PS_DEVICE_LINE:
        return whole(&instance->device_line, bytes);
    case PS_EDGE_DST:
        return whole(&instance->edge_dst, bytes);
    case PS_EDGE_DST_PIN:
        return whole(&instance->edge_dst_pin, bytes);
    case PS_EDGE_SRC:
        return whole(&instance->edge_src, bytes);
    case PS_EDGE_SRC_PIN:
        return whole(&instance->edge_src_pin, bytes);
    case PS_EDGE_SEND_INDEX:
        return whole(&instance->edge_send_index, bytes);
    case PS_EDGE_ROW:
        return whole(&instance->edge_row, bytes);
    case PS_EDGE_LINE:
        return whole(&instance->edge_line, bytes);
    default:
        return whole(&instance->metadata, bytes);
    }
}

char *ps_instance_device_rows(ps_instance *instance, uint32_t type, bool state, size_t *bytes)
{
    ps_type *found = &instance->types[type];
    return whole(state ? &found->state.rows : &found->properties.rows, bytes);
}

char *ps_instance_edge_rows(ps_instance *instance, uint32_t type, uint32_t pin, bool state,
                            size_t *bytes)
{
    ps_pin *found = &instance->types[type].inputs.pins[pin];
    return whole(state ? &found->state.rows : &found->properties.rows, bytes);
}

const ps_problems *ps_instance_problems(const ps_instance *instance)
{
    return &instance->problems;
}
