#include "reader.h"

#include "chars.h"
#include "instance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN(text) (int)utf8_whole((text).data, (text).length < 80 ? (text).length : 80), (text).data

static xml_status no_memory(ps_instance *instance)
{
    instance->full = true; /* columns may be of unequal length now: read no more */
    return XML_NO_MEMORY;
}

/* ---------------------------------------------------------------- problems */

__attribute__((format(printf, 5, 6)))
static void problem(ps_instance *instance, int severity, uint32_t line, uint32_t column,
                    const char *format, ...)
{
    char sentence[PS_MAX_SENTENCE], element[128] = "";
    const ps_reader *reader = &instance->reader;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (reader->inside == IN_ROW)
        snprintf(element, sizeof element, reader->label[0] ? "%s '%s'" : "%s", reader->tag,
                 reader->label);
    problems_add(&instance->problems, severity, line, column, element, sentence);
}

/* A problem of the element being read. */
#define ELEMENT_PROBLEM(instance, severity, ...)                                             \
    problem((instance), (severity), (instance)->reader.line, (instance)->reader.column, __VA_ARGS__)

static int lenience(const ps_instance *instance)
{
    return instance->strict ? PS_ERROR : PS_WARNING;
}

static bool is_harmless(ps_text name)
{
    static const char *const harmless[] = {"sorted", "application", "priority", "cTypeName", "xmlns"};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (text_is(name, harmless[i], strlen(harmless[i])))
            return true;
    return memchr(name.data, ':', name.length) != NULL;
}

/* Warn of an attribute, the first time that it is seen. */
static void unknown_attribute(ps_instance *instance, const char *element, ps_text name)
{
    char key[sizeof *instance->warned];
    const unsigned room = sizeof instance->warned / sizeof *instance->warned;
    if (is_harmless(name))
        return;
    snprintf(key, sizeof key, "%s %.*s", element, (int)(name.length < 48 ? name.length : 48),
             name.data);
    for (unsigned i = 0; i < instance->warned_count; i++)
        if (strcmp(instance->warned[i], key) == 0)
            return;
    if (instance->warned_count == room)
        return;
    strcpy(instance->warned[instance->warned_count++], key);
    ELEMENT_PROBLEM(instance, PS_WARNING,
                    "attribute '%.*s' of %s is not known; it is ignored wherever it stands",
                    SHOWN(name), element);
}

static void unknown_attributes(ps_instance *instance, const xml_tag *tag, const char *const *known)
{
    for (unsigned i = 0; i < tag->count; i++) {
        ps_text name = tag->attributes[i].name;
        const char *const *one = known;
        while (*one && !text_is(name, *one, strlen(*one)))
            one++;
        if (!*one)
            unknown_attribute(instance, instance->reader.tag, name);
    }
}

/* The names in a table, for sentences: at most ten. */
static const char *listed(const intern_table *names, char *out, size_t room)
{
    size_t used = 0;
    if (!names->count)
        return "none";
    for (uint32_t i = 0; i < names->count && i < 10 && used < room; i++) {
        ps_text name = intern_name(names, i);
        used += (size_t)snprintf(out + used, room - used, "%s'%.*s'", i ? ", " : "",
                                 (int)utf8_whole(name.data, name.length < 40 ? name.length : 40), name.data);
    }
    if (names->count > 10 && used < room)
        snprintf(out + used, room - used, " and %u more", names->count - 10);
    return out;
}

/* ------------------------------------------------------------------ values */

static const ps_node empty_node = {.kind = PS_STRUCT};
static const ps_layout empty_layout = {.nodes = (ps_node *)&empty_node, .count = 1};

/* Parse an initialiser over the row appended last.  `line` and `column` say where the text
   starts; `exact` whether columns within it can be counted. */
static xml_status read_value(ps_instance *instance, ps_table *table, const char *which, ps_text text,
                             uint32_t line, uint32_t column, bool exact)
{
    if (!table)
        return XML_OK;
    const ps_layout *layout = table->layout ? table->layout : &empty_layout;
    char *row = table->layout ? table->rows.data + table->rows.length - layout->size : NULL;
    ps_problems *found = &instance->value_problems;
    if (!ps_value_parse(layout, text.data, text.length, instance->syntax, instance->strict, row, found))
        return no_memory(instance);
    if (!found->total)
        return XML_OK;
    for (uint32_t i = 0; i < found->kept; i++) {
        const char *p = text.data, *at = p + found->list[i].line;
        uint32_t at_line = line, at_column = column;
        for (const char *newline; (newline = memchr(p, '\n', (size_t)(at - p))); p = newline + 1) {
            at_line++;
            at_column = 1;
            exact = true;
        }
        if (exact)
            for (; p < at; p++)
                at_column += ((uint8_t)*p & 0xc0) != 0x80;
        problem(instance, found->list[i].severity, at_line, at_column, "%s: %s", which,
                found->list[i].message);
    }
    problems_clear(found);
    return XML_OK;
}

/* The table that P (or S) of the current element goes to; false after reporting that it
   must not be here. */
static bool claim(ps_instance *instance, bool state, uint32_t line, uint32_t column,
                  ps_table **table)
{
    ps_reader *reader = &instance->reader;
    bool *has = state ? &reader->has_state : &reader->has_properties;
    const char *which = state ? "S" : "P";
    *table = state ? reader->state : reader->properties;
    if (*has) {
        problem(instance, PS_ERROR, line, column, "%s is given twice", which);
        return false;
    }
    *has = true;
    if (state && reader->tag[0] == 'E' && reader->tag[1] == 'x') {
        problem(instance, PS_ERROR, line, column, "an external has no state: remove S");
        return false;
    }
    return true;
}

static xml_status read_attribute_value(ps_instance *instance, const xml_parser *xml,
                                       const xml_attribute *attribute, bool state)
{
    uint32_t line, column;
    ps_table *table;
    xml_position(xml, attribute->at, &line, &column);
    if (!claim(instance, state, line, column, &table))
        return XML_OK;
    return read_value(instance, table, state ? "S" : "P", attribute->value, line, column,
                      !attribute->decoded);
}

/* ------------------------------------------------------------------- rows */

static bool is_full(ps_instance *instance, uint64_t size)
{
    if (instance->full)
        return true;
    if (instance_charge(instance, size))
        return false;
    ELEMENT_PROBLEM(instance, PS_ERROR,
                    "the instance needs more than the %llu MiB of memory allowed; the rest is not read",
                    (unsigned long long)(instance->memory_limit >> 20));
    return true;
}

static void set_label(ps_reader *reader, ps_text text)
{
    size_t length = utf8_whole(text.data, text.length < sizeof reader->label
                                              ? text.length : sizeof reader->label - 1);
    memcpy(reader->label, text.data, length);
    reader->label[length] = 0;
}

static void check_id(ps_instance *instance, ps_text id)
{
    for (size_t i = 0; i < id.length; i++) {
        char c = id.data[i];
        if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_')
            continue;
        bool colon = memchr(id.data, ':', id.length) != NULL;
        ELEMENT_PROBLEM(instance, colon ? PS_ERROR : lenience(instance),
                        "a device id may hold letters, digits and '_' only%s",
                        colon ? ": ':' separates device and pin in the paths of edges" : "");
        return;
    }
}

static xml_status start_device(ps_instance *instance, const xml_parser *xml, const xml_tag *tag)
{
    ps_reader *reader = &instance->reader;
    const xml_attribute *properties = NULL, *state = NULL;
    ps_text id = {"", 0}, type_id = {"", 0};
    bool has_type = false, unknown = false, added;
    for (unsigned i = 0; i < tag->count; i++) {
        const xml_attribute *attribute = &tag->attributes[i];
        if (TEXT_IS(attribute->name, "id"))
            id = attribute->value;
        else if (TEXT_IS(attribute->name, "type"))
            type_id = attribute->value, has_type = true;
        else if (TEXT_IS(attribute->name, "P"))
            properties = attribute;
        else if (TEXT_IS(attribute->name, "S"))
            state = attribute;
        else
            unknown = true;
    }
    set_label(reader, id);
    if (unknown)
        unknown_attributes(instance, tag, (const char *const[]){"id", "type", "P", "S", NULL});
    if (!id.length) {
        ELEMENT_PROBLEM(instance, PS_ERROR, "the device has no id: give it one with id=\"...\"");
        return XML_OK;
    }
    uint32_t type_index = has_type ? intern_find(&instance->type_names, type_id) : INTERN_NONE;
    uint16_t type = type_index == INTERN_NONE ? TYPE_UNKNOWN : (uint16_t)type_index;
    if (is_full(instance, instance_device_size(instance, type) + id.length))
        return XML_OK;
    uint32_t index;
    if (!intern_add(&instance->ids, id, &index, &added))
        return no_memory(instance);
    if (!added) {
        ELEMENT_PROBLEM(instance, PS_ERROR, "device id '%.*s' is used twice: first at line %u",
                        SHOWN(id), column_u32(&instance->device_line, index));
        return XML_OK;
    }
    if (!instance_add_device(instance, type, reader->line))
        return no_memory(instance);
    check_id(instance, id);
    if (type == TYPE_UNKNOWN) {
        char names[512];
        if (has_type)
            ELEMENT_PROBLEM(instance, PS_ERROR, "there is no device type '%.*s'; the types are: %s",
                            SHOWN(type_id), listed(&instance->type_names, names, sizeof names));
        else
            ELEMENT_PROBLEM(instance, PS_ERROR, "the device has no type: give it one with type=\"...\"");
        return XML_OK;
    }
    ps_type *found = &instance->types[type];
    if (found->external != (reader->tag[0] == 'E'))
        ELEMENT_PROBLEM(instance, lenience(instance), "type '%.*s' is %s external type: write %s",
                        SHOWN(type_id), found->external ? "an" : "not an",
                        found->external ? "ExtI" : "DevI");
    reader->properties = &found->properties;
    reader->state = &found->state;
    xml_status status = XML_OK;
    if (properties)
        status = read_attribute_value(instance, xml, properties, false);
    if (state && status == XML_OK)
        status = read_attribute_value(instance, xml, state, true);
    return status;
}

/* ------------------------------------------------------------------- edges */

typedef struct {
    ps_text dst, dst_pin, src, src_pin;
} edge_path;

static bool split_path(ps_text path, edge_path *parts)
{
    const char *p = path.data, *end = p + path.length;
    const char *first = memchr(p, ':', path.length);
    const char *dash = first ? memchr(first, '-', (size_t)(end - first)) : NULL;
    const char *last = dash ? memchr(dash, ':', (size_t)(end - dash)) : NULL;
    if (!last || memchr(last + 1, ':', (size_t)(end - last - 1)) ||
        memchr(first + 1, ':', (size_t)(dash - first - 1)) ||
        memchr(last + 1, '-', (size_t)(end - last - 1)))
        return false;
    *parts = (edge_path){{p, (size_t)(first - p)},
                         {first + 1, (size_t)(dash - first - 1)},
                         {dash + 1, (size_t)(last - dash - 1)},
                         {last + 1, (size_t)(end - last - 1)}};
    return true;
}

/* Find both devices of a path, trying first those of the edge before. */
static bool find_devices(ps_instance *instance, const edge_path *path, ps_endpoints *ends)
{
    const ps_text ids[2] = {path->dst, path->src};
    ps_reader *reader = &instance->reader;
    uint32_t *last = reader->last;
    intern_key keys[2];
    bool same[2];
    for (int i = 0; i < 2; i++) {
        same[i] = last[i] != INTERN_NONE &&
                  text_is(ids[i], reader->last_id[i], reader->last_length[i]);
        if (!same[i]) {
            keys[i] = intern_hash(&instance->ids, ids[i]);
            intern_prefetch(&instance->ids, &keys[i]);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (same[i])
            continue;
        last[i] = intern_find_key(&instance->ids, ids[i], &keys[i]);
        size_t length = ids[i].length <= sizeof *reader->last_id ? ids[i].length : 0;
        memcpy(reader->last_id[i], ids[i].data, length);
        reader->last_length[i] = (uint8_t)length; /* no id is empty, so 0 matches none */
    }
    ends->dst = last[0];
    ends->src = last[1];
    for (int i = 0; i < 2; i++)
        if (last[i] == INTERN_NONE)
            ELEMENT_PROBLEM(instance, PS_ERROR, "there is no device '%.*s', which the path names as %s",
                            SHOWN(ids[i]), i ? "source" : "destination");
    return last[0] != INTERN_NONE && last[1] != INTERN_NONE;
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
    ELEMENT_PROBLEM(instance, PS_ERROR,
                    "device '%.*s' of type '%.*s' has no %s pin '%.*s'%s; its %s pins: %s",
                    SHOWN(device), SHOWN(id), kind, SHOWN(pin), hint, kind,
                    listed(source ? &type->outputs.names : &type->inputs.names, names, sizeof names));
}

/* Resolve both ends; false when the edge is in error. */
static bool resolve(ps_instance *instance, const edge_path *path, ps_endpoints *ends)
{
    if (!find_devices(instance, path, ends))
        return false;
    ps_type *dst = type_of(instance, ends->dst), *src = type_of(instance, ends->src);
    if (!dst || !src)
        return false; /* reported with the device */
    uint32_t input = pins_find(&dst->inputs, path->dst_pin);
    uint32_t output = pins_find(&src->outputs, path->src_pin);
    if (input == INTERN_NONE || output == INTERN_NONE) {
        if (pins_find(&dst->outputs, path->dst_pin) != INTERN_NONE &&
            pins_find(&src->inputs, path->src_pin) != INTERN_NONE) {
            ELEMENT_PROBLEM(instance, PS_ERROR,
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
        ELEMENT_PROBLEM(instance, PS_ERROR,
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
        ELEMENT_PROBLEM(instance, PS_ERROR, "the path names no device");
        return;
    }
    ps_text device = path->dst.length ? path->dst : path->src;
    if (intern_find(&instance->ids, device) == INTERN_NONE) {
        ELEMENT_PROBLEM(instance, PS_ERROR, "there is no device '%.*s'", SHOWN(device));
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
        ELEMENT_PROBLEM(instance, PS_ERROR, "sendIndex '%.*s' is not a number (0..%d)", SHOWN(text),
                        INT32_MAX - 9);
    else if (!pin->indexed)
        ELEMENT_PROBLEM(instance, PS_ERROR, "sendIndex is given, but the output pin is not indexed");
    *index = (int32_t)value;
    return valid && pin->indexed;
}

static xml_status start_edge(ps_instance *instance, const xml_parser *xml, const xml_tag *tag)
{
    ps_reader *reader = &instance->reader;
    const xml_attribute *properties = NULL, *state = NULL, *send_index = NULL, *path = NULL;
    bool unknown = false;
    for (unsigned i = 0; i < tag->count; i++) {
        const xml_attribute *attribute = &tag->attributes[i];
        if (TEXT_IS(attribute->name, "path"))
            path = attribute;
        else if (TEXT_IS(attribute->name, "P"))
            properties = attribute;
        else if (TEXT_IS(attribute->name, "S"))
            state = attribute;
        else if (TEXT_IS(attribute->name, "sendIndex"))
            send_index = attribute;
        else
            unknown = true;
    }
    if (path)
        set_label(reader, path->value);
    if (unknown)
        unknown_attributes(instance, tag,
                           (const char *const[]){"path", "P", "S", "sendIndex", NULL});
    if (!path) {
        ELEMENT_PROBLEM(instance, PS_ERROR,
                        "the edge has no path: write path=\"DEVICE:PIN-DEVICE:PIN\", destination first");
        return XML_OK;
    }
    edge_path parts;
    ps_endpoints ends;
    if (!split_path(path->value, &parts)) {
        ELEMENT_PROBLEM(instance, PS_ERROR,
                        "malformed path '%.*s': write DEVICE:PIN-DEVICE:PIN, destination first",
                        SHOWN(path->value));
        return XML_OK;
    }
    if (!parts.dst.length || !parts.src.length) {
        supervisor_edge(instance, &parts);
        return XML_OK;
    }
    if (!resolve(instance, &parts, &ends))
        return XML_OK;
    ps_type *dst = type_of(instance, ends.dst), *src = type_of(instance, ends.src);
    int32_t index = -1;
    if (send_index &&
        !read_send_index(instance, &src->outputs.pins[ends.src_pin], send_index->value, &index))
        return XML_OK;
    if (is_full(instance, instance_edge_size(instance, &ends)))
        return XML_OK;
    if (!instance_add_edge(instance, &ends, index, reader->line, reader->column))
        return no_memory(instance);
    reader->properties = &dst->inputs.pins[ends.dst_pin].properties;
    reader->state = &dst->inputs.pins[ends.dst_pin].state;
    xml_status status = XML_OK;
    if (properties)
        status = read_attribute_value(instance, xml, properties, false);
    if (state && status == XML_OK)
        status = read_attribute_value(instance, xml, state, true);
    return status;
}

/* ---------------------------------------------------------------- children */

/* Metadata crosses to Python as records: six native uint32 (0 device or 1 edge, its index,
   line, length of the element's name, number of attributes, length of the text), the name,
   the attributes as in events.h, the text. */
static xml_status start_metadata(ps_instance *instance, const xml_parser *xml, const xml_tag *tag,
                                 ps_text name)
{
    ps_reader *reader = &instance->reader;
    ps_buffer *out = &instance->metadata;
    uint64_t size = 24 + name.length;
    reader->child = CHILD_IGNORED;
    if (!instance->keep_metadata || !reader->properties)
        return XML_OK;
    for (unsigned i = 0; i < tag->count; i++)
        size += 8 + tag->attributes[i].name.length + tag->attributes[i].value.length;
    if (is_full(instance, size))
        return XML_OK;
    uint32_t header[6] = {!reader->devices,
                          (reader->devices ? instance->ids.count : instance->edges) - 1,
                          xml->line,
                          (uint32_t)name.length,
                          tag->count,
                          0};
    reader->metadata = out->length;
    bool ok = buffer_append(out, header, sizeof header) &&
              buffer_append(out, name.data, name.length);
    for (unsigned i = 0; ok && i < tag->count; i++) {
        const xml_attribute *attribute = &tag->attributes[i];
        ok = buffer_push_u32(out, (uint32_t)attribute->name.length) &&
             buffer_push_u32(out, (uint32_t)attribute->value.length) &&
             buffer_append(out, attribute->name.data, attribute->name.length) &&
             buffer_append(out, attribute->value.data, attribute->value.length);
    }
    reader->child = CHILD_METADATA;
    return ok ? XML_OK : no_memory(instance);
}

static xml_status metadata_text(ps_instance *instance, ps_text text)
{
    ps_buffer *out = &instance->metadata;
    size_t at = instance->reader.metadata + 5 * sizeof(uint32_t);
    uint32_t length;
    memcpy(&length, out->data + at, sizeof length);
    if (text.length > UINT32_MAX / 2 - length || is_full(instance, text.length))
        return XML_OK;
    length += (uint32_t)text.length;
    memcpy(out->data + at, &length, sizeof length);
    return buffer_append(out, text.data, text.length) ? XML_OK : no_memory(instance);
}

static bool same_ignoring_case(ps_text text, const char *lower)
{
    if (text.length != strlen(lower))
        return false;
    for (size_t i = 0; i < text.length; i++)
        if ((text.data[i] | 0x20) != lower[i])
            return false;
    return true;
}

/* Metadata and documentation, which never make an error; `*exact` tells a known spelling. */
static bool is_remark(ps_text name, bool *exact)
{
    *exact = TEXT_IS(name, "M") || TEXT_IS(name, "Metadata") || TEXT_IS(name, "MetaData") ||
             TEXT_IS(name, "Documentation") || TEXT_IS(name, "HashDigest");
    return *exact || same_ignoring_case(name, "metadata") || same_ignoring_case(name, "meta") ||
           same_ignoring_case(name, "m") || same_ignoring_case(name, "documentation");
}

static xml_status start_child(ps_instance *instance, const xml_parser *xml, const xml_tag *tag)
{
    ps_reader *reader = &instance->reader;
    ps_text name = xml_local_name(tag->name);
    bool exact, state = TEXT_IS(name, "S");
    reader->text.length = 0;
    reader->text_line = 0;
    reader->child = CHILD_IGNORED;
    if (state || TEXT_IS(name, "P")) {
        ps_table *table;
        for (unsigned i = 0; i < tag->count; i++)
            unknown_attribute(instance, state ? "S" : "P", tag->attributes[i].name);
        if (claim(instance, state, xml->line, xml->column, &table) && table)
            reader->child = state ? CHILD_STATE : CHILD_PROPERTIES;
        return XML_OK;
    }
    if (is_remark(name, &exact)) {
        if (!exact)
            problem(instance, PS_WARNING, xml->line, xml->column,
                    "element '%.*s' is taken for metadata", SHOWN(name));
        return start_metadata(instance, xml, tag, name);
    }
    problem(instance, lenience(instance), xml->line, xml->column,
            "element '%.*s' is not expected in %s: only P, S and metadata are", SHOWN(name), reader->tag);
    return XML_OK;
}

static xml_status end_child(ps_instance *instance)
{
    ps_reader *reader = &instance->reader;
    int child = reader->child;
    reader->child = CHILD_NONE;
    if (child != CHILD_PROPERTIES && child != CHILD_STATE)
        return XML_OK;
    bool state = child == CHILD_STATE;
    return read_value(instance, state ? reader->state : reader->properties, state ? "S" : "P",
                      (ps_text){reader->text.data, reader->text.length}, reader->text_line,
                      reader->text_column, reader->text_exact);
}

static xml_status child_text(ps_instance *instance, const xml_parser *xml, ps_text text,
                             const char *at, bool decoded)
{
    ps_reader *reader = &instance->reader;
    if (!reader->text_line) {
        xml_position(xml, at, &reader->text_line, &reader->text_column);
        reader->text_exact = true;
    } else {
        reader->text_exact = false;
    }
    reader->text_exact &= !decoded;
    if (reader->text.length + text.length > XML_MAX_TOKEN) {
        problem(instance, PS_ERROR, reader->text_line, reader->text_column,
                "%s is longer than %d MiB", reader->child == CHILD_STATE ? "S" : "P",
                XML_MAX_TOKEN >> 20);
        reader->child = CHILD_IGNORED;
        return XML_OK;
    }
    return buffer_append(&reader->text, text.data, text.length) ? XML_OK : no_memory(instance);
}

static void stray_text(ps_instance *instance, const xml_parser *xml, ps_text text, const char *at)
{
    const char *p = text.data, *end = p + text.length;
    uint32_t line, column;
    while (p < end && char_is(*p, CH_SPACE))
        p++;
    if (p == end)
        return;
    xml_position(xml, at, &line, &column);
    ps_text rest = {p, (size_t)(end - p) < 40 ? (size_t)(end - p) : 40};
    problem(instance, PS_WARNING, line, column, "text '%.*s' is ignored: only elements belong here",
            SHOWN(rest));
}

/* --------------------------------------------------------------- interface */

xml_status reader_begin(ps_instance *instance, const xml_parser *xml, bool devices)
{
    ps_reader *reader = &instance->reader;
    (void)xml;
    reader->devices = devices;
    reader->inside = IN_SECTION;
    reader->child = CHILD_NONE;
    reader->last[0] = reader->last[1] = INTERN_NONE;
    return XML_OK;
}

static xml_status start_row(ps_instance *instance, const xml_parser *xml, const xml_tag *tag)
{
    ps_reader *reader = &instance->reader;
    ps_text name = xml_local_name(tag->name);
    bool exact;
    reader->line = xml->line;
    reader->column = xml->column;
    reader->properties = reader->state = NULL;
    reader->has_properties = reader->has_state = false;
    reader->label[0] = 0;
    if (instance->full) {
        reader->inside = IN_UNKNOWN;
        return XML_OK;
    }
    reader->inside = IN_ROW;
    if (reader->devices && (TEXT_IS(name, "DevI") || TEXT_IS(name, "ExtI"))) {
        reader->tag = *name.data == 'D' ? "DevI" : "ExtI";
        return start_device(instance, xml, tag);
    }
    if (!reader->devices && TEXT_IS(name, "EdgeI")) {
        reader->tag = "EdgeI";
        return start_edge(instance, xml, tag);
    }
    reader->inside = IN_UNKNOWN;
    if (!is_remark(name, &exact))
        ELEMENT_PROBLEM(instance, PS_ERROR, "element '%.*s' is not expected in %s", SHOWN(name),
                        reader->devices ? "DeviceInstances: only DevI and ExtI are"
                                        : "EdgeInstances: only EdgeI is");
    return XML_OK;
}

xml_status reader_start(ps_instance *instance, xml_parser *xml, const xml_tag *tag, unsigned level)
{
    ps_reader *reader = &instance->reader;
    if (level == 1)
        return start_row(instance, xml, tag);
    if (reader->inside != IN_ROW)
        return XML_OK;
    if (level == 2)
        return start_child(instance, xml, tag);
    if (reader->child == CHILD_PROPERTIES || reader->child == CHILD_STATE) {
        problem(instance, PS_ERROR, xml->line, xml->column,
                "element '%.*s' is not expected in %s, which holds text", SHOWN(tag->name),
                reader->child == CHILD_STATE ? "S" : "P");
        reader->child = CHILD_IGNORED;
    }
    return XML_OK;
}

xml_status reader_end(ps_instance *instance, xml_parser *xml, unsigned level)
{
    ps_reader *reader = &instance->reader;
    (void)xml;
    if (level == 1)
        reader->inside = IN_SECTION;
    else if (level == 2 && reader->inside == IN_ROW)
        return end_child(instance);
    return XML_OK;
}

xml_status reader_text(ps_instance *instance, xml_parser *xml, ps_text text, const char *at,
                       bool decoded, unsigned level)
{
    const ps_reader *reader = &instance->reader;
    if (level >= 2 && reader->inside == IN_ROW) {
        if (reader->child == CHILD_PROPERTIES || reader->child == CHILD_STATE)
            return child_text(instance, xml, text, at, decoded);
        if (reader->child == CHILD_METADATA)
            return metadata_text(instance, text);
    } else if (level == 0 || (level == 1 && reader->inside == IN_ROW)) {
        stray_text(instance, xml, text, at);
    }
    return XML_OK;
}

xml_status reader_finish(ps_instance *instance, const xml_parser *xml)
{
    (void)xml;
    if (!instance_check_edges(instance))
        return no_memory(instance);
    if (instance->supervisor_edges) {
        instance->reader.inside = IN_SECTION;
        problem(instance, PS_WARNING, instance->supervisor_line, instance->supervisor_column,
                "%llu edge%s to or from the supervisor (an empty device in the path): ignored, since "
                "supervisor pins need no edges",
                (unsigned long long)instance->supervisor_edges,
                instance->supervisor_edges == 1 ? "" : "s");
        instance->supervisor_edges = 0;
    }
    return XML_OK;
}
