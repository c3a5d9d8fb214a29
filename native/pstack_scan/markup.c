#include "markup.h"

#include "chars.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

/* "%.*s" of a slice of the document, at most 80 bytes of it. */
#define SHOWN(text) (int)utf8_whole((text).data, (text).length < 80 ? (text).length : 80), (text).data

void markup_fail(xml_parser *xml, const char *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(xml->error, sizeof xml->error, format, arguments);
    va_end(arguments);
    xml_position(xml, at, &xml->error_line, &xml->error_column);
    xml->status = XML_ILL_FORMED;
}

static void fail_character(xml_parser *xml, const char *at)
{
    uint8_t byte = (uint8_t)*at;
    if (byte < 0x20)
        markup_fail(xml, at, "control character 0x%02x is not allowed in XML", byte);
    else if (xml->stage == XML_START && !xml->any_token && (byte == 0xff || byte == 0xfe))
        markup_fail(xml, at, "the document is not UTF-8 (it looks like UTF-16)");
    else if (xml->encoding[0] && strcasecmp(xml->encoding, "UTF-8") != 0)
        markup_fail(xml, at, "byte 0x%02x is not UTF-8 (the document declares %s)", byte,
                    xml->encoding);
    else
        markup_fail(xml, at, "byte 0x%02x is not part of a character of XML in UTF-8", byte);
}

/* Step over one character that is not plain.  Returns its length, 0 when `end`
   cuts it short, -1 after an error. */
static int step(xml_parser *xml, const char *p, const char *end)
{
    uint32_t code;
    if (char_is(*p, CH_LEGAL))
        return 1;
    if ((uint8_t)*p < 0x80) {
        fail_character(xml, p);
        return -1;
    }
    xml->wide = true;
    int length = utf8_decode(p, end, &code);
    if (length < 0)
        fail_character(xml, p);
    return length;
}

bool markup_validate(xml_parser *xml, const char *p, const char *end)
{
    while (p < end) {
        if (char_is(*p, CH_LEGAL)) {
            p++;
            continue;
        }
        int length = step(xml, p, end);
        if (length == 0)
            fail_character(xml, p);
        if (length <= 0)
            return false;
        p += length;
    }
    return true;
}

/* Does the text at `p` start with `prefix`?  0 when `end` comes too early to tell. */
static int starts(const char *p, const char *end, const char *prefix)
{
    for (; *prefix; p++, prefix++) {
        if (p == end)
            return 0;
        if (*p != *prefix)
            return -1;
    }
    return 1;
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && char_is(*p, CH_SPACE))
        p++;
    return p;
}

/* ------------------------------------------------------------------ names */

/* The end of the name at `p`.  NULL when it is cut short (status stays XML_OK) or wrong. */
static const char *name_end(xml_parser *xml, const char *p, const char *end, const char *what)
{
    const char *start = p;
    if (p == end)
        return NULL;
    if (!char_is(*p, CH_NAME_START)) {
        uint32_t code = 0;
        int length = step(xml, p, end);
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
        int length = step(xml, p, end);
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

/* ------------------------------------------------------------- references */

/* Read the reference at `p`, which is '&'.  Returns its length, 0 when cut short,
   -1 after an error. */
static int reference(xml_parser *xml, const char *p, const char *end, uint32_t *code)
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
        int match = starts(q, end, entities[i].name);
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

/* Append [p, end), which has been checked, to the scratch buffer: references decoded,
   line ends made LF and, in an attribute's value, white space made spaces. */
static bool decode(xml_parser *xml, const char *p, const char *end, bool value, bool references)
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
            p += reference(xml, p, end, &code);
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

/* ------------------------------------------------------------------- tags */

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
            length = reference(xml, p, end, &code);
            plain = false;
        } else {
            plain &= !char_is(*p, CH_SPACE);
            length = step(xml, p, end);
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
        if (!decode(xml, start, p, true, true))
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
    p = name_end(xml, p, end, "an attribute, '>' or '/>'");
    if (!p)
        return NULL;
    attribute->name = (ps_text){start, (size_t)(p - start)};
    for (unsigned i = 0; i < index; i++) {
        if (text_is(attribute->name, xml->attributes[i].name.data, xml->attributes[i].name.length)) {
            markup_fail(xml, start, "attribute '%.*s' is given twice", SHOWN(attribute->name));
            return NULL;
        }
    }
    p = skip_space(p, end);
    if (p == end)
        return NULL;
    if (*p != '=') {
        markup_fail(xml, p, "attribute '%.*s' has no value: expected '='", SHOWN(attribute->name));
        return NULL;
    }
    p = skip_space(p + 1, end);
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

static ssize_t start_tag(xml_parser *xml, const char *token, const char *end)
{
    const char *p = name_end(xml, token + 1, end, "an element");
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
        const char *next = skip_space(p, end);
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
            int length = step(xml, p, end);
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

static ssize_t end_tag(xml_parser *xml, const char *token, const char *end)
{
    const char *p = name_end(xml, token + 2, end, "an element");
    if (!p)
        return xml->status == XML_OK ? MARKUP_MORE : MARKUP_STOP;
    ps_text name = {token + 2, (size_t)(p - token - 2)};
    p = skip_space(p, end);
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

/* ------------------------------------------------------------------- text */

static xml_status tell_text(xml_parser *xml, const char *p, const char *end, bool plain,
                            bool references)
{
    if (!xml->sink->text || p == end)
        return XML_OK;
    if (plain)
        return xml->sink->text(xml->context, xml, (ps_text){p, (size_t)(end - p)}, p, false);
    xml->scratch.length = 0;
    if (!decode(xml, p, end, false, references))
        return XML_NO_MEMORY;
    return xml->sink->text(xml->context, xml, (ps_text){xml->scratch.data, xml->scratch.length}, p,
                           true);
}

static ssize_t outside_text(xml_parser *xml, const char *token, const char *end)
{
    const char *p = token;
    if (xml->stage == XML_START && !xml->any_token && starts(p, end, "\xef\xbb\xbf") > 0) {
        p += 3;
        xml->wide = true;
    }
    p = skip_space(p, end);
    if (p == end)
        return end - token;
    int length = step(xml, p, end);
    if (length == 0)
        fail_character(xml, p);
    if (length > 0)
        markup_fail(xml, p, "text %s the root element",
                    xml->stage == XML_EPILOG ? "after" : "before");
    return MARKUP_STOP;
}

static ssize_t text(xml_parser *xml, const char *token, const char *limit)
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
            length = reference(xml, p, end, &code);
            if (length == 0) {
                markup_fail(xml, p, "'&' does not start a reference here: write &amp;");
                return MARKUP_STOP;
            }
        } else if (*p == '\r') {
            plain = false;
        } else if (*p == ']') {
            if (starts(p, end, "]]>") > 0) {
                markup_fail(xml, p, "']]>' outside a CDATA section: write ]]&gt;");
                return MARKUP_STOP;
            }
        } else {
            length = step(xml, p, end);
            if (length == 0)
                fail_character(xml, p);
        }
        if (length <= 0)
            return MARKUP_STOP;
        p += length;
    }
    xml->status = tell_text(xml, token, end, plain, true);
    return xml->status == XML_OK ? end - token : MARKUP_STOP;
}

static ssize_t cdata(xml_parser *xml, const char *token, const char *end)
{
    const char *start = token + sizeof "<![CDATA[" - 1, *p = start;
    do {
        p = memchr(p, ']', (size_t)(end - p));
        if (!p || end - p < 3)
            return MARKUP_MORE;
    } while (starts(p, end, "]]>") < 0 && p++);
    if (!markup_validate(xml, start, p))
        return MARKUP_STOP;
    xml->status = tell_text(xml, start, p, !memchr(start, '\r', (size_t)(p - start)), false);
    return xml->status == XML_OK ? p + 3 - token : MARKUP_STOP;
}

/* --------------------------------------------------- comments, instructions */

static ssize_t comment(xml_parser *xml, const char *token, const char *end)
{
    const char *start = token + sizeof "<!--" - 1, *p = start;
    do {
        p = memchr(p, '-', (size_t)(end - p));
        if (!p || end - p < 3)
            return MARKUP_MORE;
    } while (p[1] != '-' && p++);
    if (!markup_validate(xml, start, p))
        return MARKUP_STOP;
    if (p[2] != '>') {
        markup_fail(xml, p, "'--' inside a comment");
        return MARKUP_STOP;
    }
    return p + 3 - token;
}

/* Read ` name = "value"` of the XML declaration; the value's slice, empty where absent. */
static bool declared(const char **p, const char *end, const char *name, ps_text *value)
{
    const char *q = skip_space(*p, end);
    *value = (ps_text){NULL, 0};
    if (q == *p || starts(q, end, name) <= 0)
        return true;
    q = skip_space(q + strlen(name), end);
    if (q == end || *q++ != '=')
        return false;
    q = skip_space(q, end);
    if (q == end || (*q != '"' && *q != '\''))
        return false;
    const char *close = memchr(q + 1, *q, (size_t)(end - q - 1));
    if (!close)
        return false;
    *value = (ps_text){q + 1, (size_t)(close - q - 1)};
    *p = close + 1;
    return true;
}

static bool declaration_is_valid(xml_parser *xml, const char *p, const char *end)
{
    ps_text version, encoding, standalone;
    if (!declared(&p, end, "version", &version) || version.length < 3 || version.length > 8 ||
        memcmp(version.data, "1.", 2) != 0)
        return false;
    for (size_t i = 2; i < version.length; i++)
        if (version.data[i] < '0' || version.data[i] > '9')
            return false;
    if (!declared(&p, end, "encoding", &encoding))
        return false;
    if (encoding.data) {
        char first = encoding.length ? (char)(encoding.data[0] | 0x20) : '0';
        if (first < 'a' || first > 'z' || encoding.length >= sizeof xml->encoding)
            return false;
        for (size_t i = 0; i < encoding.length; i++)
            if (!char_is(encoding.data[i], CH_NAME) || encoding.data[i] == ':')
                return false;
        memcpy(xml->encoding, encoding.data, encoding.length);
        xml->encoding[encoding.length] = 0;
    }
    if (!declared(&p, end, "standalone", &standalone))
        return false;
    if (standalone.data && !TEXT_IS(standalone, "yes") && !TEXT_IS(standalone, "no"))
        return false;
    return skip_space(p, end) == end;
}

static ssize_t instruction(xml_parser *xml, const char *token, const char *end)
{
    const char *p = name_end(xml, token + 2, end, "a processing instruction");
    if (!p)
        return xml->status == XML_OK ? MARKUP_MORE : MARKUP_STOP;
    ps_text target = {token + 2, (size_t)(p - token - 2)};
    const char *data = p;
    do {
        p = memchr(p, '?', (size_t)(end - p));
        if (!p || end - p < 2)
            return MARKUP_MORE;
    } while (p[1] != '>' && p++);
    if (!markup_validate(xml, data, p))
        return MARKUP_STOP;
    if (p != data && !char_is(*data, CH_SPACE)) {
        markup_fail(xml, data, "expected white space after '<?%.*s'", SHOWN(target));
        return MARKUP_STOP;
    }
    if (target.length == 3 && strncasecmp(target.data, "xml", 3) == 0) {
        if (!TEXT_IS(target, "xml"))
            markup_fail(xml, token, "the name '%.*s' is reserved", SHOWN(target));
        else if (xml->stage != XML_START)
            markup_fail(xml, token, "the XML declaration has to come first in the document");
        else if (!declaration_is_valid(xml, data, p))
            markup_fail(xml, token, "malformed XML declaration: write <?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        if (xml->status != XML_OK)
            return MARKUP_STOP;
    }
    if (xml->stage == XML_START)
        xml->stage = XML_PROLOG;
    return p + 2 - token;
}

static ssize_t doctype(xml_parser *xml, const char *token, const char *end)
{
    const char *p = token + sizeof "<!DOCTYPE" - 1;
    if (xml->doctype || xml->stage == XML_CONTENT || xml->stage == XML_EPILOG) {
        markup_fail(xml, token, "<!DOCTYPE> is only allowed once, before the root element");
        return MARKUP_STOP;
    }
    if (p == end)
        return MARKUP_MORE;
    const char *name = skip_space(p, end);
    if (name == end)
        return MARKUP_MORE;
    if (name == p) {
        markup_fail(xml, p, "expected white space after '<!DOCTYPE'");
        return MARKUP_STOP;
    }
    p = name_end(xml, name, end, "the root element");
    if (!p)
        return xml->status == XML_OK ? MARKUP_MORE : MARKUP_STOP;
    p = skip_space(p, end);
    if (p == end)
        return MARKUP_MORE;
    if (*p != '>') {
        markup_fail(xml, token, "a document type definition is not accepted: remove <!DOCTYPE ...> "
                                "with its entities");
        return MARKUP_STOP;
    }
    xml->doctype = true;
    xml->stage = XML_PROLOG;
    return p + 1 - token;
}

static ssize_t declaration(xml_parser *xml, const char *token, const char *end)
{
    int is_comment = starts(token, end, "<!--"), is_cdata = starts(token, end, "<![CDATA["),
        is_doctype = starts(token, end, "<!DOCTYPE");
    if (is_comment > 0) {
        ssize_t used = comment(xml, token, end);
        if (used > 0 && xml->stage == XML_START)
            xml->stage = XML_PROLOG;
        return used;
    }
    if (is_cdata > 0) {
        if (xml->stage == XML_CONTENT)
            return cdata(xml, token, end);
        markup_fail(xml, token, "text %s the root element",
                    xml->stage == XML_EPILOG ? "after" : "before");
        return MARKUP_STOP;
    }
    if (is_doctype > 0)
        return doctype(xml, token, end);
    if (!is_comment || !is_cdata || !is_doctype)
        return MARKUP_MORE;
    if (token[2] == '[')
        markup_fail(xml, token, "malformed CDATA section: it has to start with '<![CDATA['");
    else
        markup_fail(xml, token, "'<!' does not start a comment or a CDATA section here");
    return MARKUP_STOP;
}

ssize_t markup_token(xml_parser *xml, const char *p, const char *end)
{
    if (*p != '<')
        return text(xml, p, end);
    if (end - p < 2)
        return MARKUP_MORE;
    switch (p[1]) {
    case '/':
        return end_tag(xml, p, end);
    case '?':
        return instruction(xml, p, end);
    case '!':
        return declaration(xml, p, end);
    default:
        return start_tag(xml, p, end);
    }
}

/* ------------------------------------------------------------ token lengths */

/* The first of a set of bytes at or after `from`; `length` where there is none. */
static size_t find(const char *p, size_t from, size_t length, const char *set)
{
    for (; from < length; from++)
        if (p[from] && strchr(set, p[from]))
            break;
    return from;
}

/* Find a terminator, looking again at its possible start before xml->scanned. */
static size_t find_terminator(xml_parser *xml, const char *p, size_t from, size_t length,
                              const char *terminator, size_t shown)
{
    size_t size = strlen(terminator);
    if (xml->scanned > from)
        from = xml->scanned;
    for (; from + shown <= length; from++) {
        const char *at = memchr(p + from, terminator[0], length - from);
        if (!at)
            from = length;
        else if ((from = (size_t)(at - p)) + shown <= length && memcmp(at, terminator, size) == 0)
            return from + shown;
        else if (from + shown > length)
            break;
    }
    xml->scanned = from < length ? from : length;
    return 0;
}

size_t markup_length(xml_parser *xml, const char *p, size_t length)
{
    const char *end = p + length;
    if (*p != '<') {
        const char *next = memchr(p + xml->scanned, '<', length - xml->scanned);
        xml->scanned = length;
        return next ? (size_t)(next - p) : 0;
    }
    if (length < 2)
        return 0;
    if (p[1] == '!') {
        int is_comment = starts(p, end, "<!--"), is_cdata = starts(p, end, "<![CDATA["),
            is_doctype = starts(p, end, "<!DOCTYPE");
        if (is_comment > 0)
            return find_terminator(xml, p, 4, length, "--", 3);
        if (is_cdata > 0)
            return find_terminator(xml, p, 9, length, "]]>", 3);
        if (is_doctype > 0) {
            size_t at = find(p, 9 > xml->scanned ? 9 : xml->scanned, length, "<>[\"'");
            xml->scanned = at;
            return at < length ? at + 1 : 0;
        }
        return is_comment && is_cdata && is_doctype ? length : 0;
    }
    if (p[1] == '?')
        return find_terminator(xml, p, 2, length, "?>", 2);
    size_t at = xml->scanned > 1 ? xml->scanned : 1;
    for (; at < length; at++) {
        char c = p[at];
        if (c == '<')
            return at + 1;
        if (xml->quote) {
            if (c == xml->quote)
                xml->quote = 0;
        } else if (c == '"' || c == '\'') {
            xml->quote = c;
        } else if (c == '>') {
            return at + 1;
        }
    }
    xml->scanned = at;
    return 0;
}
