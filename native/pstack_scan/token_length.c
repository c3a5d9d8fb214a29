/* Finding the end of a token that two pieces of the document share. */
#include "markup_parts.h"

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
        int is_comment = markup_starts(p, end, "<!--"), is_cdata = markup_starts(p, end, "<![CDATA["),
            is_doctype = markup_starts(p, end, "<!DOCTYPE");
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
