/* Reporting problems of the instance that is being read. */
#ifndef PSTACK_REPORT_H
#define PSTACK_REPORT_H

#include "chars.h"
#include "instance.h"

/* "%.*s" of a slice of the document, at most 80 bytes of it. */
#define SHOWN(text) \
    (int)utf8_whole((text).data, (text).length < 80 ? (text).length : 80), (text).data

/* Add a problem, with the reader's element. */
__attribute__((format(printf, 5, 6)))
void report(ps_instance *instance, int severity, uint32_t line, uint32_t column,
            const char *format, ...);

/* A problem of the element that is being read. */
#define REPORT_ELEMENT(instance, severity, ...)                                     \
    report((instance), (severity), (instance)->reader.line, (instance)->reader.column, \
           __VA_ARGS__)

/* The severity of what only strict reading refuses. */
static inline int report_lenience(const ps_instance *instance)
{
    return instance->strict ? PS_ERROR : PS_WARNING;
}

/* Warn of an unknown attribute, the first time that it is seen. */
void report_attribute(ps_instance *instance, const char *element, ps_text name);
/* Warn of the attributes of a tag that are not among `known`, which NULL ends. */
void report_attributes(ps_instance *instance, const xml_tag *tag, const char *const *known);
/* The names in a table, for sentences: at most ten. */
const char *report_names(const intern_table *names, char *out, size_t room);

#endif
