/* The scanner: the tokenizer, and who is told of its tokens. */
#include "events.h"
#include "reader.h"
#include "scan_api.h"
#include "xml.h"

#include <stdlib.h>

struct ps_scanner {
    xml_parser xml;
    ps_buffer events;
    int mode;
    unsigned section_depth; /* depth of the open section, 0 outside */
    bool devices;           /* the section is DeviceInstances */
    ps_instance *instance;
};

static xml_status on_start(void *context, xml_parser *xml, const xml_tag *tag)
{
    ps_scanner *scanner = context;
    if (!scanner->section_depth) {
        xml_status status = events_start(&scanner->events, xml, tag);
        ps_text local = xml_local_name(tag->name);
        scanner->devices = TEXT_IS(local, "DeviceInstances");
        if (status != XML_OK || !(scanner->devices || TEXT_IS(local, "EdgeInstances")))
            return status;
        scanner->section_depth = xml->depth;
        return XML_PAUSE;
    }
    switch (scanner->mode) {
    case PS_GENERIC:
        return events_start(&scanner->events, xml, tag);
    case PS_READ:
        return reader_start(scanner->instance, xml, tag, xml->depth - scanner->section_depth);
    default:
        return XML_OK;
    }
}

static xml_status on_end(void *context, xml_parser *xml, ps_text name)
{
    ps_scanner *scanner = context;
    if (scanner->section_depth == xml->depth) {
        xml_status status = XML_OK;
        if (scanner->mode == PS_READ)
            status = reader_finish(scanner->instance, xml);
        scanner->section_depth = 0;
        scanner->instance = NULL;
        if (status != XML_OK)
            return status;
    }
    if (!scanner->section_depth || scanner->mode == PS_GENERIC)
        return events_end(&scanner->events, xml, name);
    if (scanner->mode == PS_READ)
        return reader_end(scanner->instance, xml, xml->depth - scanner->section_depth);
    return XML_OK;
}

static xml_status on_text(void *context, xml_parser *xml, ps_text text, const char *at,
                          bool decoded)
{
    ps_scanner *scanner = context;
    if (!scanner->section_depth || scanner->mode == PS_GENERIC)
        return events_text(&scanner->events, xml, text, at);
    if (scanner->mode == PS_READ)
        return reader_text(scanner->instance, xml, text, at, decoded,
                           xml->depth - scanner->section_depth);
    return XML_OK;
}

static const xml_sink sink = {on_start, on_end, on_text};

ps_scanner *ps_scanner_new(void)
{
    ps_scanner *scanner = calloc(1, sizeof *scanner);
    if (scanner)
        xml_init(&scanner->xml, &sink, scanner);
    return scanner;
}

void ps_scanner_free(ps_scanner *scanner)
{
    if (!scanner)
        return;
    xml_free(&scanner->xml);
    buffer_free(&scanner->events);
    free(scanner);
}

int ps_scanner_feed(ps_scanner *scanner, const char *data, size_t length, size_t *consumed)
{
    return (int)xml_feed(&scanner->xml, data, length, consumed);
}

int ps_scanner_close(ps_scanner *scanner)
{
    return (int)xml_close(&scanner->xml);
}

int ps_scanner_choose(ps_scanner *scanner, int mode, ps_instance *instance)
{
    scanner->mode = mode;
    scanner->instance = instance;
    if (mode == PS_READ) {
        xml_status status = reader_begin(instance, &scanner->xml, scanner->devices);
        if (status != XML_OK)
            return (int)(scanner->xml.status = status);
    }
    return (int)xml_resume(&scanner->xml);
}

const char *ps_scanner_section(const ps_scanner *scanner)
{
    if (scanner->xml.status != XML_PAUSE)
        return NULL;
    return scanner->devices ? "DeviceInstances" : "EdgeInstances";
}

const char *ps_scanner_encoding(const ps_scanner *scanner)
{
    return scanner->xml.encoding;
}

const char *ps_scanner_error(const ps_scanner *scanner, uint32_t *line, uint32_t *column)
{
    *line = scanner->xml.error_line;
    *column = scanner->xml.error_column;
    return scanner->xml.error;
}

const char *ps_scanner_events(const ps_scanner *scanner, size_t *length)
{
    *length = scanner->events.length;
    return scanner->events.data;
}

void ps_scanner_clear_events(ps_scanner *scanner)
{
    if (scanner->events.capacity > 1 << 20)
        buffer_free(&scanner->events);
    scanner->events.length = 0;
}
