/* A typed data layout, copied from the caller's tables. */
#ifndef PSTACK_LAYOUT_H
#define PSTACK_LAYOUT_H

#include "scan_api.h"

enum { PS_MAX_NESTING = 200 };

struct ps_layout {
    ps_node *nodes;
    uint32_t count;
    char *names;
    char *defaults;
    size_t size;
};

#endif
