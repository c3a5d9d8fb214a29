/* Names, attributes and tags. */
#include "markup_parts.h"

const char *markup_name(xml_parser *xml, const char *p, const char *end, const char *what)
{
    const char *start = p;
    if (p == end)
        return NULL;
    if (!char_is(*p, CH_NAME_START)) {
        uint32_t code = 0;
        int length = markup_step(xml, p, end);
        if (length <= 0)
            return NULL;
        if (length > 1)
            utf8_decode(p, end, &code);
        if (!xml_is_name_start(code)) {
            markup_fail(xml, p, "expected the name of %s, not '%.*s'", what, length, p);
            return NULL;
        }
        p += length - 1;
    }
    for (p++; p < end; p++) {
        if (char_is(*p, CH_NAME))
            continue;
        if ((uint8_t)*p < 0x80)
            break;
        uint32_t code = 0;
        int length = markup_step(xml, p, end);
        if (length <= 0)
            return NULL;
        utf8_decode(p, end, &code);
        if (!xml_is_name(code))
            break;
        p += length - 1;
    }
    if (p - start > XML_MAX_NAME) {
        markup_fail(xml, start, "the name of %s is longer than %d KiB", what, XML_MAX_NAME >> 10);
        return NULL;
    }
    return p < end ? p : NULL;
}

/* Read the attribute's value whose quote is at `p`; returns its end as name_end does. */
static const char *attribute_value(xml_parser *xml, const char *p, const char *end,
                                   xml_attribute *attribute)
{
    char quote = *p;
    bool plain = true;
    const char *start = ++p;
    for (;;) {
        while (p < end && char_is(*p, CH_VALUE))
            p++;
        if (p == end)
            return NULL;
        if (*p == quote)
            break;
        if (*p == '<') {
            markup_fail(xml, p, "'<' in the value of attribute '%.*s': write &lt;, or close the quote",
                        SHOWN(attribute->name));
            return NULL;
        }
        int length;
        if (*p == '&') {
            uint32_t code;
            length = markup_reference(xml, p, end, &code);
            plain = false;
        } else {
            plain &= !char_is(*p, CH_SPACE);
            length = markup_step(xml, p, end);
        }
        if (length <= 0)
            return NULL;
        p += length;
    }
    attribute->at = start;
    attribute->decoded = !plain;
    attribute->value = (ps_text){start, (size_t)(p - start)};
    if (!plain) {
        size_t offset = xml->scratch.length;
        if (!markup_decode(xml, start, p, true, true))
            return NULL;
        /* An offset until the tag is complete, since the buffer may still move. */
        attribute->value = (ps_text){(const char *)(uintptr_t)offset, xml->scratch.length - offset};
    }
    return p + 1;
}

/* Read one attribute; returns its end as name_end does. */
static const char *attribute(xml_parser *xml, const char *p, const char *end, unsigned index)
{
    const char *start = p;
    if (index == XML_MAX_ATTRIBUTES) {
        markup_fail(xml, p, "an element has more than %d attributes", XML_MAX_ATTRIBUTES);
        return NULL;
    }
    xml_attribute *attribute = &xml->attributes[index];
    p = markup_name(xml, p, end, "an attribute, '>' or '/>'");
    if (!p)
        return NULL;
    attribute->name = (ps_text){start, (size_t)(p - start)};
    for (unsigned i = 0; i < index; i++) {
        if (text_is(attribute->name, xml->attributes[i].name.data, xml->attributes[i].name.length)) {
            markup_fail(xml, start, "attribute '%.*s' is given twice", SHOWN(attribute->name));
            return NULL;
        }
    }
    p = markup_skip_space(p, end);
    if (p == end)
        return NULL;
    if (*p != '=') {
        markup_fail(xml, p, "attribute '%.*s' has no value: expected '='", SHOWN(attribute->name));
        return NULL;
    }
    p = markup_skip_space(p + 1, end);
    if (p == end)
        return NULL;
    if (*p != '"' && *p != '\'') {
        markup_fail(xml, p, "the value of attribute '%.*s' is not in quotes",
                    SHOWN(attribute->name));
        return NULL;
    }
    return attribute_value(xml, p, end, attribute);
}

static bool push(xml_parser *xml, const char *at, ps_text name)
{
    if (xml->depth == XML_MAX_DEPTH) {
        markup_fail(xml, at, "elements are nested more than %d deep", XML_MAX_DEPTH);
        return false;
    }
    xml_open *open = &xml->open[xml->depth];
    *open = (xml_open){xml->names.length, (uint32_t)name.length, xml->line, xml->column};
    if (!buffer_append(&xml->names, name.data, name.length)) {
        xml->status = XML_NO_MEMORY;
        return false;
    }
    xml->depth++;
    return true;
}

xml_status markup_pop(xml_parser *xml)
{
    const xml_open *open = &xml->open[xml->depth - 1];
    xml_status status = XML_OK;
    if (xml->sink->end)
        status = xml->sink->end(xml->context, xml,
                                (ps_text){xml->names.data + open->name, open->length});
    xml->names.length = open->name;
    if (--xml->depth == 0)
        xml->stage = XML_EPILOG;
    return status;
}

ssize_t markup_start_tag(xml_parser *xml, const char *token, const char *end)
{
    const char *p = markup_name(xml, token + 1, end, "an element");
    if (!p)
        return xml->status == XML_OK ? MARKUP_MORE : MARKUP_STOP;
    xml_tag tag = {{token + 1, (size_t)(p - token - 1)}, xml->attributes, 0};
    if (xml->stage == XML_EPILOG) {
        markup_fail(xml, token, "element '%.*s' stands after the root element: there can be only one root",
                    SHOWN(tag.name));
        return MARKUP_STOP;
    }
    bool empty = false;
    xml->scratch.length = 0;
    for (;;) {
        const char *next = markup_skip_space(p, end);
        if (next == end)
            return MARKUP_MORE;
        if (*next == '>') {
            p = next + 1;
            break;
        }
        if (*next == '/') {
            if (next + 1 == end)
                return MARKUP_MORE;
            if (next[1] != '>') {
                markup_fail(xml, next, "'/' in the tag of element '%.*s' is not followed by '>'",
                            SHOWN(tag.name));
                return MARKUP_STOP;
            }
            empty = true;
            p = next + 2;
            break;
        }
        if (next == p) {
            int length = markup_step(xml, p, end);
            if (length == 0)
                return MARKUP_MORE;
            if (length > 0)
                markup_fail(xml, p, "expected white space or '>' in the tag of element '%.*s', not '%.*s'",
                            SHOWN(tag.name), length, p);
            return MARKUP_STOP;
        }
        p = attribute(xml, next, end, tag.count);
        if (!p)
            return xml->status == XML_OK ? MARKUP_MORE : MARKUP_STOP;
        tag.count++;
    }
    for (unsigned i = 0; i < tag.count; i++)
        if (xml->attributes[i].decoded)
            xml->attributes[i].value.data =
                xml->scratch.data + (uintptr_t)xml->attributes[i].value.data;
    if (!push(xml, token, tag.name))
        return MARKUP_STOP;
    xml->stage = XML_CONTENT;
    if (xml->sink->start)
        xml->status = xml->sink->start(xml->context, xml, &tag);
    if (empty) {
        if (xml->status == XML_PAUSE)
            xml->pending_end = true;
        else if (xml->status == XML_OK)
            xml->status = markup_pop(xml);
    }
    return xml->status == XML_OK || xml->status == XML_PAUSE ? p - token : MARKUP_STOP;
}

ssize_t markup_end_tag(xml_parser *xml, const char *token, const char *end)
{
    const char *p = markup_name(xml, token + 2, end, "an element");
    if (!p)
        return xml->status == XML_OK ? MARKUP_MORE : MARKUP_STOP;
    ps_text name = {token + 2, (size_t)(p - token - 2)};
    p = markup_skip_space(p, end);
    if (p == end)
        return MARKUP_MORE;
    if (*p != '>') {
        markup_fail(xml, p, "expected '>' after '</%.*s'", SHOWN(name));
        return MARKUP_STOP;
    }
    if (!xml->depth) {
        markup_fail(xml, token, "'</%.*s>' closes an element that is not open", SHOWN(name));
        return MARKUP_STOP;
    }
    const xml_open *open = &xml->open[xml->depth - 1];
    ps_text expected = {xml->names.data + open->name, open->length};
    if (!text_is(name, expected.data, expected.length)) {
        markup_fail(xml, token, "'</%.*s>' does not match '<%.*s>', opened at line %u column %u",
                    SHOWN(name), SHOWN(expected), open->line, open->column);
        return MARKUP_STOP;
    }
    xml->status = markup_pop(xml);
    return xml->status == XML_OK ? p + 1 - token : MARKUP_STOP;
}
