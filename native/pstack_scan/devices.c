#include "report.h"
#include "rows.h"

static void check_id(ps_instance *instance, ps_text id)
{
    for (size_t i = 0; i < id.length; i++) {
        char c = id.data[i];
        if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_')
            continue;
        bool colon = memchr(id.data, ':', id.length) != NULL;
        REPORT_ELEMENT(instance, colon ? PS_ERROR : report_lenience(instance),
                        "a device id may hold letters, digits and '_' only%s",
                        colon ? ": ':' separates device and pin in the paths of edges" : "");
        return;
    }
}

xml_status device_start(ps_instance *instance, const xml_parser *xml, const xml_tag *tag)
{
    ps_reader *reader = &instance->reader;
    const xml_attribute *properties = NULL, *states = NULL;
    ps_text id = {"", 0}, type_id = {"", 0};
    bool has_type = false, unknown = false, added;
    for (unsigned i = 0; i < tag->count; i++) {
        const xml_attribute *attribute = &tag->attributes[i];
        if (TEXT_IS(attribute->name, "id"))
            id = attribute->value;
        else if (TEXT_IS(attribute->name, "type"))
            type_id = attribute->value, has_type = true;
        else if (TEXT_IS(attribute->name, "P"))
            properties = attribute;
        else if (TEXT_IS(attribute->name, "S"))
            states = attribute;
        else
            unknown = true;
    }
    row_label(instance, id);
    if (unknown)
        report_attributes(instance, tag, (const char *const[]){"id", "type", "P", "S", NULL});
    if (!id.length) {
        REPORT_ELEMENT(instance, PS_ERROR, "the device has no id: give it one with id=\"...\"");
        return XML_OK;
    }
    uint32_t type_index = has_type ? intern_find(&instance->type_names, type_id) : INTERN_NONE;
    uint16_t type = type_index == INTERN_NONE ? TYPE_UNKNOWN : (uint16_t)type_index;
    if (row_is_refused(instance, instance_device_size(instance, type) + id.length))
        return XML_OK;
    uint32_t index;
    if (!intern_add(&instance->ids, id, &index, &added))
        return row_no_memory(instance);
    if (!added) {
        REPORT_ELEMENT(instance, PS_ERROR, "device id '%.*s' is used twice: first at line %u",
                        SHOWN(id), column_u32(&instance->device_line, index));
        return XML_OK;
    }
    if (!instance_add_device(instance, type, reader->line))
        return row_no_memory(instance);
    check_id(instance, id);
    if (type == TYPE_UNKNOWN) {
        char names[512];
        if (has_type)
            REPORT_ELEMENT(instance, PS_ERROR, "there is no device type '%.*s'; the types are: %s",
                            SHOWN(type_id), report_names(&instance->type_names, names, sizeof names));
        else
            REPORT_ELEMENT(instance, PS_ERROR, "the device has no type: give it one with type=\"...\"");
        return XML_OK;
    }
    ps_type *found = &instance->types[type];
    if (found->external != (reader->tag[0] == 'E'))
        REPORT_ELEMENT(instance, report_lenience(instance), "type '%.*s' is %s external type: write %s",
                        SHOWN(type_id), found->external ? "an" : "not an",
                        found->external ? "ExtI" : "DevI");
    reader->device = found;
    xml_status status = XML_OK;
    for (int state = 0; state < 2 && status == XML_OK; state++) {
        const xml_attribute *attribute = state ? states : properties;
        if (!attribute)
            continue;
        row_value value = row_attribute(xml, attribute);
        if (row_claim(instance, state, value.line, value.column))
            status = row_read(instance, state ? &found->state : &found->properties, state, &value);
    }
    return status;
}
