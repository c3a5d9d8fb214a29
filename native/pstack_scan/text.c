/* References, text and CDATA sections. */
#include "markup_parts.h"

int markup_reference(xml_parser *xml, const char *p, const char *end, uint32_t *code)
{
    const char *q = p + 1;
    if (q == end)
        return 0;
    if (*q == '#') {
        unsigned base = 10;
        q++;
        if (q < end && *q == 'x') {
            base = 16;
            q++;
        }
        const char *digits = q;
        uint32_t value = 0;
        for (; q < end && *q != ';'; q++) {
            unsigned digit = *q >= '0' && *q <= '9'   ? (unsigned)(*q - '0')
                             : *q >= 'a' && *q <= 'f' ? (unsigned)(*q - 'a' + 10)
                             : *q >= 'A' && *q <= 'F' ? (unsigned)(*q - 'A' + 10)
                                                      : 99;
            if (digit >= base) {
                markup_fail(xml, p, "malformed character reference: write &#65; or &#x41;");
                return -1;
            }
            if (value < 0x110000)
                value = value * base + digit;
        }
        if (q == end)
            return q - p > XML_MAX_NAME
                       ? (markup_fail(xml, p, "a character reference is too long"), -1)
                       : 0;
        if (q == digits || !xml_is_char(value)) {
            markup_fail(xml, p, "'%.*s' is not a character that XML allows",
                        (int)(q - p < 20 ? q - p + 1 : 20), p);
            return -1;
        }
        *code = value;
        return (int)(q - p + 1);
    }
    static const struct {
        const char *name;
        char value;
    } entities[] = {{"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}};
    bool cut = false;
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        int match = markup_starts(q, end, entities[i].name);
        if (match > 0) {
            *code = (uint32_t)entities[i].value;
            return (int)strlen(entities[i].name) + 1;
        }
        cut |= match == 0;
    }
    if (cut)
        return 0;
    while (q < end && char_is(*q, CH_NAME) && q - p < 60)
        q++;
    if (q == end)
        return 0;
    if (*q == ';' && q > p + 1)
        markup_fail(xml, p,
                    "entity '%.*s;' is not defined: only &lt; &gt; &amp; &quot; &apos; are",
                    (int)(q - p), p);
    else
        markup_fail(xml, p, "'&' does not start a reference here: write &amp;");
    return -1;
}

bool markup_decode(xml_parser *xml, const char *p, const char *end, bool value, bool references)
{
    ps_buffer *out = &xml->scratch;
    if (!buffer_reserve(out, (size_t)(end - p))) {
        xml->status = XML_NO_MEMORY;
        return false;
    }
    char *to = out->data + out->length;
    while (p < end) {
        if (*p == '&' && references) {
            uint32_t code = 0;
            p += markup_reference(xml, p, end, &code);
            to += utf8_encode(code, to); /* never longer than the reference */
        } else if (*p == '\r') {
            p += p + 1 < end && p[1] == '\n' ? 2 : 1;
            *to++ = value ? ' ' : '\n';
        } else {
            *to++ = value && char_is(*p, CH_SPACE) ? ' ' : *p;
            p++;
        }
    }
    out->length = (size_t)(to - out->data);
    return true;
}

static xml_status tell_text(xml_parser *xml, const char *p, const char *end, bool plain,
                            bool references)
{
    if (!xml->sink->text || p == end)
        return XML_OK;
    if (plain)
        return xml->sink->text(xml->context, xml, (ps_text){p, (size_t)(end - p)}, p, false);
    xml->scratch.length = 0;
    if (!markup_decode(xml, p, end, false, references))
        return XML_NO_MEMORY;
    return xml->sink->text(xml->context, xml, (ps_text){xml->scratch.data, xml->scratch.length}, p,
                           true);
}

static ssize_t outside_text(xml_parser *xml, const char *token, const char *end)
{
    const char *p = token;
    if (xml->stage == XML_START && !xml->any_token && markup_starts(p, end, "\xef\xbb\xbf") > 0) {
        p += 3;
        xml->wide = true;
    }
    p = markup_skip_space(p, end);
    if (p == end)
        return end - token;
    int length = markup_step(xml, p, end);
    if (length == 0)
        markup_fail_character(xml, p);
    if (length > 0)
        markup_fail(xml, p, "text %s the root element",
                    xml->stage == XML_EPILOG ? "after" : "before");
    return MARKUP_STOP;
}

ssize_t markup_text(xml_parser *xml, const char *token, const char *limit)
{
    const char *end = memchr(token, '<', (size_t)(limit - token));
    bool plain = true;
    if (!end)
        return MARKUP_MORE;
    if (xml->stage != XML_CONTENT)
        return outside_text(xml, token, end);
    for (const char *p = token;;) {
        while (char_is(*p, CH_TEXT)) /* stops at '<' */
            p++;
        if (p == end)
            break;
        int length = 1;
        if (*p == '&') {
            uint32_t code;
            plain = false;
            length = markup_reference(xml, p, end, &code);
            if (length == 0) {
                markup_fail(xml, p, "'&' does not start a reference here: write &amp;");
                return MARKUP_STOP;
            }
        } else if (*p == '\r') {
            plain = false;
        } else if (*p == ']') {
            if (markup_starts(p, end, "]]>") > 0) {
                markup_fail(xml, p, "']]>' outside a CDATA section: write ]]&gt;");
                return MARKUP_STOP;
            }
        } else {
            length = markup_step(xml, p, end);
            if (length == 0)
                markup_fail_character(xml, p);
        }
        if (length <= 0)
            return MARKUP_STOP;
        p += length;
    }
    xml->status = tell_text(xml, token, end, plain, true);
    return xml->status == XML_OK ? end - token : MARKUP_STOP;
}

ssize_t markup_cdata(xml_parser *xml, const char *token, const char *end)
{
    const char *start = token + sizeof "<![CDATA[" - 1, *p = start;
    do {
        p = memchr(p, ']', (size_t)(end - p));
        if (!p || end - p < 3)
            return MARKUP_MORE;
    } while (markup_starts(p, end, "]]>") < 0 && p++);
    if (!markup_validate(xml, start, p))
        return MARKUP_STOP;
    xml->status = tell_text(xml, start, p, !memchr(start, '\r', (size_t)(p - start)), false);
    return xml->status == XML_OK ? p + 3 - token : MARKUP_STOP;
}
