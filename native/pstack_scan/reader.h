/* Reading the elements of DeviceInstances and EdgeInstances into an instance. */
#ifndef PSTACK_READER_H
#define PSTACK_READER_H

#include "scan_api.h"
#include "xml.h"

/* `level` counts from 1 for the children of the section. */
xml_status reader_begin(ps_instance *instance, const xml_parser *xml, bool devices);
xml_status reader_start(ps_instance *instance, xml_parser *xml, const xml_tag *tag, unsigned level);
xml_status reader_end(ps_instance *instance, xml_parser *xml, unsigned level);
xml_status reader_text(ps_instance *instance, xml_parser *xml, ps_text text, const char *at,
                       bool decoded, unsigned level);
xml_status reader_finish(ps_instance *instance, const xml_parser *xml);

#endif
