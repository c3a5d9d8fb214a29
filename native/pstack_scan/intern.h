/* Names to indices: an open-addressing hash table over an arena of names.

   The hash is seeded, so that no document can be made to collide. */
#ifndef PSTACK_INTERN_H
#define PSTACK_INTERN_H

#include "xml.h"

#define INTERN_NONE UINT32_MAX

typedef struct {
    ps_buffer arena;   /* the names end to end */
    ps_buffer offsets; /* uint64[count + 1] */
    uint64_t *slots;   /* high half of the hash, index + 1 */
    size_t mask;
    uint32_t count;
    uint64_t seed;
} intern_table;

bool intern_init(intern_table *table, uint64_t seed);
void intern_free(intern_table *table);
/* Drop the hash table but keep the names. */
void intern_seal(intern_table *table);
uint32_t intern_find(const intern_table *table, ps_text name);
/* Add a name; `*index` is its index, or that of the equal name which was there, with
   `*added` false.  Fails when memory is out or 2^32 - 2 names are in. */
bool intern_add(intern_table *table, ps_text name, uint32_t *index, bool *added);
ps_text intern_name(const intern_table *table, uint32_t index);

uint64_t hash_bytes(const char *data, size_t length, uint64_t seed);

/* Two words mixed to one; a building block of the hash. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
