#include "events.h"

enum { EVENT_START = 1, EVENT_END = 2, EVENT_TEXT = 3 };

static bool header(ps_buffer *events, const xml_parser *xml, uint32_t kind, const char *at,
                   ps_text text, uint32_t count)
{
    uint32_t fields[5] = {kind, 0, 0, (uint32_t)text.length, count};
    xml_position(xml, at, &fields[1], &fields[2]);
    return buffer_append(events, fields, sizeof fields) &&
           buffer_append(events, text.data, text.length);
}

xml_status events_start(ps_buffer *events, const xml_parser *xml, const xml_tag *tag)
{
    bool ok = header(events, xml, EVENT_START, xml->mark, tag->name, tag->count);
    for (unsigned i = 0; ok && i < tag->count; i++) {
        const xml_attribute *attribute = &tag->attributes[i];
        ok = buffer_push_u32(events, (uint32_t)attribute->name.length) &&
             buffer_push_u32(events, (uint32_t)attribute->value.length) &&
             buffer_append(events, attribute->name.data, attribute->name.length) &&
             buffer_append(events, attribute->value.data, attribute->value.length);
    }
    return ok ? XML_OK : XML_NO_MEMORY;
}

xml_status events_end(ps_buffer *events, const xml_parser *xml, ps_text name)
{
    return header(events, xml, EVENT_END, xml->mark, name, 0) ? XML_OK : XML_NO_MEMORY;
}

xml_status events_text(ps_buffer *events, const xml_parser *xml, ps_text text, const char *at)
{
    return header(events, xml, EVENT_TEXT, at, text, 0) ? XML_OK : XML_NO_MEMORY;
}
