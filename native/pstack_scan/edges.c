#include "report.h"
#include "rows.h"

typedef struct {
    ps_text dst, dst_pin, src, src_pin;
} edge_path;

/* The lengths of the parts of a path. */
static bool split_path(ps_text path, size_t lengths[4])
{
    static const char ends[] = ":-:";
    size_t begin = 0, part = 0;
    for (size_t i = 0; i < path.length; i++) {
        char c = path.data[i];
        /* A device id may hold '-' in lenient reading, which its ':' tells from the separator. */
        if (c != ':' && !(c == '-' && (part == 1 || part == 3)))
            continue;
        if (part == 3 || c != ends[part])
            return false;
        lengths[part++] = i - begin;
        begin = i + 1;
    }
    lengths[part] = path.length - begin;
    return part == 3;
}

static edge_path parts_of(const char *path, const size_t lengths[4])
{
    const char *pin = path + lengths[0] + 1, *src = pin + lengths[1] + 1;
    return (edge_path){{path, lengths[0]},
                       {pin, lengths[1]},
                       {src, lengths[2]},
                       {src + lengths[2] + 1, lengths[3]}};
}

static ps_type *type_of(ps_instance *instance, uint32_t device)
{
    uint16_t type = column_u16(&instance->device_type, device);
    return type == TYPE_UNKNOWN ? NULL : &instance->types[type];
}

static void unknown_pin(ps_instance *instance, ps_text device, ps_type *type, ps_text pin, bool source)
{
    char names[512];
    ps_text id = intern_name(&instance->type_names, (uint32_t)(type - instance->types));
    ps_pins *other = source ? &type->inputs : &type->outputs;
    const char *kind = source ? "output" : "input";
    const char *hint = pins_find(other, pin) == INTERN_NONE ? "" : source ? " (that is an input pin)"
                                                                          : " (that is an output pin)";
    REPORT_ELEMENT(instance, PS_ERROR,
                    "device '%.*s' of type '%.*s' has no %s pin '%.*s'%s; its %s pins: %s",
                    SHOWN(device), SHOWN(id), kind, SHOWN(pin), hint, kind,
                    report_names(source ? &type->outputs.names : &type->inputs.names, names, sizeof names));
}

/* Resolve the pins; false when the edge is in error. */
static bool resolve(ps_instance *instance, const edge_path *path, ps_endpoints *ends)
{
    for (int i = 0; i < 2; i++)
        if ((i ? ends->src : ends->dst) == INTERN_NONE)
            REPORT_ELEMENT(instance, PS_ERROR,
                           "there is no device '%.*s', which the path names as %s",
                           SHOWN(i ? path->src : path->dst), i ? "source" : "destination");
    if (ends->dst == INTERN_NONE || ends->src == INTERN_NONE)
        return false;
    ps_type *dst = type_of(instance, ends->dst), *src = type_of(instance, ends->src);
    if (!dst || !src)
        return false; /* reported with the device */
    uint32_t input = pins_find(&dst->inputs, path->dst_pin);
    uint32_t output = pins_find(&src->outputs, path->src_pin);
    if (input == INTERN_NONE || output == INTERN_NONE) {
        if (pins_find(&dst->outputs, path->dst_pin) != INTERN_NONE &&
            pins_find(&src->inputs, path->src_pin) != INTERN_NONE) {
            REPORT_ELEMENT(instance, PS_ERROR,
                            "the path is reversed: the destination comes first, so write "
                            "'%.*s:%.*s-%.*s:%.*s'",
                            SHOWN(path->src), SHOWN(path->src_pin), SHOWN(path->dst),
                            SHOWN(path->dst_pin));
            return false;
        }
        if (input == INTERN_NONE)
            unknown_pin(instance, path->dst, dst, path->dst_pin, false);
        if (output == INTERN_NONE)
            unknown_pin(instance, path->src, src, path->src_pin, true);
        return false;
    }
    uint32_t takes = dst->inputs.pins[input].message, sends = src->outputs.pins[output].message;
    if (takes != sends) {
        REPORT_ELEMENT(instance, PS_ERROR,
                        "pin '%.*s' sends message type '%.*s', but pin '%.*s' receives '%.*s'",
                        SHOWN(path->src_pin), SHOWN(intern_name(&instance->messages, sends)),
                        SHOWN(path->dst_pin), SHOWN(intern_name(&instance->messages, takes)));
        return false;
    }
    ends->dst_pin = (uint16_t)input;
    ends->src_pin = (uint16_t)output;
    return true;
}

/* An edge to or from the supervisor, which has no id.  The other end has to exist. */
static void supervisor_edge(ps_instance *instance, const edge_path *path)
{
    const ps_reader *reader = &instance->reader;
    if (!path->dst.length && !path->src.length) {
        REPORT_ELEMENT(instance, PS_ERROR, "the path names no device");
        return;
    }
    ps_text device = path->dst.length ? path->dst : path->src;
    if (intern_find(&instance->ids, device) == INTERN_NONE) {
        REPORT_ELEMENT(instance, PS_ERROR, "there is no device '%.*s'", SHOWN(device));
        return;
    }
    if (!instance->supervisor_edges++) {
        instance->supervisor_line = reader->line;
        instance->supervisor_column = reader->column;
    }
}

static bool read_send_index(ps_instance *instance, const ps_pin *pin, ps_text text, int32_t *index)
{
    uint32_t value = 0;
    bool valid = text.length > 0;
    for (size_t i = 0; valid && i < text.length; i++) {
        valid = text.data[i] >= '0' && text.data[i] <= '9' && value <= (INT32_MAX - 9) / 10;
        value = value * 10 + (uint32_t)(text.data[i] - '0');
    }
    if (!valid)
        REPORT_ELEMENT(instance, PS_ERROR, "sendIndex '%.*s' is not a number (0..%d)", SHOWN(text),
                        INT32_MAX - 9);
    else if (!pin->indexed)
        REPORT_ELEMENT(instance, PS_ERROR, "sendIndex is given, but the output pin is not indexed");
    *index = (int32_t)value;
    return valid && pin->indexed;
}

static edge_path stored_path(const ps_instance *instance, const ps_pending_edge *edge)
{
    return parts_of(instance->batch.text.data + edge->path.at, edge->lengths);
}

static ps_text stored(const ps_instance *instance, const ps_slice *slice)
{
    return (ps_text){instance->batch.text.data + slice->at, slice->length};
}

static bool store(ps_instance *instance, ps_text text, ps_slice *slice)
{
    *slice = (ps_slice){instance->batch.text.length, text.length};
    return buffer_append(&instance->batch.text, text.data, text.length);
}

/* Hash the devices of a path and ask for their slots; a device named by the edge before in
   the same place is known already. */
static void prefetch(ps_instance *instance, ps_pending_edge *edge)
{
    bool first = instance->batch.count == 0;
    edge_path parts = stored_path(instance, edge);
    edge_path before = stored_path(instance, first ? edge : edge - 1);
    for (int i = 0; i < 2; i++) {
        ps_text id = i ? parts.src : parts.dst, other = i ? before.src : before.dst;
        edge->same[i] = !first && text_is(id, other.data, other.length);
        if (edge->same[i])
            continue;
        edge->keys[i] = intern_hash(&instance->ids, id);
        intern_prefetch(&instance->ids, &edge->keys[i]);
    }
}

xml_status edge_start(ps_instance *instance, const xml_parser *xml, const xml_tag *tag)
{
    ps_reader *reader = &instance->reader;
    ps_pending_edge *edge = &instance->batch.edges[instance->batch.count];
    const xml_attribute *values[2] = {NULL, NULL}, *send_index = NULL, *path = NULL;
    bool unknown = false;
    for (unsigned i = 0; i < tag->count; i++) {
        const xml_attribute *attribute = &tag->attributes[i];
        if (TEXT_IS(attribute->name, "path"))
            path = attribute;
        else if (TEXT_IS(attribute->name, "P"))
            values[0] = attribute;
        else if (TEXT_IS(attribute->name, "S"))
            values[1] = attribute;
        else if (TEXT_IS(attribute->name, "sendIndex"))
            send_index = attribute;
        else
            unknown = true;
    }
    if (path)
        row_label(instance, path->value);
    if (unknown)
        report_attributes(instance, tag,
                          (const char *const[]){"path", "P", "S", "sendIndex", NULL});
    if (!path) {
        REPORT_ELEMENT(instance, PS_ERROR,
                       "the edge has no path: write path=\"DEVICE:PIN-DEVICE:PIN\", destination first");
        return XML_OK;
    }
    if (!split_path(path->value, edge->lengths)) {
        REPORT_ELEMENT(instance, PS_ERROR,
                       "malformed path '%.*s': write DEVICE:PIN-DEVICE:PIN, destination first",
                       SHOWN(path->value));
        return XML_OK;
    }
    edge_path parts = parts_of(path->value.data, edge->lengths);
    if (!parts.dst.length || !parts.src.length) {
        supervisor_edge(instance, &parts);
        return XML_OK;
    }
    edge->line = reader->line;
    edge->column = reader->column;
    edge->has_send_index = send_index != NULL;
    edge->has_value[0] = edge->has_value[1] = false;
    if (!store(instance, path->value, &edge->path) ||
        (send_index && !store(instance, send_index->value, &edge->send_index)))
        return row_no_memory(instance);
    prefetch(instance, edge);
    reader->edge = edge;
    xml_status status = XML_OK;
    for (int state = 0; state < 2 && status == XML_OK; state++) {
        if (!values[state])
            continue;
        row_value value = row_attribute(xml, values[state]);
        if (row_claim(instance, state, value.line, value.column))
            status = edge_value(instance, state, &value);
    }
    return status;
}

xml_status edge_value(ps_instance *instance, bool state, const row_value *value)
{
    ps_pending_edge *edge = instance->reader.edge;
    edge->has_value[state] = true;
    edge->values[state] = (ps_pending_value){{0, 0}, value->line, value->column, value->exact};
    return store(instance, value->text, &edge->values[state].text) ? XML_OK : row_no_memory(instance);
}

xml_status edge_end(ps_instance *instance)
{
    ps_reader *reader = &instance->reader;
    edge_batch *batch = &instance->batch;
    size_t metadata = reader->metadata_start;
    uint32_t before = instance->edges;
    batch->count += reader->edge != NULL;
    reader->edge = NULL;
    if (batch->count < PS_EDGE_BATCH && batch->text.length < PS_BATCH_TEXT && !instance->keep_metadata)
        return XML_OK;
    xml_status status = edges_flush(instance);
    /* Metadata of an edge that was refused go with it; kept metadata make batches of one. */
    if (instance->keep_metadata && instance->edges == before)
        instance->metadata.length = metadata;
    return status;
}

/* Add one edge of the batch, whose devices have been looked up. */
static xml_status add(ps_instance *instance, const ps_pending_edge *edge)
{
    ps_reader *reader = &instance->reader;
    ps_endpoints ends = {edge->devices[0], edge->devices[1], 0, 0};
    edge_path parts = stored_path(instance, edge);
    reader->line = edge->line;
    reader->column = edge->column;
    row_label(instance, stored(instance, &edge->path));
    if (!resolve(instance, &parts, &ends))
        return XML_OK;
    ps_pin *output = &type_of(instance, ends.src)->outputs.pins[ends.src_pin];
    int32_t index = -1;
    if (edge->has_send_index &&
        !read_send_index(instance, output, stored(instance, &edge->send_index), &index))
        return XML_OK;
    if (row_is_refused(instance, instance_edge_size(instance, &ends)))
        return XML_OK;
    if (!instance_add_edge(instance, &ends, index, edge->line))
        return row_no_memory(instance);
    ps_pin *input = &type_of(instance, ends.dst)->inputs.pins[ends.dst_pin];
    for (int state = 0; state < 2; state++) {
        const ps_pending_value *pending = &edge->values[state];
        if (!edge->has_value[state])
            continue;
        row_value value = {stored(instance, &pending->text), pending->line, pending->column,
                           pending->exact};
        xml_status status =
            row_read(instance, state ? &input->state : &input->properties, state, &value);
        if (status != XML_OK)
            return status;
    }
    return XML_OK;
}

xml_status edges_flush(ps_instance *instance)
{
    edge_batch *batch = &instance->batch;
    const uint16_t *types = (const uint16_t *)(const void *)instance->device_type.data;
    uint32_t begin = instance->edges, columns[PS_EDGE_BATCH];
    xml_status status = XML_OK;
    for (unsigned i = 0; i < batch->count; i++) {
        ps_pending_edge *edge = &batch->edges[i];
        edge_path parts = stored_path(instance, edge);
        for (int end = 0; end < 2; end++) {
            edge->devices[end] =
                edge->same[end] ? edge[-1].devices[end]
                                : intern_find_key(&instance->ids, end ? parts.src : parts.dst,
                                                  &edge->keys[end]);
            if (edge->devices[end] != INTERN_NONE)
                __builtin_prefetch(&types[edge->devices[end]]);
        }
    }
    for (unsigned i = 0; i < batch->count && status == XML_OK; i++) {
        uint32_t before = instance->edges;
        status = add(instance, &batch->edges[i]);
        if (instance->edges != before)
            columns[before - begin] = batch->edges[i].column;
    }
    batch->count = 0;
    batch->text.length = 0;
    if (batch->text.capacity > 2 * PS_BATCH_TEXT)
        buffer_free(&batch->text);
    if (status == XML_OK && !edge_index_add(instance, begin, columns))
        return row_no_memory(instance);
    return status;
}
