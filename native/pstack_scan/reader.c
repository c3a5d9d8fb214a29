#include "reader.h"

#include "metadata.h"
#include "report.h"
#include "rows.h"

static xml_status start_child(ps_instance *instance, const xml_parser *xml, const xml_tag *tag)
{
    ps_reader *reader = &instance->reader;
    ps_text name = xml_local_name(tag->name);
    bool exact, state = TEXT_IS(name, "S");
    reader->text.length = 0;
    reader->text_line = 0;
    reader->child = CHILD_IGNORED;
    if (state || TEXT_IS(name, "P")) {
        for (unsigned i = 0; i < tag->count; i++)
            report_attribute(instance, state ? "S" : "P", tag->attributes[i].name);
        if (row_claim(instance, state, xml->line, xml->column) && (reader->device || reader->edge))
            reader->child = state ? CHILD_STATE : CHILD_PROPERTIES;
        return XML_OK;
    }
    if (metadata_is(name, &exact)) {
        if (!exact)
            report(instance, PS_WARNING, xml->line, xml->column,
                    "element '%.*s' is taken for metadata", SHOWN(name));
        return metadata_start(instance, xml, tag, name);
    }
    report(instance, report_lenience(instance), xml->line, xml->column,
           "element '%.*s' is not expected in %s: only P, S and metadata are%s", SHOWN(name),
           reader->tag, instance->strict ? "" : "; it is ignored");
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
    row_value value = {{reader->text.data, reader->text.length}, reader->text_line,
                       reader->text_column, reader->text_exact};
    if (!value.text.length)
        return XML_OK;
    if (reader->edge)
        return edge_value(instance, state, &value);
    return row_read(instance, state ? &reader->device->state : &reader->device->properties, state,
                    &value);
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
        report(instance, PS_ERROR, reader->text_line, reader->text_column,
                "%s is longer than %d MiB", reader->child == CHILD_STATE ? "S" : "P",
                XML_MAX_TOKEN >> 20);
        reader->child = CHILD_IGNORED;
        return XML_OK;
    }
    return buffer_append(&reader->text, text.data, text.length) ? XML_OK : row_no_memory(instance);
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
    report(instance, PS_WARNING, line, column, "text '%.*s' is ignored: only elements belong here",
            SHOWN(rest));
}

xml_status reader_begin(ps_instance *instance, const xml_parser *xml, bool devices)
{
    ps_reader *reader = &instance->reader;
    (void)xml;
    reader->devices = devices;
    reader->inside = IN_SECTION;
    reader->child = CHILD_NONE;
    reader->device = NULL;
    reader->edge = NULL;
    instance->batch.count = 0;
    instance->batch.text.length = 0;
    return XML_OK;
}

static xml_status start_row(ps_instance *instance, const xml_parser *xml, const xml_tag *tag)
{
    ps_reader *reader = &instance->reader;
    ps_text name = xml_local_name(tag->name);
    bool exact;
    reader->line = xml->line;
    reader->column = xml->column;
    reader->device = NULL;
    reader->edge = NULL;
    reader->has_properties = reader->has_state = false;
    reader->metadata_start = instance->metadata.length;
    reader->label[0] = 0;
    if (instance->full) {
        reader->inside = IN_UNKNOWN;
        return XML_OK;
    }
    reader->inside = IN_ROW;
    if (reader->devices && (TEXT_IS(name, "DevI") || TEXT_IS(name, "ExtI"))) {
        reader->tag = *name.data == 'D' ? "DevI" : "ExtI";
        return device_start(instance, xml, tag);
    }
    if (!reader->devices && TEXT_IS(name, "EdgeI")) {
        reader->tag = "EdgeI";
        return edge_start(instance, xml, tag);
    }
    reader->inside = IN_UNKNOWN;
    if (!metadata_is(name, &exact))
        REPORT_ELEMENT(instance, PS_ERROR, "element '%.*s' is not expected in %s", SHOWN(name),
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
        report(instance, PS_ERROR, xml->line, xml->column,
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
    if (level == 1) {
        xml_status status = XML_OK;
        if (reader->inside == IN_ROW && !reader->devices)
            status = edge_end(instance);
        reader->inside = IN_SECTION;
        return status;
    }
    if (level == 2 && reader->inside == IN_ROW)
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
    ps_reader *reader = &instance->reader;
    (void)xml;
    /* The edges that wait are reported as theirs, not as the section's. */
    reader->inside = IN_ROW;
    reader->tag = "EdgeI";
    xml_status status = edges_flush(instance);
    reader->inside = IN_SECTION;
    if (status != XML_OK)
        return status;
    if (instance->supervisor_edges) {
        report(instance, PS_WARNING, instance->supervisor_line, instance->supervisor_column,
                "%llu edge%s to or from the supervisor (an empty device in the path): ignored, since "
                "supervisor pins need no edges",
                (unsigned long long)instance->supervisor_edges,
                instance->supervisor_edges == 1 ? "" : "s");
        instance->supervisor_edges = 0;
    }
    return XML_OK;
}
