#include "rows.h"

#include "report.h"

xml_status row_no_memory(ps_instance *instance)
{
    instance->full = true;
    return XML_NO_MEMORY;
}

row_value row_attribute(const xml_parser *xml, const xml_attribute *attribute)
{
    row_value value = {attribute->value, 0, 0, !attribute->decoded};
    xml_position(xml, attribute->at, &value.line, &value.column);
    return value;
}

static const ps_node empty_node = {.kind = PS_STRUCT};
static const ps_layout empty_layout = {.nodes = (ps_node *)&empty_node, .count = 1};

/* Report the problems of a value where they stand in the document. */
static void report_value(ps_instance *instance, bool state, const row_value *value)
{
    ps_problems *found = &instance->value_problems;
    for (uint32_t i = 0; i < found->kept; i++) {
        const char *p = value->text.data, *at = p + found->list[i].line;
        uint32_t line = value->line, column = value->column;
        bool exact = value->exact;
        for (const char *newline; (newline = memchr(p, '\n', (size_t)(at - p))); p = newline + 1) {
            line++;
            column = 1;
            exact = true;
        }
        if (exact)
            for (; p < at; p++)
                column += ((uint8_t)*p & 0xc0) != 0x80;
        report(instance, found->list[i].severity, line, column, "%s: %s", state ? "S" : "P",
               found->list[i].message);
    }
    problems_clear(found);
}

xml_status row_read(ps_instance *instance, ps_table *table, bool state, const row_value *value)
{
    const ps_layout *layout = table->layout ? table->layout : &empty_layout;
    char *row = table->layout ? table->rows.data + table->rows.length - layout->size : NULL;
    if (!ps_value_parse(layout, value->text.data, value->text.length, instance->syntax,
                        instance->strict, row, &instance->value_problems))
        return row_no_memory(instance);
    if (instance->value_problems.total)
        report_value(instance, state, value);
    return XML_OK;
}

bool row_claim(ps_instance *instance, bool state, uint32_t line, uint32_t column)
{
    ps_reader *reader = &instance->reader;
    bool *has = state ? &reader->has_state : &reader->has_properties;
    if (*has) {
        report(instance, PS_ERROR, line, column, "%s is given twice", state ? "S" : "P");
        return false;
    }
    *has = true;
    if (state && strcmp(reader->tag, "ExtI") == 0) {
        report(instance, PS_ERROR, line, column, "an external has no state: remove S");
        return false;
    }
    return true;
}

bool row_is_refused(ps_instance *instance, uint64_t size)
{
    if (instance->full)
        return true;
    if (instance_charge(instance, size))
        return false;
    REPORT_ELEMENT(instance, PS_ERROR,
                    "the instance needs more than the %llu MiB of memory allowed; the rest is not read",
                    (unsigned long long)(instance->memory_limit >> 20));
    return true;
}

void row_label(ps_instance *instance, ps_text text)
{
    ps_reader *reader = &instance->reader;
    size_t length = utf8_whole(text.data, text.length < sizeof reader->label
                                              ? text.length : sizeof reader->label - 1);
    memcpy(reader->label, text.data, length);
    reader->label[length] = 0;
}
