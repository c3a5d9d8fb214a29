#include "xml.h"

#include "chars.h"
#include "markup.h"

void xml_init(xml_parser *xml, const xml_sink *sink, void *context)
{
    memset(xml, 0, sizeof *xml);
    xml->sink = sink;
    xml->context = context;
    xml->line = xml->column = 1;
}

void xml_free(xml_parser *xml)
{
    buffer_free(&xml->names);
    buffer_free(&xml->carry);
    buffer_free(&xml->scratch);
}

ps_text xml_local_name(ps_text name)
{
    const char *colon = memchr(name.data, ':', name.length);
    if (!colon || colon + 1 == name.data + name.length)
        return name;
    return (ps_text){colon + 1, name.length - (size_t)(colon + 1 - name.data)};
}

static uint32_t characters(const char *p, const char *end)
{
    uint32_t count = 0;
    for (; p < end; p++)
        count += ((uint8_t)*p & 0xc0) != 0x80;
    return count;
}

void xml_position(const xml_parser *xml, const char *at, uint32_t *line, uint32_t *column)
{
    const char *p = xml->mark;
    *line = xml->line;
    *column = xml->column;
    if (p == at)
        return;
    for (const char *newline; (newline = memchr(p, '\n', (size_t)(at - p))); p = newline + 1) {
        ++*line;
        *column = 1;
    }
    *column += characters(p, at);
}

/* Move the mark over a token. */
static void advance(xml_parser *xml, const char *token, size_t length)
{
    const char *p = token, *end = token + length;
    for (const char *newline; (newline = memchr(p, '\n', (size_t)(end - p))); p = newline + 1) {
        xml->line++;
        xml->column = 1;
    }
    xml->column += xml->wide ? characters(p, end) : (uint32_t)(end - p);
    xml->mark = end;
    xml->any_token = true;
}

/* Parse one token; as markup_token, with the limit on its size. */
static ssize_t token(xml_parser *xml, const char *p, const char *end)
{
    bool clipped = end - p > XML_MAX_TOKEN;
    xml->mark = p;
    xml->wide = false;
    ssize_t used = markup_token(xml, p, clipped ? p + XML_MAX_TOKEN : end);
    if (used == MARKUP_MORE && clipped) {
        markup_fail(xml, p, "a tag, text or comment is longer than %d MiB",
                    XML_MAX_TOKEN >> 20);
        return MARKUP_STOP;
    }
    if (used > 0)
        advance(xml, p, (size_t)used);
    return used;
}

/* Complete the token in the carry with bytes of `data`.  Returns how many it took,
   or -1 on failure; the carry is empty when the token was complete. */
static ssize_t finish_carried(xml_parser *xml, const char *data, size_t length)
{
    size_t taken = 0;
    for (size_t step = 128; taken < length; step *= 2) {
        size_t more = length - taken < step ? length - taken : step;
        if (!buffer_append(&xml->carry, data + taken, more)) {
            xml->status = XML_NO_MEMORY;
            return -1;
        }
        taken += more;
        size_t size = markup_length(xml, xml->carry.data, xml->carry.length);
        if (!size && xml->carry.length <= XML_MAX_TOKEN)
            continue;
        /* Text ends before '<', which the parser has to see. */
        bool text = size && xml->carry.data[0] != '<';
        if (!size)
            size = xml->carry.length;
        ssize_t used = token(xml, xml->carry.data, xml->carry.data + size + text);
        if (used == MARKUP_MORE)
            markup_fail(xml, xml->carry.data, "malformed markup");
        if (used <= 0)
            return -1;
        taken -= xml->carry.length - (size_t)used;
        xml->carry.length = xml->scanned = 0;
        return (ssize_t)taken;
    }
    return (ssize_t)taken;
}

xml_status xml_feed(xml_parser *xml, const char *data, size_t length, size_t *consumed)
{
    size_t at = 0;
    *consumed = 0;
    if (xml->status != XML_OK)
        return xml->status;
    if (xml->carry.length && length) {
        ssize_t used = finish_carried(xml, data, length);
        if (used < 0)
            return xml->status;
        at = (size_t)used;
    }
    while (at < length && xml->status == XML_OK) {
        ssize_t used = token(xml, data + at, data + length);
        if (used == MARKUP_STOP)
            return xml->status;
        if (used == MARKUP_MORE) {
            xml->scanned = 0;
            xml->quote = 0;
            if (!buffer_append(&xml->carry, data + at, length - at))
                return xml->status = XML_NO_MEMORY;
            at = length;
            break;
        }
        at += (size_t)used;
    }
    *consumed = at;
    return xml->status;
}

xml_status xml_resume(xml_parser *xml)
{
    if (xml->status == XML_PAUSE) {
        xml->status = XML_OK;
        if (xml->pending_end) {
            xml->pending_end = false;
            xml->status = markup_pop(xml);
        }
    }
    return xml->status;
}

xml_status xml_close(xml_parser *xml)
{
    if (xml->status != XML_OK)
        return xml->status;
    const char *p = xml->carry.data, *end = p + xml->carry.length;
    xml->mark = p;
    if (p != end) {
        /* The first error within what did come is the one to tell. */
        if (*p == '<') {
            if (token(xml, p, end) == MARKUP_STOP)
                return xml->status;
            if ((end - p > 1 && (p[1] == '!' || p[1] == '?')) && !markup_validate(xml, p, end))
                return xml->status;
            markup_fail(xml, p, "the document ends inside the markup that starts here");
            return xml->status;
        }
        if (!buffer_append(&xml->carry, "<", 1))
            return xml->status = XML_NO_MEMORY;
        p = xml->carry.data;
        if (token(xml, p, p + xml->carry.length) == MARKUP_STOP)
            return xml->status;
        end = xml->mark;
    }
    if (xml->depth) {
        const xml_open *open = &xml->open[xml->depth - 1];
        markup_fail(xml, end, "the document ends inside element '%.*s', opened at line %u column %u",
                    (int)(open->length < 80 ? open->length : 80), xml->names.data + open->name,
                    open->line, open->column);
    } else if (xml->stage != XML_EPILOG) {
        markup_fail(xml, end, "the document has no root element");
    }
    return xml->status;
}
