/* Rows of devices and edges as they are read. */
#ifndef PSTACK_ROWS_H
#define PSTACK_ROWS_H

#include "instance.h"

/* An initialiser, and where it stands; `exact` when columns within it can be counted. */
typedef struct {
    ps_text text;
    uint32_t line, column;
    bool exact;
} row_value;

row_value row_attribute(const xml_parser *xml, const xml_attribute *attribute);

/* Note that the current element has P (or S); false after reporting that it must not. */
bool row_claim(ps_instance *instance, bool state, uint32_t line, uint32_t column);
/* Parse an initialiser over the row appended last to `table`. */
xml_status row_read(ps_instance *instance, ps_table *table, bool state, const row_value *value);
/* Is there no memory left, under the limit, for `size` more bytes?  Reports it once. */
bool row_is_refused(ps_instance *instance, uint64_t size);
/* The id or path of the current element, for sentences. */
void row_label(ps_instance *instance, ps_text text);
/* Columns may be of unequal length now: read no more. */
xml_status row_no_memory(ps_instance *instance);

xml_status device_start(ps_instance *instance, const xml_parser *xml, const xml_tag *tag);

/* Edges are read a batch at a time, so that looking up their devices waits for memory once
   a batch and not several times an edge. */
xml_status edge_start(ps_instance *instance, const xml_parser *xml, const xml_tag *tag);
/* P or S in an element of its own. */
xml_status edge_value(ps_instance *instance, bool state, const row_value *value);
xml_status edge_end(ps_instance *instance);
/* Add the edges that wait. */
xml_status edges_flush(ps_instance *instance);

#endif
