/* Initialisers of v2 and v3: the inside of a JSON object.

   A member that is not named keeps its default.  An array is a list, which may be
   short, or an object whose keys are indices.  Naming an alternative of a union
   sets its tag.  A char array may be a string. */
#include "chars.h"
#include "value.h"

static bool read_value(value_parser *value, const ps_node *node, char *base);

static void skip_space(value_parser *value)
{
    while (value->at < value->end && char_is(*value->at, CH_SPACE))
        value->at++;
}

static bool malformed(value_parser *value, const char *expected)
{
    if (value->at == value->end)
        value_problem(value, PS_ERROR, value->at, "the text ends where %s was expected", expected);
    else
        value_problem(value, PS_ERROR, value->at, "expected %s, not '%.*s'", expected,
                      VALUE_SHOWN(value, value->at));
    return false;
}

static bool accept(value_parser *value, char c)
{
    if (value->at == value->end || *value->at != c)
        return false;
    value->at++;
    return true;
}

/* After an element: 1 for another, 0 at `close` (or the end of the text when it is 0), -1
   when malformed. */
static int separator(value_parser *value, char close)
{
    skip_space(value);
    if (close ? accept(value, close) : value->at == value->end)
        return 0;
    if (!accept(value, ',')) {
        malformed(value, close == ']' ? "',' or ']'" : close ? "',' or '}'" : "','");
        return -1;
    }
    skip_space(value);
    if (value->at == value->end || *value->at == '}' || *value->at == ']') {
        value_problem(value, PS_ERROR, value->at, "nothing follows the last comma: remove it");
        return -1;
    }
    return 1;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool hex4(const char *p, const char *end, uint32_t *code)
{
    if (end - p < 4)
        return false;
    *code = 0;
    for (int i = 0; i < 4; i++) {
        if (hex_digit(p[i]) < 0)
            return false;
        *code = *code << 4 | (uint32_t)hex_digit(p[i]);
    }
    return true;
}

/* Read the string at the cursor, which is '"'.  What fits in `room` bytes goes to `out`;
   `*length` is what the whole needs. */
static bool read_string(value_parser *value, char *out, size_t room, size_t *length)
{
    const char *start = value->at++;
    *length = 0;
    while (value->at < value->end && *value->at != '"') {
        char bytes[4];
        int size = 1;
        bytes[0] = *value->at++;
        if (bytes[0] == '\\') {
            static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
            const char *name;
            uint32_t code, low;
            if (value->at < value->end && *value->at == 'u' &&
                hex4(value->at + 1, value->end, &code)) {
                value->at += 5;
                if (code >= 0xd800 && code < 0xdc00 && value->end - value->at >= 6 &&
                    value->at[0] == '\\' && value->at[1] == 'u' &&
                    hex4(value->at + 2, value->end, &low) && low >= 0xdc00 && low < 0xe000) {
                    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    value->at += 6;
                }
                size = utf8_encode(code, bytes);
            } else if (value->at < value->end && *value->at &&
                       (name = strchr(names, *value->at)) != NULL) {
                bytes[0] = meanings[name - names];
                value->at++;
            } else {
                value_problem(value, PS_ERROR, value->at - 1, "malformed escape in a string");
                return false;
            }
        }
        if (*length + (size_t)size <= room)
            memcpy(out + *length, bytes, (size_t)size);
        *length += (size_t)size;
    }
    if (accept(value, '"'))
        return true;
    value_problem(value, PS_ERROR, start, "the string is not closed: '\"' is missing");
    return false;
}

/* ------------------------------------------------- values of unknown members */

/* Step over any value.  Brackets are matched by kind as deep as the stack goes. */
static bool skip_value(value_parser *value)
{
    char open[PS_MAX_NESTING];
    unsigned depth = 0;
    size_t length;
    const char *start = value->at;
    do {
        if (value->at == value->end)
            return malformed(value, "a value");
        char c = *value->at;
        if (c == '"') {
            if (!read_string(value, NULL, 0, &length))
                return false;
        } else if (c == '{' || c == '[') {
            if (depth == PS_MAX_NESTING) {
                value_problem(value, PS_ERROR, value->at, "values are nested more than %d deep",
                              PS_MAX_NESTING);
                return false;
            }
            open[depth++] = c == '{' ? '}' : ']';
            value->at++;
        } else if (c == '}' || c == ']') {
            if (!depth || open[depth - 1] != c)
                return malformed(value, "a value");
            depth--;
            value->at++;
        } else if (depth && (char_is(c, CH_SPACE) || c == ',' || c == ':')) {
            value->at++;
        } else {
            const char *word = value->at;
            while (value->at < value->end &&
                   (char_is(*value->at, CH_NAME) || *value->at == '+') && *value->at != ':')
                value->at++;
            if (value->at == word)
                return malformed(value, "a value");
        }
    } while (depth || value->at == start);
    return true;
}

/* --------------------------------------------------------------- scalars */

static bool wrong_kind(value_parser *value, const ps_node *node, const char *at)
{
    return value_problem(value, PS_ERROR, at, "%.*s is not %s, as %s needs", VALUE_SHOWN(value, at),
                         ps_types[node->ctype].real ? "a number"
                         : node->ctype == T_BOOL    ? "true or false"
                                                    : "an integer",
                         ps_types[node->ctype].name);
}

static const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* A number as JSON writes it. */
static bool read_number(value_parser *value, const ps_node *node, char *out)
{
    const char *at = value->at, *p = at + (*at == '-'), *start = p, *end = value->end;
    ps_constant constant = {.negative = p != at};
    p = digits(p, end);
    const char *whole = p;
    if (p < end && *p == '.') {
        const char *fraction = p + 1;
        p = digits(fraction, end);
        if (p == fraction)
            return malformed(value, "a number with digits after its point");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        const char *exponent = p + 1;
        exponent += exponent < end && (*exponent == '-' || *exponent == '+');
        p = digits(exponent, end);
        if (p == exponent)
            return malformed(value, "a number with digits in its exponent");
    }
    if ((p < end && (char_is(*p, CH_NAME) || *p == '+')) || (whole - start > 1 && *start == '0'))
        return malformed(value, "a decimal number");
    if (p == whole) {
        uint64_t magnitude;
        if (value_integer(start, whole, 10, &magnitude)) {
            constant.integer = constant.negative ? -(ps_int128)magnitude : (ps_int128)magnitude;
        } else if (!ps_types[node->ctype].real) {
            value->at = p;
            return value_problem(value, PS_ERROR, at, "%.*s does not fit %s", VALUE_SHOWN(value, at),
                                 ps_types[node->ctype].name);
        }
    } else {
        constant.kind = CONSTANT_REAL;
    }
    if (ps_types[node->ctype].real)
        constant.decimal = (ps_text){start, (size_t)(p - start)};
    value->at = p;
    return value_store(value, node, out, at, &constant, PS_JSON);
}

static bool read_word(value_parser *value, const ps_node *node, char *out)
{
    static const struct {
        const char *name;
        double real;
    } specials[] = {{"NaN", __builtin_nan("")},       {"nan", __builtin_nan("")},
                    {"Infinity", __builtin_inf()},    {"inf", __builtin_inf()},
                    {"-Infinity", -__builtin_inf()},  {"-inf", -__builtin_inf()},
                    {"-NaN", -__builtin_nan("")},     {"-nan", -__builtin_nan("")}};
    const char *at = value->at;
    value->at += *at == '-';
    while (value->at < value->end && char_is(*value->at, CH_NAME) && *value->at != ':')
        value->at++;
    ps_text word = {at, (size_t)(value->at - at)};
    if (!word.length || (word.length == 1 && *at == '-')) {
        value->at = at;
        return malformed(value, "a value");
    }
    if (node->ctype == T_BOOL && (TEXT_IS(word, "true") || TEXT_IS(word, "false"))) {
        *out = *at == 't';
        return true;
    }
    for (size_t i = 0; ps_types[node->ctype].real && i < sizeof specials / sizeof *specials; i++) {
        if (!text_is(word, specials[i].name, strlen(specials[i].name)))
            continue;
        if (value->strict)
            return value_problem(value, PS_ERROR, at, "%.*s is not a number of JSON",
                                 (int)word.length, at);
        write_real((ps_ctype)node->ctype, specials[i].real, out);
        return true;
    }
    return wrong_kind(value, node, at);
}

static bool read_scalar(value_parser *value, const ps_node *node, char *out)
{
    const char *at = value->at, c = *at;
    size_t length;
    if ((c >= '0' && c <= '9') ||
        (c == '-' && at + 1 < value->end && at[1] >= '0' && at[1] <= '9'))
        return read_number(value, node, out);
    if (c == '"') {
        char byte = 0;
        if (!read_string(value, &byte, 1, &length))
            return false;
        if (node->ctype != T_CHAR || length != 1)
            return wrong_kind(value, node, at);
        *out = byte;
        return true;
    }
    if (c == '{' || c == '[') {
        if (!skip_value(value))
            return false;
        return value_problem(value, PS_ERROR, at, "expected one %s, not a list or an object",
                             ps_types[node->ctype].name);
    }
    return read_word(value, node, out);
}

/* ---------------------------------------------------------------- arrays */

static bool too_long(value_parser *value, const ps_node *node, const char *at)
{
    value_problem(value, PS_ERROR, at, "the array has %llu elements and more are given",
                  (unsigned long long)node->length);
    return false;
}

static bool read_list(value_parser *value, const ps_node *node, char *base)
{
    const ps_node *element = value_child(value, node, 0);
    value->at++;
    skip_space(value);
    if (accept(value, ']'))
        return true;
    for (uint64_t i = 0;; i++) {
        if (i == node->length)
            return too_long(value, node, value->at);
        value_push_element(value, i);
        if (!read_value(value, element, base + i * node->stride))
            return false;
        value_pop(value);
        int more = separator(value, ']');
        if (more <= 0)
            return more == 0;
    }
}

static bool read_chars(value_parser *value, const ps_node *node, char *base)
{
    const char *at = value->at;
    size_t length;
    if (!read_string(value, base, node->length, &length))
        return false;
    if (length > node->length)
        return value_problem(value, PS_ERROR, at, "the string has %zu bytes, the array %llu", length,
                             (unsigned long long)node->length);
    memset(base + length, 0, node->length - length);
    return true;
}

/* --------------------------------------------------------------- objects */

static const ps_node *find_member(value_parser *value, const ps_node *node, ps_text name,
                                  uint32_t *next)
{
    /* Members mostly come in order, so look first at the one after the last. */
    const ps_node *member = NULL;
    if (node->count && text_is(name, value_name(value, value_child(value, node, *next)).data,
                               value_child(value, node, *next)->name_length)) {
        member = value_child(value, node, *next);
    } else if (node->count > PS_WIDE_STRUCT) {
        member = layout_member(value->layout, node, name.data, name.length);
    } else {
        for (uint32_t i = 0; i < node->count && !member; i++) {
            const ps_node *child = value_child(value, node, i);
            if (text_is(name, value_name(value, child).data, child->name_length))
                member = child;
        }
    }
    if (member) {
        uint32_t index = (uint32_t)(member - value_child(value, node, 0)) + 1;
        *next = index < node->count ? index : 0;
    }
    return member;
}

/* Read `"name":`; the name goes to `buffer` when it has escapes. */
static bool read_key(value_parser *value, ps_text *name, char *buffer, size_t room)
{
    const char *start = value->at;
    size_t length;
    if (start == value->end || *start != '"')
        return malformed(value, "a member's name in quotes");
    if (!read_string(value, buffer, room, &length))
        return false;
    *name = (ps_text){buffer, length};
    if (length > room || !memchr(start, '\\', (size_t)(value->at - start)))
        *name = (ps_text){start + 1, (size_t)(value->at - start - 2)};
    skip_space(value);
    if (!accept(value, ':'))
        return malformed(value, "':' after a member's name");
    skip_space(value);
    return true;
}

static bool read_element_of(value_parser *value, const ps_node *node, char *base, ps_text name,
                            const char *at)
{
    uint64_t index = 0;
    const char *end = name.data + name.length;
    if (!name.length || digits(name.data, end) != end)
        return value_problem(value, PS_ERROR, at, "'%.*s' is not the index of an element",
                             (int)(name.length < 40 ? name.length : 40), name.data) &&
               skip_value(value);
    if (!value_integer(name.data, end, 10, &index) || index >= node->length)
        return value_problem(value, PS_ERROR, at, "index %.*s is not below the array's length %llu",
                             (int)(name.length < 40 ? name.length : 40), name.data,
                             (unsigned long long)node->length) &&
               skip_value(value);
    value_push_element(value, index);
    bool go_on = read_value(value, value_child(value, node, 0), base + index * node->stride);
    if (go_on)
        value_pop(value);
    return go_on;
}

static bool read_member_of(value_parser *value, const ps_node *node, char *base, ps_text name,
                           const char *at, uint32_t *next, uint32_t serial)
{
    const ps_node *member = find_member(value, node, name, next);
    if (!member)
        return value_problem(value, VALUE_LENIENCE(value), at, "there is no member \"%.*s\"%s",
                             (int)utf8_whole(name.data, name.length < 60 ? name.length : 60),
                             name.data, value->strict ? "" : "; it is ignored") &&
               skip_value(value);
    value_push_member(value, member);
    uint32_t *seen = &value->seen[member - value->layout->nodes];
    if (*seen == serial && !value_problem(value, VALUE_LENIENCE(value), at, "given twice%s",
                                          value->strict ? "" : "; the last one counts"))
        return false;
    *seen = serial;
    if (node->kind == PS_UNION)
        base[node->length] = (char)(member - value_child(value, node, 0));
    if (!read_value(value, member, base + member->offset))
        return false;
    value_pop(value);
    return true;
}

/* Members up to `close`, or to the end of the text when it is 0. */
static bool read_members(value_parser *value, const ps_node *node, char *base, char close)
{
    uint32_t next = 0, serial = ++value->serial;
    skip_space(value);
    if (close ? accept(value, close) : value->at == value->end)
        return true;
    for (;;) {
        char buffer[256];
        ps_text name = {NULL, 0};
        const char *at = value->at;
        if (!read_key(value, &name, buffer, sizeof buffer))
            return false;
        if (!(node->kind == PS_ARRAY ? read_element_of(value, node, base, name, at)
                                     : read_member_of(value, node, base, name, at, &next, serial)))
            return false;
        int more = separator(value, close);
        if (more <= 0)
            return more == 0;
    }
}

static bool read_value(value_parser *value, const ps_node *node, char *base)
{
    if (value->at == value->end)
        return malformed(value, "a value");
    const char *at = value->at;
    if (node->kind == PS_SCALAR)
        return read_scalar(value, node, base);
    if (*at == '{') {
        value->at++;
        return read_members(value, node, base, '}');
    }
    if (node->kind == PS_ARRAY) {
        if (*at == '[')
            return read_list(value, node, base);
        if (*at == '"' && value_is_string(value, node))
            return read_chars(value, node, base);
        return malformed(value, "a list '[...]' or an object '{\"index\": ...}'");
    }
    return malformed(value, "an object '{...}'");
}

bool value_json(value_parser *value)
{
    const ps_node *root = value->layout->nodes;
    skip_space(value);
    if (value->at == value->end)
        return true;
    if (root->kind == PS_SCALAR || *value->at == '[' ||
        (*value->at == '"' && value_is_string(value, root) && !memchr(value->at, ':', (size_t)(value->end - value->at)))) {
        if (!read_value(value, root, value->row))
            return false;
    } else if (*value->at == '{') {
        if (value->strict &&
            !value_problem(value, PS_ERROR, value->at, "the text is the inside of an object: remove the outer braces"))
            return false;
        value->at++;
        if (!read_members(value, root, value->row, '}'))
            return false;
    } else {
        return read_members(value, root, value->row, 0);
    }
    skip_space(value);
    if (value->at < value->end)
        return malformed(value, "nothing after the value");
    return true;
}
