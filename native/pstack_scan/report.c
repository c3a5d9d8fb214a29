#include "report.h"

#include <stdarg.h>
#include <stdio.h>

void report(ps_instance *instance, int severity, uint32_t line, uint32_t column,
            const char *format, ...)
{
    char sentence[PS_MAX_SENTENCE], element[128] = "";
    const ps_reader *reader = &instance->reader;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (reader->inside == IN_ROW)
        snprintf(element, sizeof element, reader->label[0] ? "%s '%s'" : "%s", reader->tag,
                 reader->label);
    problems_add(&instance->problems, severity, line, column, element, sentence);
}

static bool is_harmless(ps_text name)
{
    static const char *const harmless[] = {"sorted", "application", "priority", "cTypeName", "xmlns"};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (text_is(name, harmless[i], strlen(harmless[i])))
            return true;
    return memchr(name.data, ':', name.length) != NULL;
}

void report_attribute(ps_instance *instance, const char *element, ps_text name)
{
    char key[sizeof *instance->warned];
    const unsigned room = sizeof instance->warned / sizeof *instance->warned;
    if (is_harmless(name))
        return;
    snprintf(key, sizeof key, "%s %.*s", element, (int)(name.length < 48 ? name.length : 48),
             name.data);
    for (unsigned i = 0; i < instance->warned_count; i++)
        if (strcmp(instance->warned[i], key) == 0)
            return;
    if (instance->warned_count == room)
        return;
    strcpy(instance->warned[instance->warned_count++], key);
    REPORT_ELEMENT(instance, PS_WARNING,
                    "attribute '%.*s' of %s is not known; it is ignored wherever it stands",
                    SHOWN(name), element);
}

void report_attributes(ps_instance *instance, const xml_tag *tag, const char *const *known)
{
    for (unsigned i = 0; i < tag->count; i++) {
        ps_text name = tag->attributes[i].name;
        const char *const *one = known;
        while (*one && !text_is(name, *one, strlen(*one)))
            one++;
        if (!*one)
            report_attribute(instance, instance->reader.tag, name);
    }
}

const char *report_names(const intern_table *names, char *out, size_t room)
{
    size_t used = 0;
    if (!names->count)
        return "none";
    for (uint32_t i = 0; i < names->count && i < 10 && used < room; i++) {
        ps_text name = intern_name(names, i);
        used += (size_t)snprintf(out + used, room - used, "%s'%.*s'", i ? ", " : "",
                                 (int)utf8_whole(name.data, name.length < 40 ? name.length : 40), name.data);
    }
    if (names->count > 10 && used < room)
        snprintf(out + used, room - used, " and %u more", names->count - 10);
    return out;
}
