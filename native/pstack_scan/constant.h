/* Numbers and constant expressions of C++, as the braces syntax has them. */
#ifndef PSTACK_CONSTANT_H
#define PSTACK_CONSTANT_H

#include "value.h"

/* Skip white space and comments. */
void constant_trivia(value_parser *value);
/* Read an expression at the cursor.  Strict reading allows only a signed decimal
   number, its integer suffixes u and l included.  False after reporting an error. */
bool constant_read(value_parser *value, ps_constant *constant);
/* "expected ..." at the cursor; false. */
bool constant_expected(value_parser *value, const char *expected);
/* The byte of a character, escapes decoded, at the cursor inside quotes. */
bool constant_character(value_parser *value, char *out);

/* What the parts of the parser share. */

static inline bool constant_at(const value_parser *value, char c)
{
    return value->at < value->end && *value->at == c;
}

/* Read a number; a character in quotes. */
bool constant_number(value_parser *value, ps_constant *constant);
bool constant_quoted(value_parser *value, ps_constant *constant);
/* Letters, digits and '_' at the cursor. */
ps_text constant_word(value_parser *value);
/* Read the name of an arithmetic type, `unsigned long long` and the like included.  The
   cursor does not move when there is none. */
bool constant_type(value_parser *value, ps_ctype *type);
/* Convert as a cast at `at` does. */
bool constant_convert(value_parser *value, const char *at, ps_ctype type, ps_constant *constant);
/* A lone literal takes part in an expression: give it its value. */
void constant_settle(ps_constant *constant);

#endif
