#include "layout.h"

#include <stdlib.h>
#include <string.h>

static void *copy(const void *data, size_t size)
{
    void *result = malloc(size ? size : 1);
    if (result && size)
        memcpy(result, data, size);
    return result;
}

ps_layout *ps_layout_new(const ps_node *nodes, uint32_t count, const char *names,
                         size_t names_length, const char *defaults, size_t size)
{
    ps_layout *layout = calloc(1, sizeof *layout);
    if (!layout)
        return NULL;
    layout->nodes = copy(nodes, count * sizeof *nodes);
    layout->names = copy(names, names_length);
    layout->defaults = copy(defaults, size);
    layout->count = count;
    layout->size = size;
    if (!layout->nodes || !layout->names || !layout->defaults) {
        ps_layout_free(layout);
        return NULL;
    }
    return layout;
}

void ps_layout_free(ps_layout *layout)
{
    if (!layout)
        return;
    free(layout->nodes);
    free(layout->names);
    free(layout->defaults);
    free(layout);
}
