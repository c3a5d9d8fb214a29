/* C scalar types: their ranges, and exact conversion of decimal text. */
#ifndef PSTACK_NUMBER_H
#define PSTACK_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "rows are little endian, and are written in the machine's own byte order"
#endif

__extension__ typedef __int128 ps_int128;

/* The order is part of the interface with Python. */
typedef enum {
    T_INT8, T_UINT8, T_INT16, T_UINT16, T_INT32, T_UINT32, T_INT64, T_UINT64,
    T_FLOAT, T_DOUBLE, T_HALF, T_CHAR, T_BOOL, T_COUNT
} ps_ctype;

typedef struct {
    const char *name;
    unsigned size;
    bool real;
    int64_t least;     /* integers only */
    uint64_t greatest;
} ps_type_facts;

extern const ps_type_facts ps_types[T_COUNT];

/* Convert text that is a decimal number: digits with an optional point and exponent,
   no sign.  Correctly rounded, whatever the locale; infinity beyond the range. */
double decimal_to_double(const char *text, size_t length);
float decimal_to_float(const char *text, size_t length);

/* IEEE 754 binary16, to nearest even. */
uint16_t double_to_half(double value);

/* Write at `out`; the value is in range. */
void write_integer(ps_ctype type, ps_int128 value, char *out);
/* Round `value` to a floating type and write it. */
void write_real(ps_ctype type, double value, char *out);

/* Decimal text of an integer; `out` has room for 48 bytes. */
const char *integer_text(ps_int128 value, char *out);

#endif
