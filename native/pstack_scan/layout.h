/* A typed data layout, copied from the caller's tables. */
#ifndef PSTACK_LAYOUT_H
#define PSTACK_LAYOUT_H

#include "scan_api.h"

enum { PS_MAX_NESTING = 200 };

/* A struct with more members than this finds them by hash. */
enum { PS_WIDE_STRUCT = 16 };

struct ps_layout {
    ps_node *nodes;
    uint32_t count;
    char *names;
    char *defaults;
    size_t size;
    uint32_t *members; /* hash table of the members of wide structs; NULL without any */
    size_t mask;
};

/* The member of a wide struct or union by name, or NULL. */
const ps_node *layout_member(const ps_layout *layout, const ps_node *parent, const char *name,
                             size_t length);

#endif
