/* What the files that parse markup share. */
#ifndef PSTACK_MARKUP_PARTS_H
#define PSTACK_MARKUP_PARTS_H

#include "chars.h"
#include "markup.h"

/* "%.*s" of a slice of the document, at most 80 bytes of it. */
#define SHOWN(text) \
    (int)utf8_whole((text).data, (text).length < 80 ? (text).length : 80), (text).data

/* Fail for the character at `at`, which no document may have there. */
void markup_fail_character(xml_parser *xml, const char *at);
/* Step over one character that is not plain.  Returns its length, 0 when `end` cuts it
   short, -1 after an error. */
int markup_step(xml_parser *xml, const char *p, const char *end);
/* Does the text at `p` start with `prefix`?  1 or -1; 0 when `end` comes too early to tell. */
static inline int markup_starts(const char *p, const char *end, const char *prefix)
{
    for (; *prefix; p++, prefix++) {
        if (p == end)
            return 0;
        if (*p != *prefix)
            return -1;
    }
    return 1;
}

static inline const char *markup_skip_space(const char *p, const char *end)
{
    while (p < end && char_is(*p, CH_SPACE))
        p++;
    return p;
}

/* The end of the name at `p`.  NULL when it is cut short (the status stays XML_OK) or wrong. */
const char *markup_name(xml_parser *xml, const char *p, const char *end, const char *what);
/* Read the reference at `p`, which is '&'.  Returns its length, 0 when cut short, -1 after
   an error. */
int markup_reference(xml_parser *xml, const char *p, const char *end, uint32_t *code);
/* Append [p, end), which has been checked, to the scratch buffer: references decoded, line
   ends made LF and, in an attribute's value, white space made spaces. */
bool markup_decode(xml_parser *xml, const char *p, const char *end, bool value, bool references);

/* Tokens; each returns as markup_token. */
ssize_t markup_start_tag(xml_parser *xml, const char *token, const char *end);
ssize_t markup_end_tag(xml_parser *xml, const char *token, const char *end);
ssize_t markup_text(xml_parser *xml, const char *token, const char *limit);
ssize_t markup_cdata(xml_parser *xml, const char *token, const char *end);

#endif
