#include "value.h"

#include "chars.h"
#include "problems.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool value_push_member(value_parser *value, const ps_node *member)
{
    value->path[value->depth++] = (value_step){member, 0};
    return true;
}

void value_push_element(value_parser *value, uint64_t index)
{
    value->path[value->depth++] = (value_step){NULL, index};
}

bool value_is_string(const value_parser *value, const ps_node *node)
{
    if (node->kind != PS_ARRAY)
        return false;
    const ps_node *element = value_child(value, node, 0);
    return element->kind == PS_SCALAR && element->ctype == T_CHAR;
}

int value_shown(const value_parser *value, const char *p)
{
    size_t length = 0, rest = (size_t)(value->end - p);
    while (length < rest && length < 40 && !strchr(",{}[]\n", p[length]))
        length++;
    if (!length && rest)
        length = 1;
    return (int)utf8_whole(p, length);
}

/* `member "s"."arr"[3]: ` of where the parser stands; empty at the top. */
static size_t path_text(const value_parser *value, char *out, size_t room)
{
    size_t used = 0;
    for (unsigned i = 0; i < value->depth && used < room; i++) {
        const value_step *step = &value->path[i];
        int wrote;
        if (step->member) {
            ps_text name = value_name(value, step->member);
            wrote = snprintf(out + used, room - used, "%s\"%.*s\"", i ? "." : "member ",
                             (int)(name.length < 60 ? name.length : 60), name.data);
        } else {
            wrote = snprintf(out + used, room - used, "%s[%llu]", i ? "" : "element ",
                             (unsigned long long)step->index);
        }
        used += (size_t)wrote;
    }
    if (used >= room)
        used = room - 1;
    if (used)
        used += (size_t)snprintf(out + used, room - used, ": ");
    return used < room ? used : room - 1;
}

bool value_problem(value_parser *value, int severity, const char *at, const char *format, ...)
{
    char sentence[PS_MAX_SENTENCE];
    size_t used = path_text(value, sentence, 400);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence + used, sizeof sentence - used, format, arguments);
    va_end(arguments);
    problems_add(value->problems, severity, (uint64_t)(at - value->start), 0, NULL, sentence);
    if (++value->count < VALUE_MAX_PROBLEMS)
        return true;
    if (value->count == VALUE_MAX_PROBLEMS)
        problems_add(value->problems, PS_ERROR, (uint64_t)(at - value->start), 0, NULL,
                     "too many problems in one value: the rest of it is not read");
    return false;
}

bool value_integer(const char *p, const char *end, unsigned base, uint64_t *integer)
{
    uint64_t result = 0;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(*p <= '9' ? *p - '0' : (*p | 0x20) - 'a' + 10);
        if (__builtin_mul_overflow(result, base, &result) ||
            __builtin_add_overflow(result, digit, &result))
            return false;
    }
    *integer = result;
    return true;
}

double value_real(const ps_constant *constant)
{
    if (constant->decimal.data) {
        double real = decimal_to_double(constant->decimal.data, constant->decimal.length);
        return constant->negative ? -real : real;
    }
    return constant->kind == CONSTANT_INTEGER ? (double)constant->integer : constant->real;
}

static bool out_of_range(value_parser *value, const ps_type_facts *type, const char *at,
                         const char *shown)
{
    return value_problem(value, PS_ERROR, at, "%s does not fit %s (%lld..%llu)", shown, type->name,
                         (long long)type->least, (unsigned long long)type->greatest);
}

static bool store_integer(value_parser *value, const ps_node *node, char *out, const char *at,
                          ps_int128 integer, int syntax)
{
    const ps_type_facts *type = &ps_types[node->ctype];
    char digits[48];
    bool go_on = true;
    if (integer < type->least || integer > (ps_int128)type->greatest) {
        /* C++ wraps a negative constant given to an unsigned member; real files rely on it. */
        ps_int128 least = -((ps_int128)(type->greatest >> 1)) - 1;
        if (syntax != PS_BRACES || value->strict || node->ctype == T_BOOL || type->least != 0 ||
            integer > 0 || integer < least)
            return out_of_range(value, type, at, integer_text(integer, digits));
        ps_int128 wrapped = integer + (ps_int128)type->greatest + 1;
        char again[48];
        go_on = value_problem(value, PS_WARNING, at, "%s is stored in %s as %s",
                              integer_text(integer, digits), type->name,
                              integer_text(wrapped, again));
    }
    write_integer((ps_ctype)node->ctype, integer, out);
    return go_on;
}

static bool store_real(value_parser *value, const ps_node *node, char *out, const char *at,
                       const ps_constant *constant)
{
    const ps_type_facts *type = &ps_types[node->ctype];
    double real = value_real(constant);
    bool infinite = isinf(real) && !constant->decimal.data;
    if (node->ctype == T_FLOAT && constant->decimal.data) {
        real = (double)decimal_to_float(constant->decimal.data, constant->decimal.length);
        real = constant->negative ? -real : real;
    } else if (node->ctype == T_FLOAT && constant->kind == CONSTANT_INTEGER) {
        real = (double)(float)constant->integer;
    }
    write_real((ps_ctype)node->ctype, real, out);
    bool overflow = isinf(real);
    if (node->ctype == T_HALF && !isnan(real))
        overflow = (double_to_half(real) & 0x7fff) == 0x7c00;
    else if (node->ctype == T_FLOAT)
        overflow = isinf((float)real);
    if (overflow && !infinite)
        return value_problem(value, VALUE_LENIENCE(value), at,
                             "%.*s is beyond the range of %s%s", VALUE_SHOWN(value, at), type->name,
                             value->strict ? "" : " and is stored as infinity");
    return true;
}

bool value_store(value_parser *value, const ps_node *node, char *out, const char *at,
                 const ps_constant *constant, int syntax)
{
    const ps_type_facts *type = &ps_types[node->ctype];
    if (type->real)
        return store_real(value, node, out, at, constant);
    if (constant->kind == CONSTANT_INTEGER)
        return store_integer(value, node, out, at, constant->integer, syntax);
    double real = value_real(constant);
    bool go_on = true;
    if (syntax == PS_JSON || value->strict || !isfinite(real) || real != trunc(real))
        return value_problem(value, PS_ERROR, at, "%.*s is not an integer, as %s needs",
                             VALUE_SHOWN(value, at), type->name);
    if (!constant->cast)
        go_on = value_problem(value, PS_WARNING, at, "%.*s is written as a real number for %s",
                              VALUE_SHOWN(value, at), type->name);
    if (fabs(real) > 0x1p64) {
        char shown[40];
        snprintf(shown, sizeof shown, "%g", real);
        return out_of_range(value, type, at, shown);
    }
    return store_integer(value, node, out, at, (ps_int128)real, syntax) && go_on;
}

bool ps_value_parse(const ps_layout *layout, const char *text, size_t length, int syntax,
                    bool strict, char *row, ps_problems *problems)
{
    value_parser value; /* field by field: the path is large and starts empty */
    value.layout = layout;
    value.start = value.at = text;
    value.end = text + length;
    value.strict = strict;
    value.row = row;
    value.depth = value.count = value.serial = 0;
    value.seen = NULL;
    value.problems = problems;
    if (syntax == PS_JSON) {
        uint32_t few[32];
        value.seen = few;
        if (layout->count <= 32)
            memset(few, 0, layout->count * sizeof *few);
        else if (!(value.seen = calloc(layout->count, sizeof *value.seen)))
            return false;
        value_json(&value);
        if (value.seen != few)
            free(value.seen);
    } else {
        value_braces(&value);
    }
    return true;
}
