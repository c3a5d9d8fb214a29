#include "chars.h"

#define PLAIN (CH_LEGAL | CH_TEXT | CH_VALUE)

const uint8_t ps_class[256] = {
    ['\t'] = CH_SPACE | CH_LEGAL | CH_TEXT,
    ['\n'] = CH_SPACE | CH_LEGAL | CH_TEXT,
    ['\r'] = CH_SPACE | CH_LEGAL,
    [' '] = CH_SPACE | PLAIN,
    ['!'] = PLAIN,
    ['"'] = CH_LEGAL | CH_TEXT,
    ['#'] = PLAIN,
    ['$'] = PLAIN,
    ['%'] = PLAIN,
    ['&'] = CH_LEGAL,
    ['\''] = CH_LEGAL | CH_TEXT,
    ['('] = PLAIN,
    [')'] = PLAIN,
    ['*'] = PLAIN,
    ['+'] = PLAIN,
    [','] = PLAIN,
    ['-'] = PLAIN | CH_NAME,
    ['.'] = PLAIN | CH_NAME,
    ['/'] = PLAIN,
    ['0' ... '9'] = PLAIN | CH_NAME,
    [':'] = PLAIN | CH_NAME | CH_NAME_START,
    [';'] = PLAIN,
    ['<'] = CH_LEGAL,
    ['='] = PLAIN,
    ['>'] = PLAIN,
    ['?'] = PLAIN,
    ['@'] = PLAIN,
    ['A' ... 'Z'] = PLAIN | CH_NAME | CH_NAME_START,
    ['['] = PLAIN,
    ['\\'] = PLAIN,
    [']'] = CH_LEGAL | CH_VALUE,
    ['^'] = PLAIN,
    ['_'] = PLAIN | CH_NAME | CH_NAME_START,
    ['`'] = PLAIN,
    ['a' ... 'z'] = PLAIN | CH_NAME | CH_NAME_START,
    ['{' ... 0x7f] = PLAIN,
};

int utf8_decode(const char *text, const char *limit, uint32_t *code)
{
    const uint8_t *p = (const uint8_t *)text, *end = (const uint8_t *)limit;
    int length;
    uint32_t value, least;
    if (p[0] >= 0xc2 && p[0] < 0xe0) {
        length = 2, value = p[0] & 0x1f, least = 0x80;
    } else if (p[0] >= 0xe0 && p[0] < 0xf0) {
        length = 3, value = p[0] & 0x0f, least = 0x800;
    } else if (p[0] >= 0xf0 && p[0] < 0xf5) {
        length = 4, value = p[0] & 0x07, least = 0x10000;
    } else {
        return -1;
    }
    for (int i = 1; i < length; i++) {
        if (p + i == end)
            return 0;
        if ((p[i] & 0xc0) != 0x80)
            return -1;
        value = value << 6 | (p[i] & 0x3f);
    }
    if (value < least || !xml_is_char(value))
        return -1;
    *code = value;
    return length;
}

int utf8_encode(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

bool xml_is_char(uint32_t code)
{
    if (code < 0x20)
        return code == '\t' || code == '\n' || code == '\r';
    return code < 0xd800 || (code >= 0xe000 && code < 0xfffe) ||
           (code >= 0x10000 && code <= 0x10ffff);
}

static bool within(uint32_t code, const uint32_t (*ranges)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i][0] && code <= ranges[i][1])
            return true;
    return false;
}

bool xml_is_name_start(uint32_t code)
{
    static const uint32_t ranges[][2] = {
        {0xc0, 0xd6},     {0xd8, 0xf6},     {0xf8, 0x2ff},    {0x370, 0x37d},
        {0x37f, 0x1fff},  {0x200c, 0x200d}, {0x2070, 0x218f}, {0x2c00, 0x2fef},
        {0x3001, 0xd7ff}, {0xf900, 0xfdcf}, {0xfdf0, 0xfffd}, {0x10000, 0xeffff},
    };
    return within(code, ranges, sizeof ranges / sizeof *ranges);
}

bool xml_is_name(uint32_t code)
{
    static const uint32_t ranges[][2] = {{0xb7, 0xb7}, {0x300, 0x36f}, {0x203f, 0x2040}};
    return xml_is_name_start(code) || within(code, ranges, sizeof ranges / sizeof *ranges);
}

size_t utf8_whole(const char *text, size_t length)
{
    size_t start = length;
    while (start && length - start < 4 && ((uint8_t)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (!start)
        return length;
    uint8_t lead = (uint8_t)text[start - 1];
    size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return length - (start - 1) < needed ? start - 1 : length;
}
