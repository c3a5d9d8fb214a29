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

#endif
