/* Initialisers of v4: lists in braces, as C++ would take them.

   Strict reading wants every member given, in decimal.  Lenient reading also takes
   short lists (the rest keeps its default, with a warning), a trailing comma, a
   lone number for a struct that begins with one, and constant expressions. */
#include "constant.h"

static bool read_value(value_parser *value, const ps_node *node, char *base);

static bool at_char(value_parser *value, char c)
{
    constant_trivia(value);
    return value->at < value->end && *value->at == c;
}

static bool accept(value_parser *value, char c)
{
    if (!at_char(value, c))
        return false;
    value->at++;
    return true;
}

static bool read_scalar(value_parser *value, const ps_node *node, char *base)
{
    ps_constant constant;
    /* C++ lets a scalar stand in braces of its own. */
    bool braces = !value->strict && accept(value, '{');
    if (braces && accept(value, '}'))
        return true;
    if (at_char(value, '{')) {
        value_problem(value, PS_ERROR, value->at, "expected one %s, not a list in braces",
                      ps_types[node->ctype].name);
        return false;
    }
    const char *at = value->at;
    if (!constant_read(value, &constant) ||
        !value_store(value, node, base, at, &constant, PS_BRACES))
        return false;
    return !braces || accept(value, '}') || constant_expected(value, "'}'");
}

static bool read_chars(value_parser *value, const ps_node *node, char *base)
{
    const char *at = value->at++;
    uint64_t length = 0;
    char byte;
    while (value->at < value->end && *value->at != '"') {
        if (!constant_character(value, &byte))
            return false;
        if (length < node->length)
            base[length] = byte;
        length++;
    }
    if (value->at == value->end)
        return constant_expected(value, "a closing quote");
    value->at++;
    if (length > node->length)
        return value_problem(value, PS_ERROR, at, "the string has %llu bytes, the array %llu",
                             (unsigned long long)length, (unsigned long long)node->length);
    memset(base + length, 0, node->length - length);
    return true;
}

/* How many values a list of this node holds, and where the i-th goes. */
static uint64_t slots(const ps_node *node)
{
    return node->kind == PS_ARRAY ? node->length : node->kind == PS_UNION ? 1 : node->count;
}

static bool read_slot(value_parser *value, const ps_node *node, char *base, uint64_t index)
{
    bool go_on;
    if (node->kind == PS_ARRAY) {
        value_push_element(value, index);
        go_on = read_value(value, value_child(value, node, 0), base + index * node->stride);
    } else {
        const ps_node *member = value_child(value, node, (uint32_t)index);
        value_push_member(value, member);
        if (node->kind == PS_UNION)
            base[node->length] = 0;
        go_on = read_value(value, member, base + member->offset);
    }
    if (go_on)
        value_pop(value);
    return go_on;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* A list ended after `given` values. */
static bool check_short(value_parser *value, const ps_node *node, const char *at, uint64_t given)
{
    uint64_t wanted = slots(node);
    if (given == wanted || (!given && !value->strict))
        return true;
    return value_problem(value, VALUE_LENIENCE(value), at, "%llu value%s given for %llu%s",
                         (unsigned long long)given, plural(given), (unsigned long long)wanted,
                         value->strict ? "" : "; the rest keeps its default");
}

static bool read_list(value_parser *value, const ps_node *node, char *base)
{
    const char *start = value->at++;
    uint64_t wanted = slots(node);
    if (accept(value, '}'))
        return check_short(value, node, start, 0);
    for (uint64_t i = 0;; i++) {
        if (i == wanted) {
            value_problem(value, PS_ERROR, value->at, "more than the %llu value%s that fit are given",
                          (unsigned long long)wanted, plural(wanted));
            return false;
        }
        if (!read_slot(value, node, base, i))
            return false;
        const char *at = value->at;
        if (accept(value, '}'))
            return check_short(value, node, at, i + 1);
        if (!accept(value, ','))
            return constant_expected(value, "',' or '}'");
        const char *comma = value->at - 1;
        if (at_char(value, '}')) {
            if (value->strict &&
                !value_problem(value, PS_ERROR, comma, "nothing follows the last comma: remove it"))
                return false;
            value->at++;
            return check_short(value, node, comma, i + 1);
        }
    }
}

static bool read_value(value_parser *value, const ps_node *node, char *base)
{
    constant_trivia(value);
    if (node->kind == PS_SCALAR)
        return read_scalar(value, node, base);
    if (at_char(value, '{')) {
        /* A string for a char array may stand in braces of its own. */
        const char *brace = value->at++;
        if (!value->strict && value_is_string(value, node) && at_char(value, '"')) {
            if (!read_chars(value, node, base))
                return false;
            return accept(value, '}') || constant_expected(value, "'}'");
        }
        value->at = brace;
        return read_list(value, node, base);
    }
    if (!value->strict && value_is_string(value, node) && at_char(value, '"'))
        return read_chars(value, node, base);
    return constant_expected(value, node->kind == PS_ARRAY ? "the array's list in braces"
                                                           : "the struct's list in braces");
}

/* A lone number for a struct that begins with a scalar. */
static bool read_lead(value_parser *value, const ps_node *root)
{
    const char *at = value->at;
    const ps_node *member = value_child(value, root, 0);
    value_push_member(value, member);
    if (!read_scalar(value, member, value->row + member->offset))
        return false;
    value_pop(value);
    return check_short(value, root, at, 1);
}

bool value_braces(value_parser *value)
{
    const ps_node *root = value->layout->nodes;
    constant_trivia(value);
    if (value->at == value->end)
        return true;
    bool lead = !value->strict && root->kind == PS_STRUCT && root->count &&
                value_child(value, root, 0)->kind == PS_SCALAR && *value->at != '{';
    if (!(lead ? read_lead(value, root) : read_value(value, root, value->row)))
        return false;
    constant_trivia(value);
    if (value->at < value->end)
        return constant_expected(value, "nothing after the value");
    return true;
}
