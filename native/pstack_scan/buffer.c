#include "buffer.h"

#include <stdlib.h>

bool buffer_grow(ps_buffer *buffer, size_t extra)
{
    if (extra > SIZE_MAX / 4 || buffer->length > SIZE_MAX / 4)
        return false;
    size_t needed = buffer->length + extra;
    size_t capacity = buffer->capacity ? buffer->capacity * 2 : 64;
    if (capacity < needed)
        capacity = needed;
    char *data = realloc(buffer->data, capacity);
    if (!data)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_shrink(ps_buffer *buffer)
{
    if (buffer->capacity == buffer->length)
        return;
    if (!buffer->length) {
        buffer_free(buffer);
        return;
    }
    char *data = realloc(buffer->data, buffer->length);
    if (data) {
        buffer->data = data;
        buffer->capacity = buffer->length;
    }
}

void buffer_free(ps_buffer *buffer)
{
    free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}
