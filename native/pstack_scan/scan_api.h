/* The functions that Python calls.  build_scan.py gives this text to cffi without
   its preprocessor lines, so it holds declarations and nothing clever.

   No function keeps a pointer that it was given, except to layouts and instances,
   which the caller keeps alive.  Every function that can fail says so by its result. */
#ifndef PSTACK_SCAN_API_H
#define PSTACK_SCAN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ps_scanner ps_scanner;
typedef struct ps_instance ps_instance;
typedef struct ps_layout ps_layout;
typedef struct ps_problems ps_problems;

/* Results of feeding; the values of xml_status. */
enum { PS_OK = 0, PS_PAUSED = 1, PS_ILL_FORMED = 2, PS_NO_MEMORY = 3 };

/* ---- typed data: nodes in one array, the root first, children of a node adjacent. */

enum { PS_SCALAR = 0, PS_ARRAY = 1, PS_STRUCT = 2, PS_UNION = 3 };

typedef struct {
    uint32_t kind;
    uint32_t ctype;    /* scalar: index into the C types, in the order of number.h */
    uint64_t offset;   /* within the enclosing node */
    uint64_t length;   /* array: elements; union: offset of the tag byte */
    uint64_t stride;   /* array: bytes from one element to the next */
    uint32_t children; /* index of the first child; an array has one child */
    uint32_t count;    /* number of children */
    uint32_t name;     /* offset in the layout's names */
    uint32_t name_length;
} ps_node;

ps_layout *ps_layout_new(const ps_node *nodes, uint32_t count, const char *names,
                         size_t names_length, const char *defaults, size_t size);
void ps_layout_free(ps_layout *layout);

/* ---- values */

enum { PS_JSON = 0, PS_BRACES = 1 };
enum { PS_WARNING = 0, PS_ERROR = 1 };

/* Parse `text` into `row` (size bytes, already the defaults); problems are added to
   `problems`, whose line is then the offset in the text.  False when memory is out. */
bool ps_value_parse(const ps_layout *layout, const char *text, size_t length, int syntax,
                    bool strict, char *row, ps_problems *problems);

ps_problems *ps_problems_new(void);
void ps_problems_free(ps_problems *problems);
/* All that were added, kept or not. */
uint64_t ps_problems_total(const ps_problems *problems);
uint32_t ps_problems_kept(const ps_problems *problems);

typedef struct {
    int severity;
    uint64_t line, column;
    const char *element, *message;
} ps_problem;

const ps_problem *ps_problems_get(const ps_problems *problems, uint32_t index);

/* ---- scanner */

enum { PS_GENERIC = 0, PS_SKIP = 1, PS_READ = 2 };

ps_scanner *ps_scanner_new(void);
void ps_scanner_free(ps_scanner *scanner);
int ps_scanner_feed(ps_scanner *scanner, const char *data, size_t length, size_t *consumed);
int ps_scanner_close(ps_scanner *scanner);
/* Say what to do with the section at which the scanner paused. */
int ps_scanner_choose(ps_scanner *scanner, int mode, ps_instance *instance);
/* Name of that section without its prefix, or NULL. */
const char *ps_scanner_section(const ps_scanner *scanner);
/* Encoding of the XML declaration, or the empty string. */
const char *ps_scanner_encoding(const ps_scanner *scanner);
const char *ps_scanner_error(const ps_scanner *scanner, uint32_t *line, uint32_t *column);
/* Records of generic events since they were last cleared; events.c has their form. */
const char *ps_scanner_events(const ps_scanner *scanner, size_t *length);
void ps_scanner_clear_events(ps_scanner *scanner);

/* ---- instance */

ps_instance *ps_instance_new(int syntax, bool strict, bool keep_metadata, uint64_t memory_limit,
                             uint64_t seed);
void ps_instance_free(ps_instance *instance);
bool ps_instance_add_type(ps_instance *instance, const char *id, size_t length, bool external,
                          const ps_layout *properties, const ps_layout *state);
/* Pins belong to the type added last. */
bool ps_instance_add_input(ps_instance *instance, const char *name, size_t length,
                           uint32_t message, const ps_layout *properties,
                           const ps_layout *state);
bool ps_instance_add_output(ps_instance *instance, const char *name, size_t length,
                            uint32_t message, bool indexed);
bool ps_instance_add_message(ps_instance *instance, const char *id, size_t length);
/* No row will be read any more, not even of an open section: drop what only reading needs. */
void ps_instance_seal(ps_instance *instance);
uint64_t ps_instance_devices(const ps_instance *instance);
uint64_t ps_instance_edges(const ps_instance *instance);

enum {
    PS_NAMES_ARENA = 0,
    PS_NAMES_OFFSETS = 1,
    PS_DEVICE_TYPE = 2,
    PS_DEVICE_ROW = 3,
    PS_DEVICE_LINE = 4,
    PS_EDGE_DST = 5,
    PS_EDGE_DST_PIN = 6,
    PS_EDGE_SRC = 7,
    PS_EDGE_SRC_PIN = 8,
    PS_EDGE_SEND_INDEX = 9,
    PS_EDGE_ROW = 10,
    PS_EDGE_LINE = 11,
    PS_METADATA = 12
};

char *ps_instance_column(ps_instance *instance, int column, size_t *bytes);
/* Packed rows of a device type, or of the edges into one of its pins. */
char *ps_instance_device_rows(ps_instance *instance, uint32_t type, bool state, size_t *bytes);
char *ps_instance_edge_rows(ps_instance *instance, uint32_t type, uint32_t pin, bool state,
                            size_t *bytes);
const ps_problems *ps_instance_problems(const ps_instance *instance);

#endif
