/* Character classes of XML 1.0 and UTF-8 decoding. */
#ifndef PSTACK_CHARS_H
#define PSTACK_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CH_NAME_START = 1,
    CH_NAME = 2,
    CH_SPACE = 4,
    CH_LEGAL = 8,  /* may stand in a document */
    CH_TEXT = 16,  /* needs no attention in text: not & ] < CR, not a control, ASCII */
    CH_VALUE = 32, /* needs no attention in an attribute's value */
};

extern const uint8_t ps_class[256];

static inline bool char_is(char c, int classes)
{
    return ps_class[(uint8_t)c] & classes;
}

/* Decode the non-ASCII character at `p`.  Returns its length, 0 when `end` cuts
   it short, -1 when it is not UTF-8 or not a character that XML allows. */
int utf8_decode(const char *p, const char *end, uint32_t *code);

/* Write `code` at `out` (room for 4 bytes) and return the length. */
int utf8_encode(uint32_t code, char *out);

/* May this code point stand in a document (production Char)? */
bool xml_is_char(uint32_t code);
/* Productions NameStartChar and NameChar for code points above ASCII. */
bool xml_is_name_start(uint32_t code);
bool xml_is_name(uint32_t code);

/* `length` without the bytes of a character cut at the end. */
size_t utf8_whole(const char *text, size_t length);

#endif
