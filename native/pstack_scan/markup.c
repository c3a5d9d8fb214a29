#include "markup.h"

#include "markup_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

void markup_fail(xml_parser *xml, const char *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(xml->error, sizeof xml->error, format, arguments);
    va_end(arguments);
    xml_position(xml, at, &xml->error_line, &xml->error_column);
    xml->status = XML_ILL_FORMED;
}

void markup_fail_character(xml_parser *xml, const char *at)
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

int markup_step(xml_parser *xml, const char *p, const char *end)
{
    uint32_t code;
    if (char_is(*p, CH_LEGAL))
        return 1;
    if ((uint8_t)*p < 0x80) {
        markup_fail_character(xml, p);
        return -1;
    }
    xml->wide = true;
    int length = utf8_decode(p, end, &code);
    if (length < 0)
        markup_fail_character(xml, p);
    return length;
}

bool markup_validate(xml_parser *xml, const char *p, const char *end)
{
    while (p < end) {
        if (char_is(*p, CH_LEGAL)) {
            p++;
            continue;
        }
        int length = markup_step(xml, p, end);
        if (length == 0)
            markup_fail_character(xml, p);
        if (length <= 0)
            return false;
        p += length;
    }
    return true;
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
    const char *q = markup_skip_space(*p, end);
    *value = (ps_text){NULL, 0};
    if (q == *p || markup_starts(q, end, name) <= 0)
        return true;
    q = markup_skip_space(q + strlen(name), end);
    if (q == end || *q++ != '=')
        return false;
    q = markup_skip_space(q, end);
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
    return markup_skip_space(p, end) == end;
}

static ssize_t instruction(xml_parser *xml, const char *token, const char *end)
{
    const char *p = markup_name(xml, token + 2, end, "a processing instruction");
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
    const char *name = markup_skip_space(p, end);
    if (name == end)
        return MARKUP_MORE;
    if (name == p) {
        markup_fail(xml, p, "expected white space after '<!DOCTYPE'");
        return MARKUP_STOP;
    }
    p = markup_name(xml, name, end, "the root element");
    if (!p)
        return xml->status == XML_OK ? MARKUP_MORE : MARKUP_STOP;
    p = markup_skip_space(p, end);
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
    int is_comment = markup_starts(token, end, "<!--"), is_cdata = markup_starts(token, end, "<![CDATA["),
        is_doctype = markup_starts(token, end, "<!DOCTYPE");
    if (is_comment > 0) {
        ssize_t used = comment(xml, token, end);
        if (used > 0 && xml->stage == XML_START)
            xml->stage = XML_PROLOG;
        return used;
    }
    if (is_cdata > 0) {
        if (xml->stage == XML_CONTENT)
            return markup_cdata(xml, token, end);
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
        return markup_text(xml, p, end);
    if (end - p < 2)
        return MARKUP_MORE;
    switch (p[1]) {
    case '/':
        return markup_end_tag(xml, p, end);
    case '?':
        return instruction(xml, p, end);
    case '!':
        return declaration(xml, p, end);
    default:
        return markup_start_tag(xml, p, end);
    }
}
