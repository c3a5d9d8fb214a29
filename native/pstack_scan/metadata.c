#include "metadata.h"

#include "report.h"
#include "rows.h"

xml_status metadata_start(ps_instance *instance, const xml_parser *xml, const xml_tag *tag,
                          ps_text name)
{
    ps_reader *reader = &instance->reader;
    ps_buffer *out = &instance->metadata;
    uint64_t size = 24 + name.length;
    reader->child = CHILD_IGNORED;
    if (!instance->keep_metadata || !(reader->device || reader->edge))
        return XML_OK;
    for (unsigned i = 0; i < tag->count; i++)
        size += 8 + tag->attributes[i].name.length + tag->attributes[i].value.length;
    if (row_is_refused(instance, size))
        return XML_OK;
    uint32_t header[6] = {!reader->devices,
                          reader->devices ? instance->ids.count - 1 : instance->edges,
                          xml->line,
                          (uint32_t)name.length,
                          tag->count,
                          0};
    reader->metadata = out->length;
    bool ok = buffer_append(out, header, sizeof header) &&
              buffer_append(out, name.data, name.length);
    for (unsigned i = 0; ok && i < tag->count; i++) {
        const xml_attribute *attribute = &tag->attributes[i];
        ok = buffer_push_u32(out, (uint32_t)attribute->name.length) &&
             buffer_push_u32(out, (uint32_t)attribute->value.length) &&
             buffer_append(out, attribute->name.data, attribute->name.length) &&
             buffer_append(out, attribute->value.data, attribute->value.length);
    }
    reader->child = CHILD_METADATA;
    return ok ? XML_OK : row_no_memory(instance);
}

xml_status metadata_text(ps_instance *instance, ps_text text)
{
    ps_buffer *out = &instance->metadata;
    size_t at = instance->reader.metadata + 5 * sizeof(uint32_t);
    uint32_t length;
    memcpy(&length, out->data + at, sizeof length);
    if (text.length > UINT32_MAX / 2 - length || row_is_refused(instance, text.length))
        return XML_OK;
    length += (uint32_t)text.length;
    memcpy(out->data + at, &length, sizeof length);
    return buffer_append(out, text.data, text.length) ? XML_OK : row_no_memory(instance);
}

static bool same_ignoring_case(ps_text text, const char *lower)
{
    if (text.length != strlen(lower))
        return false;
    for (size_t i = 0; i < text.length; i++)
        if ((text.data[i] | 0x20) != lower[i])
            return false;
    return true;
}

bool metadata_is(ps_text name, bool *exact)
{
    *exact = TEXT_IS(name, "M") || TEXT_IS(name, "Metadata") || TEXT_IS(name, "MetaData") ||
             TEXT_IS(name, "Documentation") || TEXT_IS(name, "HashDigest");
    return *exact || same_ignoring_case(name, "metadata") || same_ignoring_case(name, "meta") ||
           same_ignoring_case(name, "m") || same_ignoring_case(name, "documentation");
}
