/* Parsing one token of XML at a time; between xml.c, which finds tokens, and the sink. */
#ifndef PSTACK_MARKUP_H
#define PSTACK_MARKUP_H

#include "xml.h"

#include <sys/types.h>

enum { MARKUP_MORE = 0, MARKUP_STOP = -1 };

/* Parse the token at `p` and tell the sink.  Returns its length, MARKUP_MORE when
   `end` cuts it short, or MARKUP_STOP with `xml->status` set.  XML_PAUSE alone
   comes with the length. */
ssize_t markup_token(xml_parser *xml, const char *p, const char *end);

/* Length of the token at `p`, or 0 while its end is not within `length` bytes.
   Bytes before xml->scanned have been looked at.  A token that cannot be well
   formed ends at the offending byte, so that garbage never waits for its end. */
size_t markup_length(xml_parser *xml, const char *p, size_t length);

/* Tell the sink that the innermost open element ends. */
xml_status markup_pop(xml_parser *xml);

/* Fail for characters in [p, end) that no document may have. */
bool markup_validate(xml_parser *xml, const char *p, const char *end);

/* Record an error at `at`, a place in the token being read. */
__attribute__((format(printf, 3, 4)))
void markup_fail(xml_parser *xml, const char *at, const char *format, ...);

#endif
