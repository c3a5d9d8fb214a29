/* Generic events as records in a buffer, to cross to Python in one piece.

   A record is five native uint32: kind (1 start, 2 end, 3 text), line, column,
   length of the name or text, number of attributes; then the name or text; then
   for each attribute two uint32 (lengths of name and value) and their bytes. */
#ifndef PSTACK_EVENTS_H
#define PSTACK_EVENTS_H

#include "xml.h"

xml_status events_start(ps_buffer *events, const xml_parser *xml, const xml_tag *tag);
xml_status events_end(ps_buffer *events, const xml_parser *xml, ps_text name);
xml_status events_text(ps_buffer *events, const xml_parser *xml, ps_text text, const char *at);

#endif
