/* Growable arrays.  A failed allocation leaves the buffer as it was. */
#ifndef PSTACK_BUFFER_H
#define PSTACK_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    char *data;
    size_t length, capacity;
} ps_buffer;

/* Make room for `extra` more bytes, doubling; false when memory is out. */
bool buffer_grow(ps_buffer *buffer, size_t extra);
/* Give back what is not used. */
void buffer_shrink(ps_buffer *buffer);
void buffer_free(ps_buffer *buffer);

static inline bool buffer_reserve(ps_buffer *buffer, size_t extra)
{
    return extra <= buffer->capacity - buffer->length || buffer_grow(buffer, extra);
}

static inline bool buffer_append(ps_buffer *buffer, const void *data, size_t length)
{
    if (!buffer_reserve(buffer, length))
        return false;
    if (length)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    return true;
}

static inline bool buffer_push_u32(ps_buffer *buffer, uint32_t value)
{
    return buffer_append(buffer, &value, sizeof value);
}

static inline bool buffer_push_u16(ps_buffer *buffer, uint16_t value)
{
    return buffer_append(buffer, &value, sizeof value);
}

#endif
