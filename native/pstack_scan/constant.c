#include "constant.h"

#include "chars.h"

#include <math.h>

enum { MAX_PARENTHESES = 64 };

static bool expression(value_parser *value, ps_constant *constant, unsigned depth);
static bool factor(value_parser *value, ps_constant *constant, unsigned depth);

void constant_trivia(value_parser *value)
{
    const char *p = value->at, *end = value->end;
    for (;;) {
        while (p < end && char_is(*p, CH_SPACE))
            p++;
        if (end - p < 2 || p[0] != '/' || (p[1] != '/' && p[1] != '*'))
            break;
        if (p[1] == '/') {
            p = memchr(p, '\n', (size_t)(end - p));
            if (!p)
                p = end;
            continue;
        }
        const char *close = p + 2;
        while (close < end && !(close[0] == '*' && close + 1 < end && close[1] == '/'))
            close++;
        if (close == end)
            break; /* an open comment: left for the caller to stumble over */
        p = close + 2;
    }
    value->at = p;
}

bool constant_expected(value_parser *value, const char *expected)
{
    if (value->at == value->end)
        value_problem(value, PS_ERROR, value->at, "the text ends where %s was expected", expected);
    else
        value_problem(value, PS_ERROR, value->at, "expected %s, not '%.*s'", expected,
                      VALUE_SHOWN(value, value->at));
    return false;
}

static bool at_char(const value_parser *value, char c)
{
    return value->at < value->end && *value->at == c;
}

static bool is_digit(char c, unsigned base)
{
    if (base == 16)
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
    return c >= '0' && c < (char)('0' + base);
}

/* A lone literal takes part in an expression. */
static void settle(ps_constant *constant)
{
    if (constant->kind == CONSTANT_REAL)
        constant->real = value_real(constant);
    constant->decimal.data = NULL;
}

/* ---------------------------------------------------------------- literals */

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

static bool number(value_parser *value, ps_constant *constant)
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

static bool character(value_parser *value, ps_constant *constant)
{
    char byte;
    value->at++;
    if (!constant_character(value, &byte))
        return false;
    if (!at_char(value, '\''))
        return constant_expected(value, "a closing quote");
    value->at++;
    constant->kind = CONSTANT_INTEGER;
    constant->integer = (signed char)byte;
    return true;
}

/* ------------------------------------------------------------------- casts */

static ps_text word(value_parser *value)
{
    const char *start = value->at;
    while (value->at < value->end &&
           (char_is(*value->at, CH_NAME) && !memchr("-.:", *value->at, 3)))
        value->at++;
    return (ps_text){start, (size_t)(value->at - start)};
}

/* Read the name of an arithmetic type, `unsigned long long` and the like included.  The
   cursor does not move when there is none. */
static bool type_name(value_parser *value, ps_ctype *type)
{
    unsigned longs = 0, count = 0;
    bool is_unsigned = false, is_signed = false, is_short = false, is_char = false;
    bool is_float = false, is_double = false, is_bool = false, fixed = false;
    const char *start = value->at, *after = start;
    ps_text std = word(value);
    if (!(TEXT_IS(std, "std") || !std.length) || value->end - value->at < 2 ||
        memcmp(value->at, "::", 2) != 0)
        value->at = start;
    else
        value->at += 2;
    for (;; count++) {
        constant_trivia(value);
        ps_text name = word(value);
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

static bool convert(value_parser *value, const char *at, ps_ctype type, ps_constant *constant)
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
    settle(constant);
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

/* -------------------------------------------------------------- expressions */

static bool parenthesised(value_parser *value, ps_constant *constant, unsigned depth)
{
    constant_trivia(value);
    if (!at_char(value, '('))
        return constant_expected(value, "'('");
    value->at++;
    if (!expression(value, constant, depth + 1))
        return false;
    constant_trivia(value);
    if (!at_char(value, ')'))
        return constant_expected(value, "')'");
    value->at++;
    return true;
}

static bool named(value_parser *value, ps_constant *constant, unsigned depth)
{
    static const struct {
        const char *name;
        double real;
    } reals[] = {{"nan", __builtin_nan("")},      {"NaN", __builtin_nan("")},
                 {"NAN", __builtin_nan("")},      {"inf", __builtin_inf()},
                 {"Inf", __builtin_inf()},        {"infinity", __builtin_inf()},
                 {"Infinity", __builtin_inf()},   {"INFINITY", __builtin_inf()},
                 {"FLT_MAX", 0x1.fffffep127},     {"FLT_MIN", 0x1p-126},
                 {"FLT_EPSILON", 0x1p-23},        {"DBL_MAX", 0x1.fffffffffffffp1023},
                 {"DBL_MIN", 0x1p-1022},          {"DBL_EPSILON", 0x1p-52}};
    static const struct {
        const char *name;
        uint64_t integer;
        bool negative;
    } integers[] = {{"true", 1, false},
                    {"false", 0, false},
                    {"INT8_MAX", INT8_MAX, false},
                    {"INT8_MIN", (uint64_t)INT8_MAX + 1, true},
                    {"UINT8_MAX", UINT8_MAX, false},
                    {"INT16_MAX", INT16_MAX, false},
                    {"INT16_MIN", (uint64_t)INT16_MAX + 1, true},
                    {"UINT16_MAX", UINT16_MAX, false},
                    {"INT32_MAX", INT32_MAX, false},
                    {"INT32_MIN", (uint64_t)INT32_MAX + 1, true},
                    {"UINT32_MAX", UINT32_MAX, false},
                    {"INT_MAX", INT32_MAX, false},
                    {"INT_MIN", (uint64_t)INT32_MAX + 1, true},
                    {"UINT_MAX", UINT32_MAX, false},
                    {"INT64_MAX", INT64_MAX, false},
                    {"INT64_MIN", (uint64_t)INT64_MAX + 1, true},
                    {"UINT64_MAX", UINT64_MAX, false}};
    const char *start = value->at;
    ps_ctype type = T_INT32;
    if (type_name(value, &type))
        return parenthesised(value, constant, depth) && convert(value, start, type, constant);
    ps_text name = word(value);
    if (TEXT_IS(name, "static_cast")) {
        constant_trivia(value);
        if (!at_char(value, '<'))
            return constant_expected(value, "'<'");
        value->at++;
        constant_trivia(value);
        if (!type_name(value, &type))
            return constant_expected(value, "the name of an arithmetic type");
        constant_trivia(value);
        if (!at_char(value, '>'))
            return constant_expected(value, "'>'");
        value->at++;
        return parenthesised(value, constant, depth) && convert(value, start, type, constant);
    }
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        if (text_is(name, reals[i].name, strlen(reals[i].name))) {
            constant->kind = CONSTANT_REAL;
            constant->real = reals[i].real;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        if (text_is(name, integers[i].name, strlen(integers[i].name))) {
            constant->integer = integers[i].negative ? -(ps_int128)integers[i].integer
                                                     : (ps_int128)integers[i].integer;
            return true;
        }
    }
    value->at = start;
    return constant_expected(value, "a constant");
}

static bool primary(value_parser *value, ps_constant *constant, unsigned depth)
{
    constant_trivia(value);
    if (value->at == value->end)
        return constant_expected(value, "a number");
    const char *start = value->at, c = *start;
    if ((c >= '0' && c <= '9') || c == '.')
        return number(value, constant);
    if (value->strict)
        return constant_expected(value, "a decimal number");
    if (c == '\'')
        return character(value, constant);
    if (c != '(')
        return named(value, constant, depth);
    /* A cast in the manner of C, or parentheses. */
    ps_ctype type = T_INT32;
    value->at++;
    constant_trivia(value);
    if (type_name(value, &type)) {
        constant_trivia(value);
        if (at_char(value, ')')) {
            value->at++;
            if (depth == MAX_PARENTHESES)
                return constant_expected(value, "an expression that is less deep");
            return factor(value, constant, depth + 1) && convert(value, start, type, constant);
        }
    }
    value->at = start;
    return parenthesised(value, constant, depth);
}

/* Read signs; is there an odd number of minuses? */
static bool signs(value_parser *value)
{
    bool minus = false, any = false;
    for (;; value->at++, any = true) {
        constant_trivia(value);
        if (!(at_char(value, '-') || at_char(value, '+')) || (any && value->strict))
            break;
        minus ^= *value->at == '-';
    }
    return minus;
}

static bool factor(value_parser *value, ps_constant *constant, unsigned depth)
{
    memset(constant, 0, sizeof *constant);
    bool minus = signs(value);
    if (!primary(value, constant, depth))
        return false;
    if (minus) {
        constant->integer = -constant->integer;
        constant->real = -constant->real;
        constant->negative = !constant->negative;
    }
    return true;
}

static bool combine(value_parser *value, const char *at, char operator, ps_constant *left,
                    const ps_constant *right)
{
    settle(left);
    left->cast |= right->cast;
    if (left->kind == CONSTANT_INTEGER && right->kind == CONSTANT_INTEGER) {
        bool overflow = false;
        if (operator == '/') {
            if (right->integer == 0) {
                value_problem(value, PS_ERROR, at, "division by zero");
                return false;
            }
            left->integer /= right->integer;
        } else if (operator == '*') {
            overflow = __builtin_mul_overflow(left->integer, right->integer, &left->integer);
        } else if (operator == '+') {
            left->integer += right->integer;
        } else {
            left->integer -= right->integer;
        }
        const ps_int128 limit = (ps_int128)1 << 64;
        if (overflow || left->integer > limit || left->integer < -limit) {
            value_problem(value, PS_ERROR, at, "the result does not fit 64 bits");
            return false;
        }
        return true;
    }
    double a = value_real(left), b = value_real(right);
    left->kind = CONSTANT_REAL;
    left->real = operator == '*' ? a * b : operator == '/' ? a / b : operator == '+' ? a + b : a - b;
    return true;
}

static bool term(value_parser *value, ps_constant *constant, unsigned depth)
{
    if (!factor(value, constant, depth))
        return false;
    for (;;) {
        constant_trivia(value);
        if (value->strict || !(at_char(value, '*') || at_char(value, '/')))
            return true;
        const char *at = value->at++;
        ps_constant right;
        if (!factor(value, &right, depth) || !combine(value, at, *at, constant, &right))
            return false;
    }
}

static bool expression(value_parser *value, ps_constant *constant, unsigned depth)
{
    if (depth == MAX_PARENTHESES)
        return constant_expected(value, "an expression that is less deep");
    if (!term(value, constant, depth))
        return false;
    for (;;) {
        constant_trivia(value);
        if (value->strict || !(at_char(value, '+') || at_char(value, '-')))
            return true;
        const char *at = value->at++;
        ps_constant right;
        if (!term(value, &right, depth) || !combine(value, at, *at, constant, &right))
            return false;
    }
}

bool constant_read(value_parser *value, ps_constant *constant)
{
    return expression(value, constant, 0);
}
