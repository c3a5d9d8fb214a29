/* What the two syntaxes of initialisers share: the cursor, problems and their places. */
#ifndef PSTACK_VALUE_H
#define PSTACK_VALUE_H

#include "layout.h"
#include "number.h"
#include "xml.h"

enum { VALUE_MAX_PROBLEMS = 20 };

/* Where in the value the parser stands: a member, or an element of an array. */
typedef struct {
    const ps_node *member; /* NULL for an element */
    uint64_t index;
} value_step;

typedef struct {
    const ps_layout *layout;
    const char *start, *at, *end;
    bool strict;
    char *row;
    value_step path[PS_MAX_NESTING + 2];
    unsigned depth;
    unsigned count; /* problems of this value */
    uint32_t serial, *seen; /* json: which object last named each node */
    ps_problems *problems;
} value_parser;

/* A literal or constant expression on its way to a scalar. */
typedef struct {
    enum { CONSTANT_INTEGER, CONSTANT_REAL } kind;
    ps_int128 integer;
    double real;
    ps_text decimal; /* a lone literal, rounded when its use is known; data NULL otherwise */
    bool negative;   /* a minus before `decimal` */
    bool cast;       /* conversion was asked for: not worth a warning */
} ps_constant;

/* Both return false when parsing cannot go on: the text is malformed, or there were
   too many problems.  The row then holds what was read before. */
bool value_json(value_parser *value);
bool value_braces(value_parser *value);

/* Report at `at`, with the member's path before the sentence.  Returns whether to go on. */
__attribute__((format(printf, 4, 5)))
bool value_problem(value_parser *value, int severity, const char *at, const char *format, ...);
/* A problem that lenient reading only warns of. */
#define VALUE_LENIENCE(value) ((value)->strict ? PS_ERROR : PS_WARNING)

bool value_push_member(value_parser *value, const ps_node *member);
void value_push_element(value_parser *value, uint64_t index);
static inline void value_pop(value_parser *value)
{
    value->depth--;
}

/* Check a constant against the scalar's type and write it.  Returns whether to go on. */
bool value_store(value_parser *value, const ps_node *node, char *out, const char *at,
                 const ps_constant *constant, int syntax);

/* A constant as a double. */
double value_real(const ps_constant *constant);

/* Read unsigned decimal digits [p, end); false when beyond 64 bits. */
bool value_integer(const char *p, const char *end, unsigned base, uint64_t *integer);

static inline const ps_node *value_child(const value_parser *value, const ps_node *node,
                                         uint32_t index)
{
    return &value->layout->nodes[node->children + index];
}

static inline ps_text value_name(const value_parser *value, const ps_node *node)
{
    return (ps_text){value->layout->names + node->name, node->name_length};
}

/* An array of char, which a string may initialise? */
bool value_is_string(const value_parser *value, const ps_node *node);

/* "%.*s" of what stands at the cursor, for sentences. */
#define VALUE_SHOWN(value, p) value_shown((value), (p)), (p)
int value_shown(const value_parser *value, const char *p);

#endif
