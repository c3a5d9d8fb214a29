/* Constant expressions, by recursive descent. */
#include "constant.h"

#include "chars.h"

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

static bool parenthesised(value_parser *value, ps_constant *constant, unsigned depth)
{
    constant_trivia(value);
    if (!constant_at(value, '('))
        return constant_expected(value, "'('");
    value->at++;
    if (!expression(value, constant, depth + 1))
        return false;
    constant_trivia(value);
    if (!constant_at(value, ')'))
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
    if (constant_type(value, &type))
        return parenthesised(value, constant, depth) && constant_convert(value, start, type, constant);
    ps_text name = constant_word(value);
    if (TEXT_IS(name, "static_cast")) {
        constant_trivia(value);
        if (!constant_at(value, '<'))
            return constant_expected(value, "'<'");
        value->at++;
        constant_trivia(value);
        if (!constant_type(value, &type))
            return constant_expected(value, "the name of an arithmetic type");
        constant_trivia(value);
        if (!constant_at(value, '>'))
            return constant_expected(value, "'>'");
        value->at++;
        return parenthesised(value, constant, depth) && constant_convert(value, start, type, constant);
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
        return constant_number(value, constant);
    if (value->strict)
        return constant_expected(value, "a decimal number");
    if (c == '\'')
        return constant_quoted(value, constant);
    if (c != '(')
        return named(value, constant, depth);
    /* A cast in the manner of C, or parentheses. */
    ps_ctype type = T_INT32;
    value->at++;
    constant_trivia(value);
    if (constant_type(value, &type)) {
        constant_trivia(value);
        if (constant_at(value, ')')) {
            value->at++;
            if (depth == MAX_PARENTHESES)
                return constant_expected(value, "an expression that is less deep");
            return factor(value, constant, depth + 1) && constant_convert(value, start, type, constant);
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
        if (!(constant_at(value, '-') || constant_at(value, '+')) || (any && value->strict))
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
    constant_settle(left);
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
        if (value->strict || !(constant_at(value, '*') || constant_at(value, '/')))
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
        if (value->strict || !(constant_at(value, '+') || constant_at(value, '-')))
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
