#include "layout.h"

#include "intern.h"

#include <stdlib.h>
#include <string.h>

static void *copy(const void *data, size_t size)
{
    void *result = malloc(size ? size : 1);
    if (result && size)
        memcpy(result, data, size);
    return result;
}

static size_t place(const ps_layout *layout, const ps_node *parent, const char *name, size_t length)
{
    /* Addresses are random enough that no document can foresee collisions. */
    uint64_t seed = (uint64_t)(uintptr_t)parent * 0x9e3779b97f4a7c15u;
    return hash_bytes(name, length, seed) & layout->mask;
}

static bool is_wide(const ps_node *node)
{
    return (node->kind == PS_STRUCT || node->kind == PS_UNION) && node->count > PS_WIDE_STRUCT;
}

static bool index_members(ps_layout *layout)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < layout->count; i++)
        if (is_wide(&layout->nodes[i]))
            total += layout->nodes[i].count;
    if (!total)
        return true;
    for (layout->mask = 63; layout->mask < (size_t)total * 2;)
        layout->mask = layout->mask * 2 + 1;
    layout->members = calloc(layout->mask + 1, sizeof *layout->members);
    if (!layout->members)
        return false;
    for (uint32_t i = 0; i < layout->count; i++) {
        const ps_node *parent = &layout->nodes[i];
        if (!is_wide(parent))
            continue;
        for (uint32_t k = 0; k < parent->count; k++) {
            const ps_node *node = &layout->nodes[parent->children + k];
            size_t slot = place(layout, parent, layout->names + node->name, node->name_length);
            while (layout->members[slot])
                slot = (slot + 1) & layout->mask;
            layout->members[slot] = parent->children + k; /* never 0, which is the root */
        }
    }
    return true;
}

const ps_node *layout_member(const ps_layout *layout, const ps_node *parent, const char *name,
                             size_t length)
{
    size_t slot = place(layout, parent, name, length);
    for (uint32_t index; (index = layout->members[slot]); slot = (slot + 1) & layout->mask) {
        const ps_node *node = &layout->nodes[index];
        if (index - parent->children < parent->count && node->name_length == length &&
            memcmp(layout->names + node->name, name, length) == 0)
            return node;
    }
    return NULL;
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
    if (!layout->nodes || !layout->names || !layout->defaults || !index_members(layout)) {
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
    free(layout->members);
    free(layout);
}
