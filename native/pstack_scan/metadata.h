/* Metadata and documentation of devices and edges, which never make an error.

   Metadata that is kept crosses to Python as records: six native uint32 (0 device or 1
   edge, its index, line, length of the element's name, number of attributes, length of
   the text), the name, the attributes as in events.h, the text. */
#ifndef PSTACK_METADATA_H
#define PSTACK_METADATA_H

#include "instance.h"

/* Is an element of this name metadata?  `*exact` tells a spelling of the formats. */
bool metadata_is(ps_text name, bool *exact);
xml_status metadata_start(ps_instance *instance, const xml_parser *xml, const xml_tag *tag,
                          ps_text name);
xml_status metadata_text(ps_instance *instance, ps_text text);

#endif
