/* A push tokenizer for XML 1.0 in UTF-8, which checks well-formedness.

   Bytes arrive in pieces of any size.  A token (a tag, a run of text, a comment)
   is parsed in place when a piece holds all of it; only a token that two pieces
   share is copied.  Whatever the pieces, the sink sees the same calls and the
   same first error.

   No document type definition is read: a bare <!DOCTYPE name> is skipped and any
   other is refused, so no entity exists beyond the five that XML predefines. */
#ifndef PSTACK_XML_H
#define PSTACK_XML_H

#include "buffer.h"

enum {
    XML_MAX_DEPTH = 256,
    XML_MAX_ATTRIBUTES = 256,
    XML_MAX_NAME = 64 << 10,
    XML_MAX_TOKEN = 64 << 20, /* a tag, a run of text, a comment */
};

typedef enum { XML_OK, XML_PAUSE, XML_ILL_FORMED, XML_NO_MEMORY } xml_status;

typedef struct {
    const char *data;
    size_t length;
} ps_text;

typedef struct {
    ps_text name;
    ps_text value;  /* decoded */
    const char *at; /* where the value stands in the document */
    bool decoded;   /* `value` is not the document's own bytes */
} xml_attribute;

typedef struct {
    ps_text name;
    const xml_attribute *attributes;
    unsigned count;
} xml_tag;

typedef struct xml_parser xml_parser;

/* Each returns XML_OK, XML_NO_MEMORY or (start only) XML_PAUSE.  Slices live until
   the function returns.  A member may be NULL. */
typedef struct {
    xml_status (*start)(void *context, xml_parser *xml, const xml_tag *tag);
    xml_status (*end)(void *context, xml_parser *xml, ps_text name);
    /* `at` is where the content starts in the document. */
    xml_status (*text)(void *context, xml_parser *xml, ps_text text, const char *at, bool decoded);
} xml_sink;

typedef struct {
    size_t name; /* offset in `names` */
    uint32_t length, line, column;
} xml_open;

struct xml_parser {
    const xml_sink *sink;
    void *context;

    /* Where the token being read starts.  Lines and columns count from 1, columns
       in characters. */
    const char *mark;
    uint32_t line, column;
    bool wide; /* the token has characters above ASCII */

    enum { XML_START, XML_PROLOG, XML_CONTENT, XML_EPILOG } stage;
    bool any_token, doctype;
    bool pending_end; /* paused in an empty tag, whose end is still to be told */
    xml_status status;

    unsigned depth;
    xml_open open[XML_MAX_DEPTH];
    ps_buffer names;

    ps_buffer carry; /* the start of a token whose end has not come yet */
    size_t scanned;
    char quote;

    xml_attribute attributes[XML_MAX_ATTRIBUTES];
    ps_buffer scratch; /* decoded values */

    char encoding[64]; /* as declared, or empty */
    char error[640];
    uint32_t error_line, error_column;
};

void xml_init(xml_parser *xml, const xml_sink *sink, void *context);
void xml_free(xml_parser *xml);

/* Read `length` bytes; `*consumed` says how many were taken: fewer only after XML_PAUSE. */
xml_status xml_feed(xml_parser *xml, const char *data, size_t length, size_t *consumed);
/* Go on after a pause. */
xml_status xml_resume(xml_parser *xml);
/* No more bytes will come. */
xml_status xml_close(xml_parser *xml);

/* Line and column of a place in the token being told to the sink. */
void xml_position(const xml_parser *xml, const char *at, uint32_t *line, uint32_t *column);

/* The part of a name after its prefix. */
ps_text xml_local_name(ps_text name);

static inline bool text_is(ps_text text, const char *literal, size_t length)
{
    return text.length == length && memcmp(text.data, literal, length) == 0;
}
/* Does `text` equal a string literal? */
#define TEXT_IS(text, literal) text_is((text), (literal), sizeof(literal) - 1)

#endif
