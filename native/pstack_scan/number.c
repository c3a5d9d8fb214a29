#define _GNU_SOURCE
#include "number.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

const ps_type_facts ps_types[T_COUNT] = {
    [T_INT8] = {"int8_t", 1, false, INT8_MIN, INT8_MAX},
    [T_UINT8] = {"uint8_t", 1, false, 0, UINT8_MAX},
    [T_INT16] = {"int16_t", 2, false, INT16_MIN, INT16_MAX},
    [T_UINT16] = {"uint16_t", 2, false, 0, UINT16_MAX},
    [T_INT32] = {"int32_t", 4, false, INT32_MIN, INT32_MAX},
    [T_UINT32] = {"uint32_t", 4, false, 0, UINT32_MAX},
    [T_INT64] = {"int64_t", 8, false, INT64_MIN, INT64_MAX},
    [T_UINT64] = {"uint64_t", 8, false, 0, UINT64_MAX},
    [T_FLOAT] = {"float", 4, true, 0, 0},
    [T_DOUBLE] = {"double", 8, true, 0, 0},
    [T_HALF] = {"half", 2, true, 0, 0},
    [T_CHAR] = {"char", 1, false, INT8_MIN, INT8_MAX},
    [T_BOOL] = {"bool", 1, false, 0, 1},
};

static locale_t c_locale;

/* Once, before threads can meet. */
__attribute__((constructor)) static void make_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* The general conversions need a terminated copy. */
static double slow_double(const char *text, size_t length, bool single)
{
    char small[128], *copy = length < sizeof small ? small : malloc(length + 1);
    if (!copy)
        return 0;
    memcpy(copy, text, length);
    copy[length] = 0;
    double value = single ? (double)strtof_l(copy, NULL, c_locale)
                          : strtod_l(copy, NULL, c_locale);
    if (copy != small)
        free(copy);
    return value;
}

/* Mantissa and power of ten when the number has at most 19 digits. */
static bool split(const char *text, size_t length, uint64_t *mantissa, int *power)
{
    const char *p = text, *end = text + length;
    unsigned digits = 0;
    bool point = false, negative = false;
    int exponent = 0;
    *mantissa = 0;
    *power = 0;
    for (; p < end; p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (*p < '0' || *p > '9')
            break;
        if (++digits > 19)
            return false;
        *mantissa = *mantissa * 10 + (uint64_t)(*p - '0');
        *power -= point;
    }
    if (p < end) { /* e or E */
        if (++p < end && (*p == '-' || *p == '+'))
            negative = *p++ == '-';
        for (; p < end; p++) {
            if (exponent > 9999)
                return false;
            exponent = exponent * 10 + (*p - '0');
        }
    }
    *power += negative ? -exponent : exponent;
    return true;
}

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double decimal_to_double(const char *text, size_t length)
{
    uint64_t mantissa;
    int power;
    /* Both numbers are exact, so one operation rounds once. */
    if (split(text, length, &mantissa, &power) && mantissa <= (uint64_t)1 << 53 &&
        power >= -22 && power <= 22)
        return power < 0 ? (double)mantissa / powers[-power] : (double)mantissa * powers[power];
    return slow_double(text, length, false);
}

float decimal_to_float(const char *text, size_t length)
{
    double value = decimal_to_double(text, length);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    /* Rounding twice errs only where the double lies halfway between two floats,
       or where floats are subnormal and so have fewer bits. */
    bool halfway = (bits & 0x1fffffff) == 0x10000000;
    if (halfway || (value != 0 && value < 0x1p-126))
        return (float)slow_double(text, length, true);
    return (float)value;
}

uint16_t double_to_half(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    uint64_t mantissa = bits & 0xfffffffffffffu;
    if (exponent == 1024)
        return (uint16_t)(sign | 0x7c00 | (mantissa ? 0x200 : 0));
    if (exponent > 15)
        return (uint16_t)(sign | 0x7c00);
    if (exponent < -25)
        return sign;
    unsigned shift = 42;
    uint64_t half;
    if (exponent < -14) { /* subnormal */
        mantissa |= (uint64_t)1 << 52;
        shift += (unsigned)(-14 - exponent);
        half = 0;
    } else {
        half = (uint64_t)(exponent + 15) << 10;
    }
    uint64_t rest = mantissa & (((uint64_t)1 << shift) - 1), middle = (uint64_t)1 << (shift - 1);
    half += mantissa >> shift;
    half += rest > middle || (rest == middle && (half & 1)); /* a carry makes the next exponent */
    return (uint16_t)(sign | half);
}

void write_integer(ps_ctype type, ps_int128 value, char *out)
{
    uint64_t bits = (uint64_t)value;
    memcpy(out, &bits, ps_types[type].size);
}

void write_real(ps_ctype type, double value, char *out)
{
    if (type == T_DOUBLE) {
        memcpy(out, &value, sizeof value);
    } else if (type == T_FLOAT) {
        float single = (float)value;
        memcpy(out, &single, sizeof single);
    } else {
        uint16_t half = double_to_half(value);
        memcpy(out, &half, sizeof half);
    }
}

const char *integer_text(ps_int128 value, char *out)
{
    char *p = out + 47;
    __extension__ unsigned __int128 rest =
        value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    *p = 0;
    do
        *--p = (char)('0' + (int)(rest % 10));
    while (rest /= 10);
    if (value < 0)
        *--p = '-';
    return p;
}
