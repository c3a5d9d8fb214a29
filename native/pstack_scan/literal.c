/* Numbers and characters as C++ writes them. */
#include "constant.h"

#include "chars.h"

static bool is_digit(char c, unsigned base)
{
    if (base == 16)
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
    return c >= '0' && c < (char)('0' + base);
}

static bool suffix(value_parser *value, bool real, ps_constant *constant)
{
    unsigned u = 0, l = 0;
    for (; value->at < value->end; value->at++) {
        char c = (char)(*value->at | 0x20);
        if (c == 'u' && !real)
            u++;
        else if (c == 'l')
            l++;
        else if (c == 'f' && constant->kind == CONSTANT_REAL && !l && !value->strict) {
            value->at++;
            /* As C++ has it: the constant is a float, whatever it is given to. */
            constant->real = (double)decimal_to_float(constant->decimal.data,
                                                      constant->decimal.length);
            constant->decimal.data = NULL;
            break;
        } else {
            break;
        }
    }
    if (u > 1 || l > (real ? 1u : 2u) || (real && l && value->strict))
        return constant_expected(value, "a number without that suffix");
    if (value->at < value->end && (char_is(*value->at, CH_NAME) && *value->at != '-'))
        return constant_expected(value, "the end of a number");
    return true;
}

bool constant_number(value_parser *value, ps_constant *constant)
{
    const char *start = value->at, *p = start, *end = value->end;
    unsigned base = 10;
    if (end - p > 2 && p[0] == '0' && ((p[1] | 0x20) == 'x' || (p[1] | 0x20) == 'b')) {
        base = (p[1] | 0x20) == 'x' ? 16 : 2;
        if (value->strict) {
            value_problem(value, PS_ERROR, start, "%.*s is not decimal", VALUE_SHOWN(value, start));
            return false;
        }
        p += 2;
    }
    const char *digits = p;
    while (p < end && is_digit(*p, base))
        p++;
    bool real = false, any = p > digits;
    if (base == 10) {
        if (p < end && *p == '.') {
            const char *fraction = ++p;
            while (p < end && is_digit(*p, 10))
                p++;
            any |= p > fraction;
            real = true;
        }
        if (any && p < end && (*p | 0x20) == 'e') {
            const char *exponent = p + 1;
            exponent += exponent < end && (*exponent == '-' || *exponent == '+');
            p = exponent;
            while (p < end && is_digit(*p, 10))
                p++;
            any = p > exponent;
            real = true;
        }
    }
    if (!any)
        return constant_expected(value, "a number");
    value->at = p;
    constant->kind = real ? CONSTANT_REAL : CONSTANT_INTEGER;
    if (base == 10)
        constant->decimal = (ps_text){digits, (size_t)(p - digits)};
    if (real)
        return suffix(value, true, constant);
    uint64_t magnitude = 0;
    if (!value_integer(digits, p, base, &magnitude)) {
        value_problem(value, PS_ERROR, start, "%.*s does not fit 64 bits", VALUE_SHOWN(value, start));
        return false;
    }
    constant->integer = (ps_int128)magnitude;
    if (!suffix(value, false, constant))
        return false;
    if (base == 10 && p - digits > 1 && *digits == '0' && magnitude > 7)
        return value_problem(value, PS_WARNING, start,
                             "%.*s is read as decimal, although C++ would take it as octal",
                             VALUE_SHOWN(value, start));
    return true;
}

bool constant_character(value_parser *value, char *out)
{
    static const char names[] = "abfnrtv0\\'\"?", meanings[] = "\a\b\f\n\r\t\v\0\\'\"?";
    if (value->at == value->end)
        return constant_expected(value, "a closing quote");
    *out = *value->at++;
    if (*out != '\\')
        return true;
    if (value->at < value->end && *value->at == 'x') {
        unsigned code = 0, count = 0;
        for (value->at++; value->at < value->end && is_digit(*value->at, 16) && count < 2; count++) {
            char c = *value->at++;
            code = code * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        *out = (char)code;
        return count > 0 || constant_expected(value, "a hexadecimal digit");
    }
    const char *name = value->at < value->end && *value->at ? strchr(names, *value->at) : NULL;
    if (!name)
        return constant_expected(value, "a known escape");
    *out = meanings[name - names];
    value->at++;
    return true;
}

bool constant_quoted(value_parser *value, ps_constant *constant)
{
    char byte;
    value->at++;
    if (!constant_character(value, &byte))
        return false;
    if (!constant_at(value, '\''))
        return constant_expected(value, "a closing quote");
    value->at++;
    constant->kind = CONSTANT_INTEGER;
    constant->integer = (signed char)byte;
    return true;
}
