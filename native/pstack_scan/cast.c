/* Names of arithmetic types, and conversion to them. */
#include "constant.h"

#include "chars.h"

#include <math.h>

void constant_settle(ps_constant *constant)
{
    if (constant->kind == CONSTANT_REAL)
        constant->real = value_real(constant);
    constant->decimal.data = NULL;
}

ps_text constant_word(value_parser *value)
{
    const char *start = value->at;
    while (value->at < value->end &&
           (char_is(*value->at, CH_NAME) && !memchr("-.:", *value->at, 3)))
        value->at++;
    return (ps_text){start, (size_t)(value->at - start)};
}

bool constant_type(value_parser *value, ps_ctype *type)
{
    unsigned longs = 0, count = 0;
    bool is_unsigned = false, is_signed = false, is_short = false, is_char = false;
    bool is_float = false, is_double = false, is_bool = false, fixed = false;
    const char *start = value->at, *after = start;
    ps_text std = constant_word(value);
    if (!(TEXT_IS(std, "std") || !std.length) || value->end - value->at < 2 ||
        memcmp(value->at, "::", 2) != 0)
        value->at = start;
    else
        value->at += 2;
    for (;; count++) {
        constant_trivia(value);
        ps_text name = constant_word(value);
        if (TEXT_IS(name, "unsigned"))
            is_unsigned = true;
        else if (TEXT_IS(name, "signed"))
            is_signed = true;
        else if (TEXT_IS(name, "long"))
            longs++;
        else if (TEXT_IS(name, "short"))
            is_short = true;
        else if (TEXT_IS(name, "char"))
            is_char = true;
        else if (TEXT_IS(name, "float"))
            is_float = true;
        else if (TEXT_IS(name, "double"))
            is_double = true;
        else if (TEXT_IS(name, "bool"))
            is_bool = true;
        else if (TEXT_IS(name, "size_t"))
            fixed = true, *type = T_UINT64;
        else if (!TEXT_IS(name, "int")) {
            size_t i = 0;
            while (i < T_FLOAT && !text_is(name, ps_types[i].name, strlen(ps_types[i].name)))
                i++;
            if (i == T_FLOAT)
                break;
            fixed = true;
            *type = (ps_ctype)i;
        }
        after = value->at;
    }
    value->at = count ? after : start;
    if (!count || fixed)
        return count > 0;
    if (is_float || is_double || is_bool)
        *type = is_float ? T_FLOAT : is_double ? T_DOUBLE : T_BOOL;
    else if (is_char)
        *type = is_unsigned ? T_UINT8 : is_signed ? T_INT8 : T_CHAR;
    else if (is_short)
        *type = is_unsigned ? T_UINT16 : T_INT16;
    else if (longs)
        *type = is_unsigned ? T_UINT64 : T_INT64;
    else
        *type = is_unsigned ? T_UINT32 : T_INT32;
    return true;
}

bool constant_convert(value_parser *value, const char *at, ps_ctype type, ps_constant *constant)
{
    const ps_type_facts *facts = &ps_types[type];
    double real = value_real(constant);
    constant->cast = true;
    if (facts->real) {
        if (type == T_FLOAT && constant->decimal.data) {
            real = (double)decimal_to_float(constant->decimal.data, constant->decimal.length);
            real = constant->negative ? -real : real;
        }
        constant->decimal.data = NULL;
        constant->kind = CONSTANT_REAL;
        constant->real = type == T_FLOAT ? (double)(float)real : real;
        return true;
    }
    constant_settle(constant);
    if (type == T_BOOL) {
        constant->integer = real != 0;
    } else if (constant->kind == CONSTANT_REAL) {
        if (!(trunc(real) >= (double)facts->least && trunc(real) <= (double)facts->greatest) ||
            fabs(real) >= 0x1p64) {
            value_problem(value, PS_ERROR, at, "%g does not fit %s", real, facts->name);
            return false;
        }
        constant->integer = (ps_int128)real;
    } else {
        uint64_t bits = (uint64_t)constant->integer;
        unsigned unused = 64 - 8 * facts->size;
        constant->integer = facts->least ? (ps_int128)((int64_t)(bits << unused) >> unused)
                                         : (ps_int128)(bits << unused >> unused);
    }
    constant->kind = CONSTANT_INTEGER;
    return true;
}
